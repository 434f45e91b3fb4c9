import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.processes import naming, wait_until
from tests.sharing import CACHE

from emotion.commands import sweep, train
from emotion.errors import ConfigError, EmotionError
from emotion.sweeps.folder import Sweep, SweepJob

TINY = [
    "input.size=64", "trainer.limit_train_batches=1", "data.batch_size=4", CACHE,
    "data.workers=0", "hydra.sweep.dir=sweep",
    "~callbacks.pictures",  # they take longer than the training
]  # fmt: skip
SMALL = [*TINY, "trainer=cpu", "model.weights=null"]


def write_sweep_file(folder: Path, directory: Path, *command: str) -> None:
    folder.mkdir()
    job = SweepJob(("seed=1",), "0", "hash")
    Sweep(folder, ["emotion", "train", *command], str(directory), {}, [job]).write()


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ([], ["hydra.launcher.timeout=5", "-m", "seed=1,2", "hydra.sweep.dir='{}'"]),
        (
            ["--jobs", "2", "--timeout", "7"],
            ["-m", "seed=1,2", "hydra.sweep.dir='{}'", "hydra.launcher.jobs=2",
             "hydra.launcher.timeout=7"],
        ),
    ],
)  # fmt: skip
def test_resume_is_the_first_command_again_where_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], more: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    command = ["hydra.sweep.dir=old", "hydra.launcher.timeout=5", "-m", "seed=1,2"]
    write_sweep_file(tmp_path / "my sweep", there, *command)
    called: list[list[str]] = []

    def main(arguments: Sequence[str]) -> int:
        assert Path.cwd() == there
        called.append(list(arguments))
        return 7

    monkeypatch.setattr(train, "main", main)
    assert sweep.main(["resume", "my sweep", *options]) == 7
    assert called == [[item.format(tmp_path / "my sweep") for item in more]]


def test_a_folder_without_a_sweep_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=f"^{tmp_path}: expected the folder of a sweep, with a sw"
    ):
        sweep.main(["resume", str(tmp_path)])
    (tmp_path / "sweep.json").write_text("{}")
    with pytest.raises(EmotionError, match=r"sweep.json: not a sweep's record"):
        sweep.main(["resume", str(tmp_path)])


def test_a_directory_that_is_gone_is_named(tmp_path: Path) -> None:
    write_sweep_file(tmp_path / "sweep", tmp_path / "gone", "-m", "seed=1,2")
    with pytest.raises(
        ConfigError, match=r"the sweep began in .*/gone, to which its paths .* \(No"
    ):
        sweep.main(["resume", str(tmp_path / "sweep")])


def test_help_tells_what_resume_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        sweep.main(["resume", "--help"])
    assert stop.value.code == 0
    assert "finished jobs are skipped" in " ".join(capsys.readouterr().out.split())


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emotion", *arguments]


def run(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )


def states(folder: Path) -> list[str]:
    return [job["status"] for job in read(folder / "sweep.json")["jobs"]]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@contextmanager
def sweep_that_trains(cwd: Path, *settings: str) -> Iterator["subprocess.Popen[str]"]:
    """Runs a sweep, and kills it if the test fails."""
    with subprocess.Popen(
        command("train", "-m", *settings), cwd=cwd, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_grid_of_three_whose_middle_job_fails(sample_root: Path, tmp_path: Path) -> None:
    grid = ["model.optimizer.lr=1e-3,-1,1e-4", f"data.root={sample_root}", "trainer=cpu"]
    arguments = ["train", "-m", *grid, *TINY, "model.weights=null", "trainer.max_epochs=1"]
    done = run(tmp_path, *arguments)
    folder = tmp_path / "sweep"
    assert done.returncode == 1, done.stderr
    assert states(folder) == ["finished", "failed", "finished"]
    text = "model.optimizer: Invalid learning rate: -1"
    assert text in done.stderr
    assert text in " ".join(read(folder / "sweep.json")["jobs"][1]["tail"])
    assert "Traceback" not in done.stderr
    assert "1 of 3: model.optimizer.lr=0.001: finished, val/loss" in done.stderr
    assert "2 of 3 jobs are finished; run the others again: emotion sweep resume" in done.stderr
    assert all((folder / f"leaderboard.{kind}").is_file() for kind in ("csv", "md", "png"))
    before = (folder / "0" / "run.json").read_bytes(), (folder / "2" / "run.json").read_bytes()

    again = run(Path("/"), "sweep", "resume", str(folder))
    assert again.returncode == 1, again.stderr
    assert "2 of 3 are finished; trying 1 again that failed" in again.stderr
    assert before == tuple((folder / name / "run.json").read_bytes() for name in "02")


@pytest.mark.slow
def test_a_sweep_of_ddp_jobs_that_is_killed_leaves_no_process_and_goes_on(
    sample_root: Path, tmp_path: Path
) -> None:
    ddp = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "model.weights=null"]
    settings = ["seed=1,2", f"data.root={sample_root}", *TINY, *ddp, "trainer.max_epochs=8"]
    folder = tmp_path / "sweep"
    with sweep_that_trains(tmp_path, *settings) as process:
        assert wait_until(lambda: (folder / "1" / "epochs.csv").exists(), 300)
        assert len(naming(str(folder / "1"))) >= 3  # the job, and a process for each device
        process.kill()
        process.wait()
        assert wait_until(lambda: not naming(str(folder)))
    assert states(folder) == ["finished", "running"]
    finished = (folder / "0" / "run.json").read_bytes()
    assert read(folder / "1" / "run.json")["status"] == "running"

    done = run(Path("/"), "sweep", "resume", str(folder))
    assert done.returncode == 0, done.stderr
    assert "1 of 2 are finished; going on with 1 unfinished" in done.stderr
    assert states(folder) == ["finished", "finished"]
    assert (folder / "0" / "run.json").read_bytes() == finished
    assert read(folder / "1" / "run.json")["resumed"] == 1
    rows = (folder / "1" / "epochs.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == [str(epoch) for epoch in range(1, 9)]


@pytest.mark.slow
def test_two_jobs_at_once_are_stopped_at_the_same_time_and_go_on(
    sample_root: Path, tmp_path: Path
) -> None:
    settings = ["seed=1,2", f"data.root={sample_root}", *SMALL]
    settings += ["trainer.max_epochs=400", "monitor.patience=400"]
    folder = tmp_path / "sweep"
    with sweep_that_trains(tmp_path, *settings, "hydra.launcher.jobs=2") as process:
        assert wait_until(lambda: all((folder / n / "epochs.csv").exists() for n in "01"), 300)
        places = [sorted(os.sched_getaffinity(naming(str(folder / n))[0])) for n in "01"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        assert process.stderr is not None
        last = process.stderr.read().splitlines()[-1]
    assert not set(places[0]) & set(places[1])
    assert not naming(str(folder))
    assert states(folder) == ["stopped", "stopped"]
    assert last == (f"stopped; 0 of 2 jobs are finished; go on: emotion sweep resume {folder}")
    for name in "01":
        assert read(folder / name / "run.json")["status"] == "stopped"
        assert (folder / name / "checkpoints" / "last.ckpt").is_file()

    refused = run(tmp_path, "train", "-m", *settings, "seed=1,2,3")
    assert refused.returncode == 2
    assert "holds another sweep: it has 2 jobs, the new one 3" in refused.stderr

    late = run(tmp_path, "train", "-m", *settings, "hydra.launcher.timeout=0.5")
    assert late.returncode == 1, late.stderr
    assert "0 of 2 are finished; going on with 2 unfinished" in late.stderr
    assert states(folder) == ["timed out", "timed out"]
