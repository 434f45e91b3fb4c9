"""Running jobs, several at once, until all have ended or we are asked to stop."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from emotion.experiments.jobs import Job, JobEnd, RunningJob
from emotion.interruption import Interruption
from emotion.processes import GRACE

PAUSE = 0.1  # seconds between two looks at the running jobs
# A job that watches over processes of its own gives them so long, and says how they ended.
ENOUGH = GRACE + 2.0
NOT_STARTED = 126  # exit code of a command that could not be run, as shells have it


class Watcher(Protocol):
    """Is told what happens; the number is a job's place in the list of all."""

    def started(self, number: int) -> None:
        """A job begins."""

    def ended(self, number: int, end: JobEnd) -> None:
        """A job has ended."""

    def looked(self, running: Mapping[int, RunningJob]) -> None:
        """Some time has passed."""


class Dispatch:
    """Runs jobs, each in a place of its own.

    Args:
        jobs: by number, in the order in which they start.
        places: what is added to the environment of a job there; so many run at once.
        watcher: is told what happens.
        timeout: seconds that a job may take, or None.
        grace: seconds that a job has to end once it was asked to.
    """

    def __init__(
        self,
        jobs: Mapping[int, Job],
        places: Sequence[Mapping[str, str]],
        watcher: Watcher,
        timeout: float | None = None,
        grace: float = ENOUGH,
    ) -> None:
        self._waiting, self._free = deque(jobs.items()), deque(places)
        self._running: dict[int, tuple[RunningJob, Mapping[str, str]]] = {}
        self._watcher, self._timeout, self._grace = watcher, timeout, grace

    def run(self, interruption: Interruption) -> None:
        """Runs them all.

        Args:
            interruption: once a signal is noted, running jobs are asked to end, all at the same
                time, and no other begins; at the second signal they are killed.
        """
        try:
            while self._running or (self._waiting and not interruption.count):
                while self._waiting and self._free and not interruption.count:
                    self._start()
                self._hasten(interruption.count)
                self._collect()
                self._watcher.looked({number: job for number, (job, _) in self._running.items()})
                if self._running:
                    time.sleep(PAUSE)
        finally:  # whatever happens, none lives on
            for job, _ in self._running.values():
                job.__exit__()

    def _start(self) -> None:
        number, job = self._waiting.popleft()
        self._watcher.started(number)
        try:
            self._running[number] = RunningJob(job, self._free[0]), self._free[0]
            self._free.popleft()
        except OSError as error:  # the others may have more luck
            self._watcher.ended(number, JobEnd("failed", NOT_STARTED, 0.0, [str(error)]))

    def _hasten(self, asked: int) -> None:
        for job, _ in self._running.values():
            if asked:
                job.ask("stopped", self._grace if asked == 1 else 0)
            elif self._timeout is not None and job.seconds > self._timeout and not job.asked:
                job.ask("timed out", self._grace)

    def _collect(self) -> None:
        for number, (job, place) in list(self._running.items()):
            end = job.poll()
            if end is not None:
                del self._running[number]
                job.__exit__()
                self._free.append(place)
                self._watcher.ended(number, end)
