import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.leaderboards.reading import csv_rows, names
from tests.leaderboards.run_writer import write_json, write_run

from emotion.errors import ConfigError
from emotion.experiments.jobs import LOG
from emotion.leaderboards.leaderboard import read_leaderboard
from emotion.leaderboards.run_folders import RunFolder, read_run_folders


@pytest.mark.parametrize(
    ("log", "status", "reason"),
    [
        ("emotion: seed: expected a whole number\n", "failed", "seed: expected a whole number"),
        ("Traceback (most recent…\n  File\nKeyError: 'x'\n\n", "failed", "KeyError: 'x'"),
        ("", "running", "has not begun yet, or was killed"),
    ],
)
def test_a_job_that_came_to_no_run_is_listed(
    tmp_path: Path, log: str, status: str, reason: str
) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / LOG).write_text(log)
    (write_run(tmp_path / "1", 0.5) / "job.log").write_text(
        "emotion: of a run that goes by run.json"
    )
    leaderboard = read_leaderboard(tmp_path)
    assert names(leaderboard) == ["1"]
    (record,) = leaderboard.early
    assert (record.name, record.status, record.reason) == ("0", status, reason)


def test_a_run_without_a_record_is_of_an_older_version(tmp_path: Path) -> None:
    write_run(tmp_path / "a", 0.5)
    (tmp_path / "a" / "run.json").unlink()
    (row,) = csv_rows(read_leaderboard(tmp_path))
    assert (row["status"], row["seconds"], row["command"]) == ("finished", "3.75", "")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / "config.yaml").unlink(), "config.yaml is missing"),
        (lambda f: (f / "config.yaml").write_text("a: [1"), "config.yaml: not YAML"),
        (lambda f: (f / "config.yaml").write_text("- 1"), "config.yaml: expected the settings"),
        (lambda f: cut(f / "selection.json"), "selection.json: not JSON"),
        (lambda f: write_json(f / "selection.json", []), "selection.json: expected names"),
        (lambda f: cut(f / "run.json"), "run.json: not a run's record"),
        (lambda f: write_json(f / "metrics.json", {"epoch": 1}), "metrics.json is of epoch 1, "),
        (lambda f: (f / "epochs.csv").write_text("epoch\n1\n"), "epochs.csv: expected a table"),
        (lambda f: (f / "epochs.csv").write_bytes(b"seconds\n\xff\n"), "epochs.csv: expected"),
        (lambda f: change(f, score=math.nan), "selection.json: score: expected a number, got nan"),
        (lambda f: change(f, epoch=9), "selection.json: expected an epoch from 1 to 4, got 9"),
        (lambda f: change(f, mode="up"), "selection.json: mode: expected min or max, got up"),
        (lambda f: change(f, checkpoint=None), "selection.json: expected the name of a check"),
        (lambda f: change(f, "run.json", status="odd"), "run.json: status: expected running,"),
        (lambda f: change(f, "run.json", command=[1]), "run.json: command: expected words"),
    ],
)
def test_a_damaged_run_is_a_record(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    write_run(tmp_path / "whole", 0.5)
    damage(write_run(tmp_path / "damaged", 0.4))
    leaderboard = read_leaderboard(tmp_path)
    assert names(leaderboard) == ["whole"]
    (record,) = leaderboard.unreadable
    assert record.name == "damaged"
    assert record.reason.startswith(reason)
    assert csv_rows(leaderboard)[-1]["status"] == "unreadable"
    assert "could not be read" in leaderboard.table()
    assert "Could not be read" in leaderboard.markdown()


def change(folder: Path, name: str = "selection.json", **values: Any) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_no_runs_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such folder; expected one with runs"):
        read_run_folders(tmp_path / "nowhere")
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"expected run folders in it or below.*found none"):
        read_run_folders(tmp_path)


def test_what_a_folder_tells_is_read(tmp_path: Path) -> None:
    command = ["emotion", "train", "data.root=/my faces"]
    write_run(tmp_path / "a" / "b", 0.5, {"model.dropout": 0.3}, command=command)
    (run,) = read_run_folders(tmp_path)
    assert run.settings.pop("model.dropout") == 0.3
    run.settings.clear()
    assert run == RunFolder(
        name="a/b",
        status="finished",
        monitor="val/loss",
        mode="min",
        score=0.5,
        epoch=2,
        epochs=4,
        seconds=12.5,
        command="emotion train 'data.root=/my faces'",
        checkpoint="a/b/checkpoints/epoch_002.ckpt",
    )
    (same,) = read_run_folders(tmp_path / "a" / "b")
    assert (same.name, same.checkpoint) == (".", "checkpoints/epoch_002.ckpt")


@pytest.mark.parametrize(
    ("status", "finished", "expected"),
    [
        ("finished", True, "finished"),
        ("finished", False, "stopped"),  # its record was written, its last score was not
        ("stopped", True, "stopped"),
        ("failed", True, "failed"),
        ("running", True, "running"),
    ],
)
def test_a_run_is_finished_where_both_files_say_so(
    tmp_path: Path, status: str, finished: bool, expected: str
) -> None:
    change(write_run(tmp_path / "0", 0.5, status=status), finished=finished)
    (run,) = read_run_folders(tmp_path)
    assert run.status == expected
    assert bool(run.reason) == (expected != "finished")


def test_a_run_that_says_finished_and_kept_nothing_is_not(tmp_path: Path) -> None:
    write_run(tmp_path / "0", None)
    (run,) = read_run_folders(tmp_path)
    assert (run.status, run.reason) == ("stopped", "finished without a selection.json")
    assert (run.monitor, run.score, run.epochs) == ("val/loss", None, 2)


def test_a_score_of_the_test_part_makes_a_run_unreadable(tmp_path: Path) -> None:
    write_run(tmp_path / "kept", 0.1, monitor="test/loss")
    write_run(tmp_path / "none", None, monitor="test/loss", status="failed")
    said = "monitor: expected a score of validation, val/…, got test/loss"
    found = {run.name: (run.status, run.reason) for run in read_run_folders(tmp_path)}
    assert found == {
        "kept": ("unreadable", f"selection.json: {said}"),
        "none": ("unreadable", f"config.yaml: {said}"),
    }


def test_links_are_not_followed(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", 0.5)
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "a" / "more").symlink_to(tmp_path)
    assert names(read_leaderboard(tmp_path)) == ["runs/a"]


def test_a_folder_that_cannot_be_listed_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "a", 0.5)
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refusing(path: str) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    (record,) = read_leaderboard(tmp_path).unreadable
    assert record.name == "closed"
    assert record.reason == "the folder cannot be listed (Permission denied)"
