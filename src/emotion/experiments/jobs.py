"""Trainings that run as jobs: each a process tree of its own with a folder and a log."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emotion.processes import GRACE, ProcessTree, scrubbed

LOG = "job.log"
TAIL = 12  # last lines of a log that are shown of a failed job
Ending = Literal["finished", "failed", "timed out", "stopped"]


@dataclass(frozen=True)
class Job:
    """A training to run.

    Attributes:
        overrides: settings, key=value, as typed after `emotion train`.
        folder: its run folder.
    """

    overrides: tuple[str, ...]
    folder: Path

    def command(self) -> list[str]:
        """Gives what runs or continues it; the same again does nothing once it is finished."""
        folder = str(self.folder).replace("'", "\\'")
        more = [f"hydra.run.dir='{folder}'", "resume=auto"]
        return [sys.executable, "-m", "emotion", "train", *self.overrides, *more]

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / LOG

    def tail(self) -> list[str]:
        """Gives the last lines of its log."""
        try:
            text = self.log.read_bytes()[-20_000:].decode("utf-8", "replace")
        except OSError:
            return []
        return [line.rstrip() for line in text.splitlines() if line.strip()][-TAIL:]


@dataclass(frozen=True)
class JobEnd:
    """How a job ended.

    Attributes:
        ending: "stopped" where we ended it ourselves.
        code: exit code, negative for a signal.
        seconds: that it ran this time.
        tail: last lines of its log.
    """

    ending: Ending
    code: int
    seconds: float
    tail: list[str]


class RunningJob:
    """A job that runs.

    Args:
        job: what to run; its folder is made.
        environment: added to ours, such as the GPUs that it may use.
    """

    def __init__(self, job: Job, environment: Mapping[str, str]) -> None:
        self.job = job
        job.folder.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        self.tree = ProcessTree(
            job.command(), scrubbed(os.environ) | dict(environment), log=job.log
        )

    def __enter__(self) -> "RunningJob":
        return self

    def __exit__(self, *error: object) -> None:
        self.tree.__exit__(None, None, None)

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.started

    def poll(self) -> JobEnd | None:
        """Gives how it ended, or None while it runs."""
        code = self.tree.poll()
        return None if code is None else self._end("finished" if code == 0 else "failed", code)

    def stop(self, ending: Ending = "stopped", grace: float = GRACE) -> JobEnd:
        """Ends it: it may write a checkpoint first, then all that it started is killed."""
        return self._end(ending, self.tree.stop(grace))

    def _end(self, ending: Ending, code: int) -> JobEnd:
        self.tree.kill()
        return JobEnd(ending, code, self.seconds, self.job.tail())
