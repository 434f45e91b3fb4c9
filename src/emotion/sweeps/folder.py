"""`sweep.json`: the jobs of a sweep and how they ended, and what of them is missing."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from emotion.errors import EmotionError
from emotion.experiments.jobs import Ending, Job
from emotion.experiments.records import read_record
from emotion.files import alone, write_json

FORMAT = 1
NAME = "sweep.json"
LOCK = "sweep.lock"
Standing = Literal["finished", "unfinished", "failed", "waiting"]


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep.

    Attributes:
        overrides: what it is given after `emotion train`.
        folder: its run folder, below the sweep's.
        config: hash of its composed config, see `sweep_changes.config_hash`.
    """

    overrides: tuple[str, ...]
    folder: str
    config: str


@dataclass(frozen=True)
class JobState:
    """How a job of a sweep ended when it last ran.

    Attributes:
        status: how it ended; "running" also where the sweep was killed and could not say so.
        code: exit code, negative for a signal.
        seconds: that it ran the last time.
        tail: last lines of its log, unless it finished.
    """

    status: Literal["waiting", "running"] | Ending = "waiting"
    code: int | None = None
    seconds: float | None = None
    tail: list[str] = field(default_factory=list)


@dataclass
class Sweep:
    """A sweep: its folder, its jobs in order, and how far they are.

    Attributes:
        folder: the sweep's own, absolute.
        command: what was typed, as an argument list that begins with "emotion".
        directory: where it was typed; paths in the settings are relative to it.
        config: of the first job, composed, to tell what has changed.
        jobs: in order.
        states: of the jobs, in the same order.
    """

    folder: Path
    command: list[str]
    directory: str
    config: dict[str, Any]
    jobs: list[SweepJob]
    states: list[JobState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = self.states or [JobState() for _ in self.jobs]

    def job(self, number: int) -> Job:
        """Gives a job as it is run."""
        planned = self.jobs[number]
        return Job(planned.overrides, self.folder / planned.folder)

    def standing(self, number: int) -> Standing:
        """Tells how far a job is; its own `run.json` is the truth."""
        try:
            record = read_record(self.folder / self.jobs[number].folder)
        except EmotionError:  # the job itself will say what is wrong with it; the others go on
            return "failed"
        if record is not None and record.status == "finished":
            return "finished"
        if self.states[number].status == "failed" or (record and record.status == "failed"):
            return "failed"
        return "waiting" if record is None else "unfinished"

    def write(self) -> None:
        """Writes `sweep.json`."""
        jobs = [
            asdict(job) | asdict(state) for job, state in zip(self.jobs, self.states, strict=True)
        ]
        content = {
            "format": FORMAT, "command": self.command, "directory": self.directory,
            "jobs": jobs, "config": self.config,
        }  # fmt: skip
        write_json(self.folder / NAME, content)


def read_sweep(folder: Path) -> Sweep | None:
    """Reads the `sweep.json` of a sweep's folder; None where there is none.

    Raises:
        EmotionError: it is not one of ours; says what is wrong.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT}")
        jobs, states = [], []
        for entry in content["jobs"]:
            overrides, name, config = (entry.pop(key) for key in ("overrides", "folder", "config"))
            jobs.append(SweepJob(tuple(overrides), name, config))
            states.append(JobState(**entry))
        command, directory, config = content["command"], content["directory"], content["config"]
        return Sweep(folder.absolute(), command, directory, config, jobs, states)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EmotionError(f"{path}: not a sweep's record ({error}); remove it") from error


def swept_settings(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Gives for each job the settings in which it differs from others, for people to read.

    Args:
        jobs: the overrides of each.
    """
    common = set(jobs[0]).intersection(*jobs) if jobs else set()
    texts = [", ".join(item for item in job if item not in common) for job in jobs]
    return [text or f"job {number}" for number, text in enumerate(texts)]


def alone_in(folder: Path) -> AbstractContextManager[None]:
    """Keeps a second sweep out of the folder for as long as the block lasts.

    Raises:
        ConfigError: there is one already, or the folder cannot be written.
    """
    return alone(
        folder / LOCK,
        f"hydra.sweep.dir={folder}: another sweep is running in it; wait for it to end, or name"
        " another hydra.sweep.dir",
    )
