"""The benchmark scripts run, and print what they say; how fast anything is, is not tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
def test_the_training_benchmark_compares_loops_epochs_starts_and_a_sweep(sample_root: Path) -> None:
    tiny = [str(sample_root), "--size=64", "--batch=4"]
    loop = benchmark("train.py", "loop", *tiny, "--steps=25", "--warmup=1")
    rates = re.findall(r"^(bare|emotion) +(\d+\.\d) images/s$", loop, re.MULTILINE)
    assert [name for name, _ in rates] == ["bare", "emotion"]
    assert all(float(rate) > 0 for _, rate in rates)
    assert 0 <= float(found(r"waiting for batches: (\S+) %", loop)) < 100
    in_order(found(r"time of ours to bare: (.+)$", loop))
    in_order(found(r"plain to ours: (.+)$", benchmark("train.py", "epoch", *tiny, *ONCE)))
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
