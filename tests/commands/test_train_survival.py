"""`emotion train` as a real command that is killed, interrupted, or finds no room on the disk."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.processes import naming, wait_until
from tests.sharing import CACHE
from tests.training.comparison import metrics_of

from emotion.experiments.jobs import Job, RunningJob
from emotion.experiments.records import RunRecord, read_record

pytestmark = pytest.mark.slow

EPOCHS = 8
TINY = [
    "model.weights=null", "input.size=64", f"trainer.max_epochs={EPOCHS}", "data.batch_size=4",
    CACHE, "trainer.accelerator=cpu",
    "~callbacks.pictures",  # they take longer than the training
]  # fmt: skip
SECONDS = 240  # that a command may take on a busy machine


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emotion", "train", *arguments]


def finish(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=SECONDS, check=False
    )


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Starts a training and gives it once its first epoch is on disk."""
    process = subprocess.Popen(
        command(*arguments, f"hydra.run.dir={folder}"), stderr=subprocess.PIPE, text=True
    )
    last = folder / "checkpoints" / "last.ckpt"
    assert wait_until(lambda: last.exists() or process.poll() is not None, SECONDS)
    assert process.poll() is None
    return process


def record_of(folder: Path) -> RunRecord:
    record = read_record(folder)
    assert record is not None
    return record


@pytest.fixture(scope="module")
def unbroken(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    done = finish(f"data.root={sample_root}", *TINY, f"hydra.run.dir={folder}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
)
def test_a_run_that_was_ended_goes_on_to_the_same_end(
    sample_root: Path, unbroken: Path, tmp_path: Path, number: int, code: int
) -> None:
    folder = tmp_path / "run"
    process = begun(folder, f"data.root={sample_root}", *TINY)
    process.send_signal(number)
    errors = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert naming(str(folder)) == []
    status = "running" if number == signal.SIGKILL else "stopped"
    assert record_of(folder).status == status
    if number != signal.SIGKILL:
        assert f"go on with: emotion train resume={folder}" in errors
    done = finish(f"resume={folder}")
    assert done.returncode == 0, done.stderr
    assert metrics_of(folder) == metrics_of(unbroken)
    chosen = [json.loads((f / "selection.json").read_text()) for f in (folder, unbroken)]
    assert chosen[0] == chosen[1]
    assert (record_of(folder).status, record_of(folder).resumed) == ("finished", 1)
    assert curve(folder) == curve(unbroken)


def curve(folder: Path) -> list[tuple[int, float]]:
    """Reads the validation loss as TensorBoard shows it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars("val/loss")]


@pytest.mark.parametrize("victim", ["rank 0", "rank 1", "supervisor"])
def test_where_one_process_of_two_is_killed_none_lives_on(
    sample_root: Path, tmp_path: Path, victim: str
) -> None:
    folder = tmp_path / "run"
    process = begun(folder, f"data.root={sample_root}", *TINY, "trainer.devices=2")
    ranks = {pid: environment(pid)["LOCAL_RANK"] for pid in naming("train\0--rank")
             if str(folder) in Path(f"/proc/{pid}/cmdline").read_text()}  # fmt: skip
    assert sorted(ranks.values()) == ["0", "1"]
    pids = {f"rank {rank}": pid for pid, rank in ranks.items()} | {"supervisor": process.pid}
    os.kill(pids[victim], signal.SIGKILL)
    errors = process.communicate(timeout=SECONDS)[1]
    assert wait_until(lambda: not naming(str(folder)))
    if victim == "supervisor":
        assert process.returncode == -9
    else:
        assert process.returncode == 3, errors
        assert f"emotion: {victim} was ended by SIGKILL" in errors
        assert f"emotion train resume={folder}" in errors
        assert "Traceback" not in errors
        assert record_of(folder).status == "failed"
    # On as many devices, and on one, which is quicker.
    done = finish(f"resume={folder}", *([] if victim == "rank 0" else ["trainer.devices=1"]))
    assert done.returncode == 0, done.stderr
    assert [row["epoch"] for row in metrics_of(folder)] == [str(n + 1) for n in range(EPOCHS)]
    assert naming(str(folder)) == []


def environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_two_processes_stop_together_and_go_on_on_one(
    sample_root: Path, tmp_path: Path, number: int, code: int
) -> None:
    folder = tmp_path / "run"
    process = begun(folder, f"data.root={sample_root}", *TINY, "trainer.devices=2")
    process.send_signal(number)
    errors = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == code, errors
    assert naming(str(folder)) == []
    assert record_of(folder).status == "stopped"
    assert "Traceback" not in errors
    done = finish(f"resume={folder}", "trainer.devices=1")
    assert done.returncode == 0, done.stderr
    assert [row["epoch"] for row in metrics_of(folder)] == [str(n + 1) for n in range(EPOCHS)]


@pytest.mark.parametrize(("grace", "code"), [(SECONDS, 143), (0, -signal.SIGKILL)])
def test_a_job_of_two_processes_whose_time_is_up_leaves_none(
    sample_root: Path, tmp_path: Path, grace: float, code: int
) -> None:
    folder = tmp_path / "run"
    endless = [*TINY[:2], *TINY[3:], "trainer.max_epochs=10000", "trainer.devices=2"]
    job = Job((f"data.root={sample_root}", *endless), folder)
    with RunningJob(job, {}) as running:
        last = folder / "checkpoints" / "last.ckpt"
        assert wait_until(lambda: last.exists() or running.poll() is not None, SECONDS)
        assert len(naming(str(folder))) == 3  # the supervisor and its two
        running.ask("timed out", grace)
        assert wait_until(lambda: running.poll() is not None, SECONDS)
        end = running.poll()
    assert end is not None
    assert (end.ending, end.code) == ("timed out", code)
    assert wait_until(lambda: not naming(str(folder)))
    assert record_of(folder).status == ("stopped" if grace else "running")


def test_a_full_disk_ends_with_a_message_and_the_last_good_checkpoint(
    sample_root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    short = [item for item in TINY if "max_epochs" not in item]
    where = [f"data.root={sample_root}", f"hydra.run.dir={folder}"]
    assert finish(*short, *where, "trainer.max_epochs=1").returncode == 0
    last = folder / "checkpoints" / "last.ckpt"
    before = hashlib.sha256(last.read_bytes()).hexdigest()
    done = subprocess.run(
        command(f"resume={folder}", "trainer.max_epochs=3"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        # No file of the command may grow beyond a megabyte, as on a disk that is nearly full.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)),
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "ckpt: the checkpoint cannot be written (" in done.stderr
    assert "Traceback" not in done.stderr
    assert hashlib.sha256(last.read_bytes()).hexdigest() == before
    assert record_of(folder).status == "failed"
    assert finish(f"resume={folder}", "trainer.max_epochs=3").returncode == 0
    assert len(metrics_of(folder)) == 3


def test_a_second_ctrl_c_ends_at_once(sample_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = begun(folder, f"data.root={sample_root}", *TINY, "trainer.max_epochs=100")
    process.send_signal(signal.SIGINT)
    time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert naming(str(folder)) == []
