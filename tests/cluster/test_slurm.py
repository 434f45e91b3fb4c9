"""Trainings on a real SLURM, which these tests start and stop: `make test-slurm`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.processes import wait_for
from tests.cluster.runs import TINY, epochs, metrics, numbers, record, validation_faces
from tests.cluster.slurm import Slurm, started_slurm

from emotion.leaderboards.leaderboard import read_leaderboard

pytestmark = pytest.mark.slurm

CLUSTERS = Path(__file__).parents[2] / "docs" / "clusters.md"
EMOTION = f"{sys.executable} -m emotion"
EPOCHS = 10


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    with started_slurm(cpus=2) as started:
        yield started
    assert not started.processes()
    assert not started.folder.exists()


def write_script(path: Path, root: Path, folder: Path) -> Path:
    """Writes the script of docs/clusters.md for one node without a GPU, and a small training."""
    blocks = re.findall(r"```bash\n(.*?)```", CLUSTERS.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = [block for block in blocks if block.startswith("#!/bin/bash\n#SBATCH")]
    small = [*TINY, "data.val=5", f"trainer.max_epochs={EPOCHS}"]
    changes = {
        "--nodes=2": "--nodes=1",
        " --gpus-per-node=2 --cpus-per-task=8": "",
        " emotion train experiment=faces": f" {EMOTION} train {' '.join(small)}",
        "/shared/faces": str(root),
        " trainer.num_nodes=2": "",
        "/shared/runs/faces": str(folder),
    }
    for ours, here in changes.items():
        assert text.count(ours) == 1, ours
        text = text.replace(ours, here)
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def unbroken(slurm: Slurm, sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run by two tasks that nothing disturbed."""
    place = tmp_path_factory.mktemp("unbroken")
    job = slurm.submit(
        write_script(place / "job.sh", sample_root, place / "run"), f"--output={place}/log.txt"
    )
    state = slurm.wait(job)
    assert state["JobState"] == "COMPLETED", (place / "log.txt").read_text()
    return place / "run"


def test_slurm_runs_two_tasks(slurm: Slurm) -> None:
    printed = slurm.run("srun", "--ntasks=2", "sh", "-c", "echo $SLURM_PROCID of $SLURM_NTASKS")
    assert sorted(printed.split("\n")) == ["", "0 of 2", "1 of 2"]


def sweep(
    slurm: Slurm, root: Path, folder: Path, *settings: str
) -> "subprocess.CompletedProcess[str]":
    """Hands a sweep in and waits for it."""
    command = [
        *EMOTION.split(), "train", "-m", "hydra/launcher=submitit_slurm", f"data.root={root}",
        f"hydra.sweep.dir={folder}", "trainer.max_epochs=1", *TINY, *settings,
    ]  # fmt: skip
    return subprocess.run(
        command,
        env=slurm.environment,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_sweep_is_a_job_of_slurm_for_each_setting(
    slurm: Slurm, sample_root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    done = sweep(slurm, sample_root, folder, "seed=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    logs = sorted((folder / ".submitit").glob("*/*_log.out"))
    assert len(logs) == 2
    assert all("JobEnvironment(job_id=" in path.read_text() for path in logs)
    assert len(read_leaderboard(folder).csv().splitlines()) == 3
    before = [(folder / name / "epochs.csv").read_bytes() for name in ("0", "1")]
    again = sweep(slurm, sample_root, folder, "seed=1,2")  # nothing is left to do
    assert again.returncode == 0, again.stdout + again.stderr
    assert before == [(folder / name / "epochs.csv").read_bytes() for name in ("0", "1")]
    assert [record(folder / name)["resumed"] for name in ("0", "1")] == [0, 0]
    assert [numbers(folder / name) for name in ("0", "1")] == [[1], [1]]


def test_a_job_of_a_sweep_that_fails_lets_the_other_finish(
    slurm: Slurm, sample_root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    done = sweep(slurm, sample_root, folder, "model.weights=/no/such.pth,null")
    assert done.returncode != 0
    assert "model.weights=/no/such.pth: no such file" in done.stdout + done.stderr
    assert record(folder / "1")["status"] == "finished"


def test_two_tasks_train_together_and_count_each_face_once(
    unbroken: Path, sample_root: Path
) -> None:
    assert numbers(unbroken) == list(range(1, EPOCHS + 1))
    faces = validation_faces(unbroken, sample_root)
    assert faces % 2 == 1  # of the two tasks one has a face more
    for row in epochs(unbroken):
        assert float(row["val/samples_seen"]) == faces
        assert float(row["train/samples_seen"]) == 8  # two steps of four, over both tasks
    assert record(unbroken)["resumed"] == 0


def check_went_on(folder: Path, unbroken: Path) -> None:
    """Checks that a run was continued once, and in the end is as if nothing had been."""
    assert record(folder)["resumed"] == 1
    assert numbers(folder) == list(range(1, EPOCHS + 1))
    assert metrics(folder) == metrics(unbroken)


@pytest.mark.parametrize("command", ["scontrol requeue", "scancel --signal=TERM"])
def test_a_requeued_job_goes_on_and_ends_as_if_nothing_had_been(
    slurm: Slurm, unbroken: Path, sample_root: Path, tmp_path: Path, command: str
) -> None:
    # The second is what SLURM sends before the time is up; the script then requeues itself.
    folder, log = tmp_path / "run", tmp_path / "log.txt"
    job = slurm.submit(write_script(tmp_path / "job.sh", sample_root, folder), f"--output={log}")
    wait_for(lambda: len(numbers(folder)) >= 2, "two epochs", 120)
    slurm.run(*command.split(), job)
    wait_for(lambda: slurm.state(job)["JobState"] == "PENDING", "the job to be queued", 60)
    before = numbers(folder)
    assert before == list(range(1, len(before) + 1))
    assert 2 <= len(before) < EPOCHS  # it was in the middle
    assert record(folder)["status"] == "stopped"
    state = slurm.wait(job)
    assert state["JobState"] == "COMPLETED", log.read_text()
    assert state["Restarts"] == "1"
    check_went_on(folder, unbroken)


def test_a_cancelled_job_stays_cancelled_and_the_same_script_goes_on(
    slurm: Slurm, unbroken: Path, sample_root: Path, tmp_path: Path
) -> None:
    folder, log = tmp_path / "run", tmp_path / "log.txt"
    script = write_script(tmp_path / "job.sh", sample_root, folder)
    job = slurm.submit(script, f"--output={log}")
    wait_for(lambda: len(numbers(folder)) >= 2, "two epochs", 120)
    slurm.run("scancel", job)
    state = slurm.wait(job)
    assert (state["JobState"], state["Restarts"]) == ("CANCELLED", "0")
    assert record(folder)["status"] == "stopped"
    assert slurm.wait(slurm.submit(script, f"--output={log}"))["JobState"] == "COMPLETED"
    check_went_on(folder, unbroken)
