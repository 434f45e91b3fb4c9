import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.datasets import SAD, SMILE, add_photo, change

from emotion.__main__ import main
from emotion.experiments.outcome import RunResult


def files_of(path: Path) -> dict[str, dict[str, Any]]:
    parts = json.loads(path.read_text(encoding="utf-8"))["parts"]
    return {part: described["files"] for part, described in parts.items()}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, since what is known of pictures is kept below the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """One folder of four persons, each of whom smiles once and is sad once."""
    root = tmp_path / "flat"
    for person in range(4):
        add_photo(root, f"p{person}_smile", SMILE)
        add_photo(root, f"p{person}_sad", SAD)
    return root


def split(root: Path, *options: str) -> int:
    return main(["data", "split", str(root), "--out", "split.json", *options])


@pytest.mark.slow
def test_the_real_command_splits_as_training_does(
    sample_root: Path, run_result: RunResult, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emotion", "data", "split", str(sample_root), "--out", "s.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    frozen = tmp_path / "s.json"
    assert files_of(frozen) == files_of(run_result.folder / "split.json")
    parts = json.loads(frozen.read_text())["parts"]
    for part, described in parts.items():
        line = f"{part}: {described['photos']} photos, {described['faces']} faces (neutral "
        assert line in done.stdout
    assert f"next: emotion train data.root={sample_root} data.split=s.json" in done.stdout


def test_counts_are_met_and_another_seed_draws_others(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draws = []
    for seed in ("3", "3", "4"):
        counts = ["--train", "2", "--val", "4", "--test", "2", "--labels", "smile,sad"]
        assert split(flat, *counts, "--seed", seed) == 0
        assert "train: 2 photos, 2 faces (smile 1, sad 1)\n" in capsys.readouterr().out
        draws.append(files_of(tmp_path / "split.json"))
    assert {part: len(files) for part, files in draws[0].items()} == {
        "train": 2,
        "val": 4,
        "test": 2,
    }
    assert len({name for files in draws[0].values() for name in files}) == 8
    assert draws[0] == draws[1] != draws[2]


def test_nobody_stands_on_two_sides(flat: Path, tmp_path: Path) -> None:
    assert split(flat, "--val", "0.25", "--test", "0.25", "--groups", r"name:^(p\d)_") == 0
    persons = [{Path(name).name[:2] for name in files} for files in files_of_parts(tmp_path)]
    assert sorted(len(part) for part in persons) == [1, 1, 2]
    assert len(set.union(*persons)) == 4


def files_of_parts(folder: Path) -> list[dict[str, Any]]:
    return list(files_of(folder / "split.json").values())


def test_each_photo_has_its_fold(flat: Path, tmp_path: Path) -> None:
    assert split(flat, "--folds", "2", "--groups", r"name:^(p\d)_") == 0
    files = {name: file for part in files_of_parts(tmp_path) for name, file in part.items()}
    folds = {name: file["fold"] for name, file in files.items()}
    assert sorted(folds.values()) == [1] * 4 + [2] * 4
    for name, fold in folds.items():
        assert folds[name.replace("smile", "sad")] == fold
    assert {name for name in folds if folds[name] == 1} == set(
        files_of(tmp_path / "split.json")["val"]
    )


def test_problems_are_refused_dropped_or_mended(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(flat / "annotations" / "p0_smile.xml", "<xmax>49<", "<xmax>99<")
    change(flat / "annotations" / "p1_sad.xml", "<name>sad<", "<name>unhappy<")
    assert split(flat) == 2
    text = capsys.readouterr().err
    assert "  box_outside: 1 (" in text
    assert "evaluate, data split --drop box_outside,label_unknown" in text
    assert not (tmp_path / "split.json").exists()
    assert split(flat, "--drop", "box_outside", "--map", "unhappy=sad") == 0
    assert "left out 1 faces (data.drop): box_outside 1\n" in capsys.readouterr().out
    names = {Path(name).stem for files in files_of_parts(tmp_path) for name in files}
    assert (len(names), "p0_smile" in names) == (7, False)
    assert split(flat, "--mend", "box_outside", "--map", "unhappy=") == 0
    assert "mended in memory (data.mend): box_outside 1\n" in capsys.readouterr().out
    names = {Path(name).stem for files in files_of_parts(tmp_path) for name in files}
    assert (len(names), "p1_sad" in names) == (7, False)


def test_difficult_faces_can_be_left_out(flat: Path, tmp_path: Path) -> None:
    change(flat / "annotations" / "p0_smile.xml", "<difficult>0<", "<difficult>1<")
    for options, count in (((), 8), (("--drop-difficult",), 7)):
        assert split(flat, *options) == 0
        assert sum(len(files) for files in files_of_parts(tmp_path)) == count


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--map", "joy"], "--map joy: expected NAME=CLASS"),
        (["--drop", "nonsense"], "'nonsense' is no kind of problem; expected some of "),
        (["--mend", "identical"], "'identical' is no choice here; expected some of "),
        (["--val", "some"], "data.val: expected a count, a share or auto, got 'some'"),
        (["--folds", "9"], "photos"),
        (["--folds", "2", "--val", "2"], "data.folds: cannot be combined with data.val"),
        (["--train", "7", "--val", "2"], "flat: "),
        (["--groups", "name:("], "data.groups=name:(: no regular expression"),
        (["--labels", "smile"], "expected"),
    ],
)
def test_a_wrong_option_is_one_clear_error(
    flat: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    text: str,
) -> None:
    assert split(flat, *options) == 2
    message = capsys.readouterr().err
    assert message.startswith("emotion: ")
    assert text in message
    assert not (tmp_path / "split.json").exists()
