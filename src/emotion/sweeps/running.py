"""Running what is missing of a sweep, and telling how it went."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emotion.errors import ConfigError
from emotion.experiments.continuation import holds_run
from emotion.experiments.jobs import Job, JobEnd, RunningJob
from emotion.interruption import Interruption
from emotion.sweeps.changes import check_same
from emotion.sweeps.dispatch import Dispatch
from emotion.sweeps.folder import (
    JobState,
    Standing,
    Sweep,
    alone_in,
    read_sweep,
    swept_settings,
)
from emotion.sweeps.progress import SweepProgress

ALL, SOME = 0, 1  # exit codes: all jobs are finished; some failed
Places = list[dict[str, str]]


@dataclass(frozen=True)
class Terms:
    """On which terms the jobs of a sweep run.

    Attributes:
        places: divides the machine for so many jobs at once.
        jobs: at once.
        timeout: seconds that a job may take, or None.
        epochs: how many each job trains at most; None where that is unknown.
    """

    places: Callable[[int], Places]
    jobs: int
    timeout: float | None
    epochs: Sequence[int | None]


class _Book:
    """Keeps `sweep.json` up to date, and hands on to the progress what happens."""

    def __init__(self, sweep: Sweep, progress: SweepProgress) -> None:
        self._sweep, self._progress = sweep, progress

    def started(self, number: int) -> None:
        self._enter(number, replace(self._sweep.states[number], status="running"))
        self._progress.started(number)

    def ended(self, number: int, end: JobEnd) -> None:
        tail = [] if end.ending == "finished" else end.tail
        self._enter(number, JobState(end.ending, end.code, round(end.seconds, 1), tail))
        self._progress.ended(number, end)

    def looked(self, running: Mapping[int, RunningJob]) -> None:
        self._progress.looked(running)

    def _enter(self, number: int, state: JobState) -> None:
        self._sweep.states[number] = state
        self._sweep.write()


def run_sweep(sweep: Sweep, terms: Terms) -> int:
    """Runs what is missing of a sweep in its folder, and shows what came of it.

    Returns:
        0 when all jobs are finished, 1 when some failed, 128 and the number of the signal that
        stopped it.

    Raises:
        EmotionError: it cannot run: the folder holds another sweep, or one that is running; or
            so many jobs at once do not fit.
    """
    if holds_run(sweep.folder):
        raise ConfigError(f"hydra.sweep.dir={sweep.folder}: holds a run; name another folder")
    with alone_in(sweep.folder):
        before = read_sweep(sweep.folder)
        if before is not None:
            check_same(before, sweep)
            sweep.states, sweep.command = before.states, before.command
            sweep.directory = before.directory
        standings = [sweep.standing(number) for number in range(len(sweep.jobs))]
        missing = [number for number, how in enumerate(standings) if how != "finished"]
        places = terms.places(min(terms.jobs, len(missing))) if missing else []
        sweep.states = [
            JobState("finished", 0, state.seconds) if how == "finished" else state
            for state, how in zip(sweep.states, standings, strict=True)
        ]
        sweep.write()
        _announce(sweep.folder, standings, again=before is not None)
        interruption = Interruption()
        if missing:
            _run(sweep, missing, terms, places, interruption)
        return _conclude(sweep, interruption)


def _announce(folder: Path, standings: Sequence[Standing], again: bool) -> None:
    count = {how: standings.count(how) for how in ("finished", "unfinished", "failed")}
    lines = [f"sweep of {len(standings)} jobs in {folder}"]
    if again or count["finished"]:
        lines.append(f"{count['finished']} of {len(standings)} are finished")
    if count["unfinished"]:
        lines.append(f"going on with {count['unfinished']} unfinished")
    if count["failed"]:
        lines.append(f"trying {count['failed']} again that failed")
    print("; ".join(lines), file=sys.stderr)


def _run(
    sweep: Sweep, missing: Sequence[int], terms: Terms, places: Places, interruption: Interruption
) -> None:
    jobs: dict[int, Job] = {number: sweep.job(number) for number in missing}
    settings = swept_settings([job.overrides for job in sweep.jobs])
    progress = SweepProgress(
        {number: settings[number] for number in missing},
        {number: job.folder for number, job in jobs.items()},
        terms.epochs,
        len(sweep.jobs),
        len(places),
    )
    with interruption, progress:
        Dispatch(jobs, places, _Book(sweep, progress), terms.timeout).run(interruption)


def _conclude(sweep: Sweep, interruption: Interruption) -> int:
    states = sweep.states
    finished = sum(state.status == "finished" for state in states)
    _tell_failures(sweep)
    if finished and interruption.code is None:
        _rank(sweep.folder)
    if finished == len(states):
        print(f"all {finished} jobs are finished: {sweep.folder}", file=sys.stderr)
        return ALL
    again = f"emotion sweep resume {shlex.quote(str(sweep.folder))}"
    if interruption.code is None:
        print(f"{finished} of {len(states)} jobs are finished; run the others again: {again}",
              file=sys.stderr)  # fmt: skip
        return SOME
    print(f"stopped; {finished} of {len(states)} jobs are finished; go on: {again}",
          file=sys.stderr)  # fmt: skip
    return interruption.code


def _tell_failures(sweep: Sweep) -> None:
    settings = swept_settings([job.overrides for job in sweep.jobs])
    for number, state in enumerate(sweep.states):
        if state.status in ("failed", "timed out"):
            print(f"{settings[number]}: {state.status} (exit code {state.code}); its log:"
                  f" {sweep.job(number).log}", file=sys.stderr)  # fmt: skip
            for line in state.tail:
                print(f"    {line}", file=sys.stderr)


def _rank(folder: Path) -> None:
    from emotion.leaderboards.leaderboard import write_leaderboard  # it draws: slow to import

    print(write_leaderboard(folder).table())
    print(f"leaderboard: {folder / 'leaderboard.csv'} (.md, .png)")
