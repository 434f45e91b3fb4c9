"""Trainings that run as jobs: each a process tree of its own with a folder and a log."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emotion.experiments.overrides import assign
from emotion.processes import GRACE, ProcessTree, scrubbed

LOG = "job.log"
TAIL = 12  # last lines of a log that are shown of a failed job
TAIL_BYTES = 20_000  # of a log that are read for them
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
        more = [assign("hydra.run.dir", str(self.folder)), "resume=auto"]
        return [sys.executable, "-m", "emotion", "train", *self.overrides, *more]

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / LOG

    def tail(self, since: int = 0) -> list[str]:
        """Gives the last lines of its log.

        Args:
            since: bytes of the log that are older and do not count.
        """
        try:
            with self.log.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(since, size - TAIL_BYTES))
                text = stream.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [line.rstrip() for line in text.splitlines() if line.strip()][-TAIL:]


@dataclass(frozen=True)
class JobEnd:
    """How a job ended.

    Attributes:
        ending: "timed out" and "stopped" where we ended it ourselves.
        code: exit code, negative for a signal.
        seconds: that it ran this time.
        tail: last lines that it added to its log.
    """

    ending: Ending
    code: int
    seconds: float
    tail: list[str]


class RunningJob:
    """A job that runs.

    Used as a context it leaves nothing behind, whatever happens in the block.

    Args:
        job: what to run; its folder is made.
        environment: added to ours, such as the GPUs that it may use.

    Raises:
        OSError: its folder or its log cannot be made.
    """

    def __init__(self, job: Job, environment: Mapping[str, str]) -> None:
        self.job = job
        job.folder.mkdir(parents=True, exist_ok=True)
        self._logged = job.log.stat().st_size if job.log.exists() else 0
        self._ending: Ending = "failed"  # unless it ends with 0
        self._deadline: float | None = None  # when it is killed, once it has been asked to end
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

    @property
    def asked(self) -> bool:
        """Whether it has been asked to end."""
        return self._deadline is not None

    def poll(self) -> JobEnd | None:
        """Gives how it ended, or None while it runs; kills it where its grace is over."""
        code = self.tree.poll()
        if code is None and self._deadline is not None and time.monotonic() >= self._deadline:
            code = self.tree.stop(grace=0)
        return None if code is None else self._end(code)

    def ask(self, ending: Ending = "stopped", grace: float = GRACE) -> None:
        """Asks it to end and does not wait: it may write a checkpoint first. `poll` tells more.

        Args:
            ending: how that is called, unless it finishes all the same.
            grace: seconds until `poll` kills it; asked again, the shorter one counts.
        """
        deadline = time.monotonic() + grace
        if self._deadline is None:
            self._ending = ending
            self._deadline = deadline
            if self.tree.poll() is None:
                self.tree.send(signal.SIGTERM)
        self._deadline = min(self._deadline, deadline)

    def stop(self, ending: Ending = "stopped", grace: float = GRACE) -> JobEnd:
        """Ends it: it may write a checkpoint first, then all that it started is killed."""
        self.ask(ending, grace)
        self.tree.wait(grace)
        return self._end(self.tree.stop(grace=0))

    def _end(self, code: int) -> JobEnd:
        self.tree.kill()  # what it left behind
        ending: Ending = "finished" if code == 0 else self._ending
        return JobEnd(ending, code, self.seconds, self.job.tail(self._logged))
