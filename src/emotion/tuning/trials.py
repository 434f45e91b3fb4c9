"""The trials of a search on disk: an Optuna study in SQLite that several workers share.

A worker holds a file lock on each trial that it runs. Those of a worker that was killed are free at
once, and whoever claims next goes on with its trials: same number, same values, same folder.
Optuna's own heartbeats work only inside `Study.optimize`, and find such trials after minutes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from filelock import FileLock, Timeout
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from emotion.errors import EmotionError
from emotion.experiments.overrides import Value
from emotion.tuning.settings import SearchSettings
from emotion.tuning.space import Range

STUDY = "emotion"
DATABASE = "study.db"
WAIT = 60  # seconds that a worker waits for another that writes
Ended = Literal["finished", "pruned", "failed"]
STATES: dict[Ended, TrialState] = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class Claim:
    """A trial that this worker alone may run.

    Args:
        trial: Optuna's.
        values: by setting.
        lock: held as long as we run it.
        study_lock: held while the study is written to.
        continued: whether another worker, or this one before, has begun it.

    Attributes:
        number: of the trial, from 0.
        reported: by epoch, the scores that are known of it.
    """

    def __init__(
        self,
        trial: optuna.Trial,
        values: dict[str, Value],
        lock: FileLock,
        study_lock: FileLock,
        continued: bool,
    ) -> None:
        self._trial, self._lock, self._study_lock = trial, lock, study_lock
        self.number, self.values, self.continued = trial.number, values, continued
        known = trial.study.get_trials(deepcopy=False)[trial.number]
        self.reported: dict[int, float] = dict(known.intermediate_values)

    def report(self, score: float, epoch: int) -> None:
        """Keeps the score of an epoch, counted from 1."""
        self._trial.report(score, epoch)

    def should_prune(self) -> bool:
        """Tells whether the last score reported is so bad that the trial is best ended."""
        return self._trial.should_prune()

    def tell(self, outcome: Ended, score: float | None, notes: Mapping[str, Any]) -> None:
        """Keeps how the trial ended.

        Args:
            outcome: a pruned trial keeps the last score reported, a failed one has none.
            score: of a finished one.
            notes: kept with it; None for those that there are not.
        """
        for name, note in notes.items():
            if note is not None:
                self._trial.set_user_attr(name, note)
        value = score if outcome == "finished" else None
        with self._study_lock:  # or who claims now might still take it for one that runs
            self._trial.study.tell(self.number, value, state=STATES[outcome])
            Path(self._lock.lock_file).unlink(missing_ok=True)  # nobody will ask for it again

    def free(self) -> None:
        """Lets others go on with it, unless it has ended."""
        self._lock.release()


class TrialStore:
    """The trials of one search.

    Args:
        folder: of the search; made if need be.
        settings: of the search.
        mode: "min" or "max": which scores are better.

    Raises:
        EmotionError: the database cannot be opened.
    """

    def __init__(self, folder: Path, settings: SearchSettings, mode: str) -> None:
        self.folder, self._settings = folder, settings
        self._path = folder / DATABASE
        self._locks = folder / "locks"
        self._locks.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._locks / "study.lock")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self.guarded(), self._lock:
            self._storage = optuna.storages.RDBStorage(
                f"sqlite:///{self._path}", engine_kwargs={"connect_args": {"timeout": WAIT}}
            )
            self.study = optuna.create_study(
                storage=self._storage,
                pruner=_pruner(settings.pruner),
                study_name=STUDY,
                direction="minimize" if mode == "min" else "maximize",
                load_if_exists=True,
            )

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turns errors of the database into ours.

        Raises:
            EmotionError: says what is wrong with the database.
        """
        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            cause = error.__cause__ or error
            text = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
            raise EmotionError(
                f"{self._path}: the search cannot be kept there ({text}); the same command goes on"
                " once that is mended"
            ) from error

    def close(self) -> None:
        """Closes the database."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def trials(self) -> list[FrozenTrial]:
        """Lists all trials, in order."""
        with self.guarded():
            return self.study.get_trials(deepcopy=False)

    def ended(self) -> int:
        """Counts the trials that have ended, however they did."""
        return sum(item.state.is_finished() for item in self.trials())

    def failed(self) -> int:
        """Counts the trials that failed."""
        return sum(item.state == TrialState.FAIL for item in self.trials())

    def best(self) -> FrozenTrial | None:
        """Gives the trial with the best score among those that were trained to their end.

        Of equally good ones it is the first.
        """
        done = [item for item in self.trials() if item.state == TrialState.COMPLETE]
        sign = -1 if self.study.direction == optuna.study.StudyDirection.MAXIMIZE else 1
        return min(
            done, key=lambda item: (sign * float(item.value or 0.0), item.number), default=None
        )

    def claim(self) -> Claim | None:
        """Takes a trial that nobody runs: one that was begun, or a new one.

        Returns:
            None where all that are wanted have ended or are run by others.
        """
        with self._lock:  # one worker at a time: numbers, and how many there are, stay exact
            trials = self.trials()
            for item in trials:
                lock = None if item.state.is_finished() else self._take(item.number)
                if lock is not None:
                    self._draw_for(item.number)
                    return self._claim(optuna.Trial(self.study, item._trial_id), lock, True)
            if len(trials) >= self._settings.trials:
                return None
            lock = self._take(len(trials))
            assert lock is not None, f"trial {len(trials)} is locked before it exists"
            self._draw_for(len(trials))
            return self._claim(self.study.ask(), lock, False)

    def _claim(self, trial: optuna.Trial, lock: FileLock, continued: bool) -> Claim:
        # What was drawn already is given again; a worker may have died in between.
        values = {
            item.setting: _suggest(trial, item.setting, _distribution(item))
            for item in self._settings.ranges
        }
        return Claim(trial, values, lock, self._lock, continued)

    def _draw_for(self, number: int) -> None:
        self.study.sampler = _sampler(self._settings, number)

    def _take(self, number: int) -> FileLock | None:
        lock = FileLock(self._locks / f"{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Value:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        low, high, step = distribution.low, distribution.high, distribution.step
        return trial.suggest_int(name, low, high, step=step, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(
        name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
    )


def _distribution(item: Range) -> BaseDistribution:
    if item.choices:
        return CategoricalDistribution(item.choices)
    if item.whole:
        return IntDistribution(
            int(item.low),
            int(item.high),
            log=item.log,
            step=1 if item.step is None else int(item.step),
        )
    return FloatDistribution(float(item.low), float(item.high), log=item.log, step=item.step)


def _sampler(settings: SearchSettings, number: int) -> BaseSampler:
    # A seed of its own for each trial: a search that is continued, or a second worker, would
    # otherwise draw the first trials' values again.
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    if settings.sampler == "random":
        return RandomSampler(seed=seed)
    # constant_liar: those that still run count as bad, so that workers do not draw the same
    return TPESampler(n_startup_trials=settings.startup_trials, seed=seed, constant_liar=True)


def _pruner(settings: dict[str, int] | None) -> BasePruner:
    if settings is None:
        return NopPruner()
    # Optuna's warm-up ends before the step that it names; ours is still part of it.
    return MedianPruner(
        n_startup_trials=settings["startup_trials"], n_warmup_steps=settings["warmup_epochs"] + 1
    )
