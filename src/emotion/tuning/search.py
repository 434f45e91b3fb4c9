"""A search: trials one after the other or several at once, until there are as many as wanted."""

import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emotion.errors import EmotionError
from emotion.interruption import Interruption
from emotion.processes import GRACE
from emotion.tuning.running_trial import RunningTrial, TrialEnd
from emotion.tuning.settings import SearchSettings, Training
from emotion.tuning.trials import TrialStore

PAUSE = 0.2  # seconds between two looks at the running trials


class Search:
    """Runs trials until there are as many as wanted.

    Args:
        store: the trials.
        settings: of the search.
        training: what each trial repeats.
        places: what is added to the environment of a trial there; so many run at once.

    Attributes:
        broken: why the search was given up, or None.
    """

    def __init__(
        self, store: TrialStore, settings: SearchSettings, training: Training,
        places: list[dict[str, str]],
    ) -> None:  # fmt: skip
        self._store, self._settings, self._training = store, settings, training
        self._free = list(places)
        self._running: list[RunningTrial] = []
        self._failed = 0  # in a row
        self._started = time.monotonic()
        self.broken: str | None = None

    def run(self, interruption: Interruption) -> Iterator[TrialEnd]:
        """Yields how each trial ended.

        Args:
            interruption: once a signal is noted, the running trials write a checkpoint and end; at
                the second they are killed.

        Raises:
            EmotionError: the database, or a trial's scores, can no longer be read or written.
        """
        none_left = False
        try:
            while True:
                while self._free and not none_left and self._may_begin(interruption):
                    none_left = not self._begin()
                if not self._running:
                    return
                if interruption.count:
                    self._ask(GRACE if interruption.count == 1 else 0.0)
                for end in self._collect():
                    none_left = False  # another worker's trial may have become free by now
                    yield end
                if self._running:
                    time.sleep(PAUSE)
        finally:  # whatever happens, none lives on
            for trial in self._running:
                trial.close()

    def _may_begin(self, interruption: Interruption) -> bool:
        limit = self._settings.timeout
        late = limit is not None and time.monotonic() - self._started >= limit
        return not (interruption.count or late or self.broken)

    def _begin(self) -> bool:
        with self._store.guarded():
            claim = self._store.claim()
        if claim is None:
            return False
        try:
            with self._store.guarded():
                trial = RunningTrial(
                    claim, self._training, self._settings, self._store.folder, self._free[0]
                )
        except BaseException:
            claim.free()
            raise
        self._free.pop(0)
        self._running.append(trial)
        return True

    def _ask(self, grace: float) -> None:
        for trial in self._running:
            trial.ask(grace)

    def _collect(self) -> Iterator[TrialEnd]:
        for trial in list(self._running):
            with self._store.guarded():
                end = trial.advance()
            if end is None:
                continue
            self._running.remove(trial)
            self._free.append(trial.place)  # type: ignore[arg-type]
            trial.close()
            self._count(end)
            yield end

    def _count(self, end: TrialEnd) -> None:
        self._failed = self._failed + 1 if end.outcome == "failed" else 0
        if self._failed >= self._settings.failures:
            self.broken = f"{self._failed} trials in a row failed, the last one: {end.reason}"


@dataclass(frozen=True)
class Best:
    """The best trial of a search.

    Attributes:
        number: of the trial.
        score: of the epoch that is kept.
        epoch: that epoch.
        command: what trains with its values again.
        checkpoint: of the epoch that is kept.
    """

    number: int
    score: float
    epoch: int
    command: str
    checkpoint: Path


def find_best(store: TrialStore, settings: SearchSettings, training: Training) -> Best | None:
    """Finds the best trial; None where none was trained to its end.

    Raises:
        EmotionError: its run folder is gone or spoilt.
    """
    best = store.best()
    if best is None:
        return None
    values = [item.override(best.params[item.setting]) for item in settings.ranges]
    path = store.folder / str(best.number) / "selection.json"
    try:
        chosen = json.loads(path.read_bytes())
        checkpoint = path.parent / chosen["checkpoint"]
        epoch = int(chosen["epoch"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EmotionError(f"{path}: trial {best.number} is no longer whole ({error})") from error
    command = shlex.join(["emotion", "train", *training.overrides, *values])
    return Best(best.number, float(best.value or 0.0), epoch, command, checkpoint)
