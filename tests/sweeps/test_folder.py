import json
from dataclasses import replace
from pathlib import Path

import pytest

from emotion.errors import ConfigError, EmotionError
from emotion.experiments.records import RunRecord, Status, write_record
from emotion.sweeps.folder import (
    JobState,
    Sweep,
    SweepJob,
    alone_in,
    read_sweep,
    swept_settings,
)


def sweep_of(folder: Path, *values: str) -> Sweep:
    jobs = [
        SweepJob(("seed=1", f"lr={value}"), str(number), f"hash {value}")
        for number, value in enumerate(values)
    ]
    command = ["emotion", "train", "-m", "seed=1", f"lr={','.join(values)}"]
    return Sweep(folder, command, "/typed/here", {"lr": values[0], "deep": {"list": [1]}}, jobs)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "1", "2")
    sweep.states[1] = JobState("failed", -9, 1.5, ["last", "words"])
    sweep.write()
    assert read_sweep(tmp_path) == sweep
    assert json.loads((tmp_path / "sweep.json").read_text())["jobs"][1] == {
        "overrides": ["seed=1", "lr=2"], "folder": "1", "config": "hash 2", "status": "failed",
        "code": -9, "seconds": 1.5, "tail": ["last", "words"],
    }  # fmt: skip


def test_a_folder_without_a_sweep(tmp_path: Path) -> None:
    assert read_sweep(tmp_path) is None
    assert read_sweep(tmp_path / "none") is None


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "jobs": [{"folder": "0"}]}']
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(EmotionError, match=r"sweep.json: not a sweep's record \(.*; remove it$"):
        read_sweep(tmp_path)


def test_a_job_is_run_in_its_folder(tmp_path: Path) -> None:
    job = sweep_of(tmp_path, "1", "2").job(1)
    assert (job.overrides, job.folder) == (("seed=1", "lr=2"), tmp_path / "1")


@pytest.mark.parametrize(
    ("noted", "recorded", "standing"),
    [
        ("waiting", None, "waiting"),
        ("running", None, "waiting"),
        ("failed", None, "failed"),  # before it had a record
        ("running", "running", "unfinished"),  # killed
        ("stopped", "stopped", "unfinished"),
        ("timed out", "stopped", "unfinished"),
        ("running", "failed", "failed"),
        ("failed", "finished", "finished"),  # somebody ran it by hand
        ("finished", "finished", "finished"),
        ("finished", None, "waiting"),  # somebody removed it
    ],
)
def test_the_record_of_the_run_is_the_truth(
    tmp_path: Path, noted: str, recorded: Status | None, standing: str
) -> None:
    sweep = sweep_of(tmp_path, "1")
    sweep.states[0] = replace(JobState(), status=noted)  # type: ignore[arg-type]
    if recorded is not None:
        write_record(tmp_path / "0", RunRecord(["emotion", "train"], recorded, "2026-01-01"))
    assert sweep.standing(0) == standing


def test_a_damaged_record_of_one_job_is_that_jobs_failure(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "1")
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "run.json").write_text("no record")
    assert sweep.standing(0) == "failed"


def test_what_is_swept_is_told() -> None:
    assert swept_settings([["a=1", "b=x", "c=0"], ["a=1", "b=y", "c=1"]]) == [
        "b=x, c=0",
        "b=y, c=1",
    ]
    assert swept_settings([["a=1"]]) == ["job 0"]
    assert swept_settings([]) == []


def test_a_second_sweep_is_kept_out(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path),
        pytest.raises(ConfigError, match=f"{tmp_path}: another sweep is running in it; wait for"),
        alone_in(tmp_path),
    ):
        raise AssertionError("nobody comes here")
    with alone_in(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with (
        pytest.raises(ConfigError, match=r"^/proc: cannot be written"),
        alone_in(Path("/proc")),
    ):
        raise AssertionError("nobody comes here")
