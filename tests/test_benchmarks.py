"""The benchmark scripts run, and print what they say; how fast anything is, is not tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.exports import Exported

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TINY = ["--size=64", "--batch=4", "--faces=12", "--rounds=1", "--seconds=0.02", "--steps=1"]
ONCE = ["--rounds=1", "--epochs=1"]
ROW = re.compile(r"^  (\S.*?) +(\d+) +(\d+\.\d\d) \[(\d+\.\d\d), (\d+\.\d\d)\]$", re.MULTILINE)


def benchmark(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_data_benchmark_draws_its_faces_and_prints_every_table() -> None:
    output = benchmark("data.py", *TINY)
    header, *tables = output.split("\n\n")
    for word in ("cores", "Python", "torch", "albumentations", "12 faces of", "1 rounds"):
        assert word in header
    ways = ["original", "composed", "fused"]
    expected = {
        "bare, one core, 64 px": ways,
        "loader, 0 workers, 64 px": [*ways, "fused, normalised"],
        "loader, 1 workers, 64 px": [*ways, "fused, normalised"],
        "loader, 2 workers, 64 px": [*ways, "fused, normalised"],
        "training, 64 px": ["memory", "0 workers", "1 workers", "2 workers"],
    }
    found = {}
    for table in tables:
        rows = ROW.findall(table)
        if rows:
            found[table.strip().split("  ")[0]] = [row[0] for row in rows]
            assert rows[0][2:] == ("1.00", "1.00", "1.00")  # the first against itself
        for _, rate, ratio, least, most in rows:
            assert int(rate) > 0
            assert float(least) <= float(ratio) <= float(most)
    assert found == expected
    assert "share of the time waiting for batches: memory 0.0%" in output


@pytest.mark.slow
def test_the_training_benchmark_compares_epochs_that_are_watched(sample_root: Path) -> None:
    tiny = [str(sample_root), "--size=64", "--batch=4", "--rounds=2"]
    watched = benchmark("train.py", "watch", *tiny)
    for name in ("wall", "CPU"):
        in_order(found(rf"^{name} time: .* ms; watched to not: (.+)$", watched))
    assert float(found(r"^in what is added, by itself: .*, (\S+) % of an epoch$", watched)) > 0


@pytest.mark.slow
def test_the_training_benchmark_compares_loops_epochs_memory_starts_and_a_sweep(
    sample_root: Path,
) -> None:
    tiny = [str(sample_root), "--size=64", "--batch=4"]
    loop = benchmark("train.py", "loop", *tiny, "--steps=25", "--warmup=1")
    rates = re.findall(r"^(bare|emotion) +(\d+\.\d) images/s$", loop, re.MULTILINE)
    assert [name for name, _ in rates] == ["bare", "emotion"]
    assert all(float(rate) > 0 for _, rate in rates)
    assert 0 <= float(found(r"waiting for batches: (\S+) %", loop)) < 100
    in_order(found(r"time of ours to bare: (.+)$", loop))
    in_order(found(r"plain to ours: (.+)$", benchmark("train.py", "epoch", *tiny, *ONCE)))
    kept = benchmark("train.py", "memory", *tiny, *ONCE)
    for what in ("time", "memory"):
        in_order(found(rf"^{what} of given back to kept: (.+)$", kept))
    start = benchmark("train.py", "start", *tiny, *ONCE)
    in_order(found(r"to the first step +(.+) s$", start))
    in_order(found(r"of which imports +(.+) s$", start))
    sweep = benchmark("train.py", "sweep", "--jobs=2")
    row = r"^(\d) at once: \S+ s for 2 jobs, which took \S+ s in all; wall time to their sum (\S+)$"
    assert [jobs for jobs, _ in re.findall(row, sweep, re.MULTILINE)] == ["1", "2"]
    assert all(float(ratio) > 0 for _, ratio in re.findall(row, sweep, re.MULTILINE))


def found(pattern: str, output: str) -> str:
    match = re.search(pattern, output, re.MULTILINE)
    assert match is not None, output
    return match[1]


def in_order(text: str) -> float:
    """Gives the median of a median and its spread, which lies within it."""
    median, least, most = (float(number) for number in re.findall(r"\d+\.\d+", text))
    assert 0 < least <= median <= most
    return median


@pytest.fixture
def two_photos(sample_root: Path) -> list[str]:
    return [str(path) for path in sorted((sample_root / "test" / "img").iterdir())[:2]]


def cells(output: str, name: str) -> list[str]:
    """Gives the cells of the table's row of that name; the columns are two spaces apart."""
    return re.split(r" {2,}", found(rf"^  {re.escape(name)} {{2,}}(.+)$", output))


@pytest.mark.slow
def test_the_prediction_benchmark_compares_processes_with_the_floor(
    two_photos: list[str], exported: Exported
) -> None:
    models = [f"--model={exported.onnx}", f"--checkpoint={exported.checkpoint}", "--rounds=1"]
    output = benchmark("predict.py", "processes", *two_photos, *models)
    assert output.startswith("fer: not measured; name the Python of an environment that has it")
    _, one, both = output.split("\n\n")
    assert (one.splitlines()[0], both.splitlines()[0]) == (
        "1 photo, 1 rounds",
        "2 photos, 1 rounds",
    )
    for part in (one, both):
        faces, *floor = cells(part, "floor")
        assert floor[2:] == ["1.00 [1.00, 1.00]"] * 2
        for way in ("emotion, ONNX", "emotion, checkpoint"):
            seen, *numbers = cells(part, way)
            assert seen == faces  # the same work
            assert len(numbers) == 4
            for number in numbers:
                in_order(number)
    fer = benchmark("predict.py", "processes", two_photos[0], models[0], "--rounds=1",
                    f"--fer-python={sys.executable}")  # fmt: skip
    assert re.match(r"fer: not measured; .* cannot use it \(.*No module named 'fer'.*\)\n", fer)


@pytest.mark.slow
def test_the_prediction_benchmark_compares_loaded_processes(
    two_photos: list[str], exported: Exported
) -> None:
    models = [f"--model={exported.onnx}", f"--checkpoint={exported.checkpoint}", "--rounds=2"]
    output = benchmark("predict.py", "warm", *two_photos, *models)
    for how in output.strip().split("\n\n"):
        assert re.match(r"2 photos, (one by one|all at once), 2 rounds\n", how)
        assert cells(how, "floor")[1] == "1.00 [1.00, 1.00]"
        for way in ("emotion, ONNX", "emotion, checkpoint"):
            for number in cells(how, way):
                in_order(number)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the memory of a process")
def test_the_prediction_benchmark_measures_memory_beside_the_original(
    two_photos: list[str], exported: Exported
) -> None:
    models = [f"--model={exported.onnx}", f"--checkpoint={exported.checkpoint}", "--rounds=1"]
    output = benchmark("predict.py", "memory", two_photos[0], *models)
    assert cells(output, "detector")[3:] == ["7"]
    assert cells(output, "classifier, checkpoint")[3:] == ["37"]
    assert cells(output, "classifier, ONNX")[3:] == []  # the original has none
    for part in ("detector", "classifier, ONNX", "classifier, checkpoint"):
        for number in cells(output, part)[1:3]:  # its libraries may have been there before
            in_order(number)


@pytest.mark.slow
def test_the_prediction_benchmark_measures_long_lists(
    two_photos: list[str], exported: Exported
) -> None:
    lists = ["--copies=2", "--rounds=1", f"--model={exported.onnx}"]
    output = benchmark("predict.py", "flat", *two_photos, *lists)
    assert cells(output, "4 photos")[1] == "1.00 [1.00, 1.00]"
    in_order(cells(output, "16 photos")[0])


@pytest.mark.slow
def test_the_prediction_benchmark_searches_at_bounded_sizes(
    sample_root: Path, tmp_path: Path
) -> None:
    folder = sample_root / "test"
    photo = min((folder / "img").iterdir())
    box = "left='10' top='10' width='20' height='20'"
    boxes = f"<box {box}/><box {box} ignore='1'/>"
    listed = tmp_path / "faces.xml"
    listed.write_text(f"<dataset><images><image file='{photo}'>{boxes}</image></images></dataset>")
    sizes = ["--sides", "0", "100", "--enlarged", "1", "2"]
    annotated = len(list((folder / "annotations").iterdir()))
    for data, photos in ((folder, annotated), (listed, 1)):
        tables = benchmark("predict.py", "sides", str(data), *sizes).strip().split("\n\n")
        assert [table.splitlines()[0] for table in tables] == [
            f"{data.name}: {photos} photos {how}, upsample 0"
            for how in ("as they are", "enlarged 2 times")
        ]
        for table in tables:
            whole, bounded = cells(table, "none"), cells(table, "100")
            assert (whole[0], bounded[0]) == ("0", str(photos))  # that were searched smaller
            assert whole[1] == bounded[1]  # faces; the ignored box is none
            assert data == folder or whole[1] == "1"
            assert int(whole[2]) <= int(whole[1])
            assert whole[3] == f"{int(whole[2]) / int(whole[1]):.3f}"
            assert whole[-1] == "1.00"
