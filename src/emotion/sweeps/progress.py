"""How far a sweep is: a line for each job that ends and, on a terminal, a bar with time left."""

import heapq
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from emotion.experiments.jobs import JobEnd, RunningJob

EVERY = 1.0  # seconds between two looks at the running jobs' epochs


@dataclass(frozen=True)
class Pace:
    """How a job gets on this time.

    Attributes:
        seconds: that it has run.
        began: share of its epochs that an earlier time had done, from 0 to 1.
        share: share of its epochs that are done now, from 0 to 1.
    """

    seconds: float
    began: float
    share: float

    @property
    def whole(self) -> float | None:
        """Seconds that all of the job would take; None as long as nothing tells."""
        gained = self.share - self.began
        return self.seconds / gained if gained > 0 else None


def seconds_left(
    finished: Iterable[Pace], running: Iterable[Pace], waiting: int, places: int
) -> float | None:
    """Estimates how long a sweep still takes.

    What tells nothing of itself is taken to be as long as the mean of the others.

    Args:
        finished: jobs that have finished.
        running: jobs that run.
        waiting: number of jobs that have not begun.
        places: jobs that run at once.

    Returns:
        Seconds, or None as long as nothing tells.
    """
    running = list(running)
    known = [pace.whole for pace in (*finished, *running) if pace.whole is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    left = []
    for pace in running:
        if pace.whole is not None:
            left.append(pace.whole * (1 - pace.share))
        else:
            left.append(max(0.0, mean * (1 - pace.began) - pace.seconds))
    busy = left + [0.0] * (places - len(left))  # until when each place is
    heapq.heapify(busy)
    for _ in range(waiting):  # each begins where a place is free first
        heapq.heapreplace(busy, busy[0] + mean)
    return max(busy)


def epochs_done(folder: Path) -> int:
    """Counts the epochs that a run has finished."""
    try:
        lines = (folder / "epochs.csv").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return max(0, len(lines) - 1)


def score_of(folder: Path) -> str:
    """Gives the score of the epoch that a run has kept, for people to read; "" where none is."""
    try:
        kept = json.loads((folder / "selection.json").read_bytes())
        return f"{kept['monitor']} {kept['score']:.4f} in epoch {kept['epoch']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


class SweepProgress(AbstractContextManager["SweepProgress"]):
    """Shows on standard error how far a sweep is.

    Args:
        settings: of each job that will run, by its number: what differs from the others.
        folders: their run folders.
        epochs: how many each trains at most; None where that is unknown.
        total: number of jobs of the sweep, with those that are finished already.
        places: jobs that run at once.
    """

    def __init__(
        self,
        settings: Mapping[int, str],
        folders: Mapping[int, Path],
        epochs: Sequence[int | None],
        total: int,
        places: int,
    ) -> None:
        self._settings, self._folders, self._epochs = settings, folders, epochs
        self._total, self._places = total, places
        self._began: dict[int, float] = {}
        self._finished: list[Pace] = []
        self._ended, self._looked = 0, 0.0
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("jobs"), BarColumn(), TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(), TextColumn("{task.fields[left]}"),
            console=self._console, transient=True, redirect_stdout=False, redirect_stderr=False,
            disable=not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("jobs", total=len(settings), done="", left="")

    def __enter__(self) -> "SweepProgress":
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def started(self, number: int) -> None:
        """Remembers how far the job is."""
        self._began[number] = self._share(number)

    def ended(self, number: int, end: JobEnd) -> None:
        """Shows a line on how the job ended."""
        self._ended += 1
        if end.ending == "finished":
            self._finished.append(Pace(end.seconds, self._began[number], 1.0))
        self.say(
            f"{self._ended} of {len(self._settings)}: {self._settings[number]}: "
            f"{self._outcome(number, end)} [{_time(end.seconds)}]"
        )

    def _outcome(self, number: int, end: JobEnd) -> str:
        if end.ending == "finished":
            score = score_of(self._folders[number])
            return f"finished, {score}" if score else "finished"
        return f"{end.ending} (exit code {end.code})"

    def say(self, line: str) -> None:
        """Shows a line above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def looked(self, running: Mapping[int, RunningJob]) -> None:
        """Brings the bar up to date, once a second."""
        if self._bar.disable or time.monotonic() < self._looked + EVERY:
            return
        self._looked = time.monotonic()
        paces = [
            Pace(job.seconds, self._began[number], self._share(number))
            for number, job in running.items()
        ]
        waiting = len(self._settings) - self._ended - len(paces)
        left = seconds_left(self._finished, paces, waiting, self._places)
        self._bar.update(
            self._task,
            completed=self._ended + sum(pace.share for pace in paces),
            done=f"{self._total - len(self._settings) + self._ended} of {self._total}",
            left="" if left is None else f"about {_time(left)} left",
        )

    def _share(self, number: int) -> float:
        epochs = self._epochs[number]
        return min(1.0, epochs_done(self._folders[number]) / epochs) if epochs else 0.0


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
