import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.processes import in_session
from tests.sweeps.fake_jobs import command, fake_job

from emotion.experiments.jobs import Job, JobEnd, RunningJob
from emotion.interruption import Interruption
from emotion.sweeps import dispatch
from emotion.sweeps.dispatch import NOT_STARTED, Dispatch


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "command", command)
    monkeypatch.setattr(dispatch, "PAUSE", 0.01)


class Notes:
    """Notes what happens, and signals once all that run are ready, if it is told to."""

    def __init__(self, interruption: Interruption, signals: int = 0, ready: int = 0) -> None:
        self.begun: list[int] = []
        self.ends: dict[int, JobEnd] = {}
        self.most = 0
        self.sessions: set[int] = set()
        self._interruption, self._signals, self._ready = interruption, signals, ready

    def started(self, number: int) -> None:
        self.begun.append(number)

    def ended(self, number: int, end: JobEnd) -> None:
        self.ends[number] = end

    def looked(self, running: Mapping[int, RunningJob]) -> None:
        self.most = max(self.most, len(running))
        self.sessions.update(job.tree.pid for job in running.values())
        ready = [job for job in running.values() if "ready" in job.job.log.read_text()]
        if len(ready) == self._ready and self._signals:
            for _ in range(self._signals):
                self._interruption._note(signal.SIGTERM, None)
            self._signals = 0


def run(
    jobs: Mapping[int, Job],
    places: int = 1,
    timeout: float | None = None,
    grace: float = 60,
    signals: int = 0,
    ready: int = 0,
) -> Notes:
    interruption = Interruption()
    notes = Notes(interruption, signals, ready)
    Dispatch(jobs, [{}] * places, notes, timeout, grace).run(interruption)
    assert not any(in_session(session) for session in notes.sessions)
    return notes


def jobs(folder: Path, *what: str) -> dict[int, Job]:
    return {number: fake_job(folder / str(number), name) for number, name in enumerate(what)}


def test_a_failed_job_lets_the_others_go_on(tmp_path: Path) -> None:
    notes = run(jobs(tmp_path, "finish", "fail", "finish"))
    assert notes.begun == [0, 1, 2]
    assert [notes.ends[n].ending for n in range(3)] == ["finished", "failed", "finished"]
    assert notes.most == 1


def test_no_jobs_are_done_at_once() -> None:
    assert run({}).begun == []


def test_so_many_run_at_once_as_there_are_places(tmp_path: Path) -> None:
    notes = run(jobs(tmp_path, "hang", "hang", "hang"), places=2, signals=1, ready=2)
    assert notes.most == 2
    assert notes.begun == [0, 1]  # no other begins once we were asked to stop
    assert [(end.ending, end.code) for end in notes.ends.values()] == [("stopped", 143)] * 2


def test_each_job_is_in_a_place_of_its_own(tmp_path: Path) -> None:
    places = [{"EMOTION_CORES": name, "CUDA_VISIBLE_DEVICES": name * 2} for name in "ab"]
    interruption = Interruption()
    todo = jobs(tmp_path, "env", "env", "env", "env", "env")
    Dispatch(todo, places, Notes(interruption), None, 60).run(interruption)
    told = [job.log.read_text().splitlines()[0] for job in todo.values()]
    assert told[:2] == ["place a aa", "place b bb"]
    assert set(told) == {"place a aa", "place b bb"}


def test_a_job_that_takes_too_long_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    notes = run(jobs(tmp_path, "stubborn", "finish"), timeout=0.3, grace=0.1)
    assert (notes.ends[0].ending, notes.ends[0].code) == ("timed out", -signal.SIGKILL)
    assert notes.ends[0].seconds > 0.3
    assert notes.ends[1].ending == "finished"


def test_asked_twice_it_kills_at_once(tmp_path: Path) -> None:
    notes = run(jobs(tmp_path, "stubborn", "hang"), places=2, grace=60, signals=2, ready=2)
    assert {end.ending for end in notes.ends.values()} == {"stopped"}
    assert notes.ends[0].code == -signal.SIGKILL


def test_all_are_asked_at_the_same_time(tmp_path: Path) -> None:
    notes = run(jobs(tmp_path, *["stubborn"] * 3), places=3, grace=0.5, signals=1, ready=3)
    assert [end.code for end in notes.ends.values()] == [-signal.SIGKILL] * 3
    ends = [end.seconds for end in notes.ends.values()]
    assert max(ends) - min(ends) < 0.5  # one after another they would be a grace apart


def test_a_job_that_cannot_start_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    todo = {0: fake_job(tmp_path / "file" / "run", "finish"), 1: fake_job(tmp_path / "1", "finish")}
    notes = run(todo)
    assert (notes.ends[0].ending, notes.ends[0].code) == ("failed", NOT_STARTED)
    assert "Not a directory" in notes.ends[0].tail[0] or "File exists" in notes.ends[0].tail[0]
    assert notes.ends[1].ending == "finished"


def test_an_error_of_ours_leaves_no_job_running(tmp_path: Path) -> None:
    class Failing(Notes):
        def looked(self, running: Mapping[int, RunningJob]) -> None:
            super().looked(running)
            raise OSError("disk full")

    interruption = Interruption()
    notes = Failing(interruption)
    with pytest.raises(OSError, match="disk full"):
        Dispatch(jobs(tmp_path, "hang"), [{}], notes).run(interruption)
    assert notes.sessions
    assert not any(in_session(session) for session in notes.sessions)
