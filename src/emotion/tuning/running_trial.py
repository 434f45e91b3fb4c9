"""A trial that is trained at the moment: a job whose scores are watched and handed on."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from emotion.errors import EmotionError
from emotion.experiments.jobs import Job, JobEnd, RunningJob
from emotion.experiments.records import RunRecord, now, read_record, write_record
from emotion.processes import GRACE
from emotion.tuning.settings import SearchSettings, Training
from emotion.tuning.trials import Claim, Ended

Outcome = Ended | Literal["stopped"]


@dataclass(frozen=True)
class TrialEnd:
    """How a trial ended.

    Attributes:
        number: from 0; also the name of its run folder.
        outcome: "stopped" with the search: it goes on with it.
        values: by setting, as key=value.
        score: of the epoch that is kept, or the last one of a trial that was pruned.
        epoch: of the score.
        seconds: that it ran this time.
        reason: why it was pruned, failed or stopped.
        tail: last lines of the log of a trial that failed.
    """

    number: int
    outcome: Outcome
    values: tuple[str, ...]
    score: float | None
    epoch: int | None
    seconds: float
    reason: str | None = None
    tail: tuple[str, ...] = ()


class RunningTrial:
    """A trial that is trained at the moment.

    Args:
        claim: the trial.
        training: what it repeats.
        settings: of the search.
        folder: of the search.
        place: added to the job's environment.
    """

    def __init__(
        self, claim: Claim, training: Training, settings: SearchSettings, folder: Path,
        place: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.claim, self.place, self._monitor = claim, place, training.monitor
        self.folder = folder / str(claim.number)
        self.values = tuple(item.override(claim.values[item.setting]) for item in settings.ranges)
        self._reported = dict(claim.reported)
        self._verdict: tuple[Outcome, str] | None = self._judge() if claim.continued else None
        self._job: RunningJob | None = None
        if self._verdict is None:
            job = Job((*training.overrides, *self.values), self.folder)
            self._job = RunningJob(job, place)

    def advance(self) -> TrialEnd | None:
        """Hands new scores on and cuts a bad trial short; gives how it ended, or None."""
        end = JobEnd("stopped", 0, 0.0, []) if self._job is None else self._job.poll()
        if self._job is not None and not self._job.asked:
            self._verdict = self._judge(running=end is None)
            if self._verdict is not None:
                self._job.ask()
        return None if end is None else self._conclude(end)

    def ask(self, grace: float = GRACE) -> None:
        """Asks it to end; it is continued another time."""
        if self._job is not None:
            self._job.ask(grace=grace)

    def close(self) -> None:
        """Leaves nothing of it running, and lets other workers go on with it."""
        if self._job is not None:
            self._job.__exit__()
        self.claim.free()

    def _judge(self, running: bool = True) -> tuple[Outcome, str] | None:
        try:
            scores = _scores(self.folder / "epochs.csv", self._monitor)
        except EmotionError as error:  # the other trials go on
            return "failed", str(error)
        for epoch, score in scores:
            if epoch in self._reported:
                continue
            self._reported[epoch] = score
            if not math.isfinite(score):
                return "failed", f"epoch {epoch}: {self._monitor} is not a number"
            self.claim.report(score, epoch)
            if running and self.claim.should_prune():
                return "pruned", f"pruned at epoch {epoch}"
        return None

    def _conclude(self, end: JobEnd) -> TrialEnd:
        if end.ending == "finished" and (self._verdict is None or self._verdict[0] == "pruned"):
            return self._finish(end)
        if self._verdict is None and end.ending == "stopped":
            reason = "stopped; the same command goes on with it"
            return TrialEnd(
                self.claim.number, "stopped", self.values, None, None, end.seconds, reason
            )
        outcome, reason = self._verdict or ("failed", self._why(end))
        if outcome == "pruned":
            return self._tell("pruned", end, *self._last(), reason)
        return self._tell("failed", end, None, None, reason)

    def _finish(self, end: JobEnd) -> TrialEnd:
        path = self.folder / "selection.json"
        try:
            chosen = json.loads(path.read_bytes())
            score, epoch = float(chosen["score"]), int(chosen["epoch"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            return self._tell("failed", end, None, None, f"{path}: no score ({error})")
        if chosen.get("monitor") != self._monitor or not math.isfinite(score):
            return self._tell("failed", end, None, None, f"{path}: no {self._monitor}")
        return self._tell("finished", end, score, epoch, None)

    def _last(self) -> tuple[float, int]:
        epoch = max(self._reported)
        return self._reported[epoch], epoch

    def _why(self, end: JobEnd) -> str:
        record = read_record(self.folder)
        if record is not None and record.status == "failed" and record.reason:
            return record.reason
        return end.tail[-1] if end.tail else f"exit code {end.code}"

    def _tell(
        self, outcome: Ended, end: JobEnd, score: float | None, epoch: int | None,
        reason: str | None,
    ) -> TrialEnd:  # fmt: skip
        tail = end.tail if outcome == "failed" else []
        if reason is not None:
            self._note("stopped" if outcome == "pruned" else "failed", reason, end.seconds)
        self.claim.tell(outcome, score, {"epoch": epoch, "reason": reason, "log": tail or None})
        return TrialEnd(
            self.claim.number, outcome, self.values, score, epoch, end.seconds, reason, tuple(tail)
        )

    def _note(self, status: Literal["stopped", "failed"], reason: str, seconds: float) -> None:
        """Writes into run.json what the training could not know, or was killed before it said."""
        record = read_record(self.folder)
        if record is None and self._job is not None:
            command = ["emotion", *self._job.job.command()[3:]]
            record = RunRecord(command, status, now(), seconds)
        if record is not None:
            write_record(self.folder, replace(record, status=status, reason=reason))


def _scores(path: Path, monitor: str) -> list[tuple[int, float]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        return [(int(float(row["epoch"])), float(row[monitor])) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmotionError(f"{path}: no scores of {monitor} can be read ({error})") from error
