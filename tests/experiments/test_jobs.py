import signal
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from tests.processes import in_session, wait_until
from tests.sweeps.fake_jobs import command, fake_job

from emotion.experiments.jobs import TAIL, Job, JobEnd, RunningJob


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "command", command)


def run(job: Job) -> JobEnd:
    with RunningJob(job, {}) as running:
        assert wait_until(lambda: running.poll() is not None)
        end = running.poll()
    assert end is not None
    return end


def hanging(folder: Path, what: str) -> RunningJob:
    running = RunningJob(fake_job(folder, what), {})
    assert wait_until(lambda: "ready" in running.job.log.read_text())
    return running


@pytest.mark.parametrize("name", ["plain", "it's", "a=b, c", "[x] {y}", "$HOME", "\\'"])
def test_hydra_reads_the_folder_from_the_command_as_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.undo()  # the real command
    folder = Path("/runs") / name
    made = Job(("seed=1",), folder).command()
    assert made[:5] == [sys.executable, "-m", "emotion", "train", "seed=1"]
    assert made[6:] == ["resume=auto"]
    (override,) = OverridesParser.create().parse_overrides([made[5]])
    assert override.key_or_group == "hydra.run.dir"
    assert override.value() == str(folder)


def test_a_job_that_finishes(tmp_path: Path) -> None:
    job = fake_job(tmp_path / "deep" / "run", "finish")
    end = run(job)
    assert (end.ending, end.code, end.tail) == ("finished", 0, ["done"])
    assert 0 < end.seconds < 60
    assert job.log.read_text() == "done\n"


def test_a_job_that_fails_tells_the_last_lines_of_this_time(tmp_path: Path) -> None:
    job = fake_job(tmp_path / "run", "fail")
    job.folder.mkdir()
    job.log.write_text("from an earlier time\n")
    end = run(job)
    assert (end.ending, end.code, end.tail) == ("failed", 1, ["this job fails"])
    assert job.log.read_text() == "from an earlier time\nthis job fails\n"


def test_the_tail_is_short_and_never_fails(tmp_path: Path) -> None:
    job = fake_job(tmp_path, "finish")
    assert job.tail() == []
    job.log.write_bytes(b"\xff\n\n" + b"".join(b"line %d\n" % n for n in range(50_000)))
    assert job.tail() == [f"line {n}" for n in range(50_000 - TAIL, 50_000)]
    assert job.tail(job.log.stat().st_size) == []


def test_a_job_that_is_asked_ends_in_good_order_and_nobody_waits(tmp_path: Path) -> None:
    with hanging(tmp_path / "run", "hang") as running:
        before = running.asked
        running.ask("timed out", 60)
        assert (before, running.asked) == (False, True)
        running.ask("stopped", 60)  # the first reason stands
        assert wait_until(lambda: running.poll() is not None)
        end = running.poll()
    assert end is not None
    assert (end.ending, end.code) == ("timed out", 143)
    assert end.tail == ["ready", "stopped in good order"]


def test_a_stubborn_job_is_killed_once_its_grace_is_over(tmp_path: Path) -> None:
    with hanging(tmp_path / "run", "stubborn") as running:
        running.ask("stopped", 60)
        assert running.poll() is None
        running.ask("stopped", 0)  # asked again: at once
        end = running.poll()
        assert end is not None
        assert (end.ending, end.code) == ("stopped", -signal.SIGKILL)
        assert not in_session(running.tree.pid)


def test_stop_waits_for_the_end(tmp_path: Path) -> None:
    with hanging(tmp_path / "one", "hang") as running:
        assert running.stop("timed out").code == 143
    with hanging(tmp_path / "two", "stubborn") as running:
        end = running.stop(grace=0.05)
        assert (end.ending, end.code) == ("stopped", -signal.SIGKILL)


def test_a_job_that_finishes_before_it_is_stopped_has_finished(tmp_path: Path) -> None:
    with RunningJob(fake_job(tmp_path / "run", "finish"), {}) as running:
        assert wait_until(lambda: running.tree.poll() is not None)
        assert running.stop().ending == "finished"


def test_the_environment_is_handed_on_without_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "command", lambda job: ["/usr/bin/env"])
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setenv("MINE", "kept")
    job = Job((), tmp_path / "run")
    with RunningJob(job, {"PLACE": "here"}) as running:
        assert wait_until(lambda: running.poll() is not None)
    lines = job.log.read_text().splitlines()
    assert "MINE=kept" in lines
    assert "PLACE=here" in lines
    assert not any(line.startswith("LOCAL_RANK") for line in lines)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        RunningJob(fake_job(tmp_path / "file" / "run", "finish"), {})
