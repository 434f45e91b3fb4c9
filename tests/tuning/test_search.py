import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from tests.tuning.quick_training import StepJob, toy_score

from emotion.errors import EmotionError
from emotion.experiments.jobs import JobEnd
from emotion.interruption import Interruption
from emotion.tuning.record import open_folder
from emotion.tuning.running_trial import TrialEnd
from emotion.tuning.search import Search, find_best
from emotion.tuning.settings import SearchSettings, Training, read_settings
from emotion.tuning.trials import TrialStore


class Tuner:
    """A search over toy trainings in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **behaviour: float) -> None:
        self.folder = folder / "search"
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        (self.data / "behaviour.json").write_text(json.dumps(behaviour))
        self.settings: SearchSettings = read_settings(["tune=small", *arguments])
        self.training = Training((f"data.root={self.data}",), {}, "val/loss", "min")
        self.store = TrialStore(self.folder, self.settings, "min")
        self.broken: str | None = None

    def run(self, interruption: Interruption | None = None) -> list[TrialEnd]:
        return list(self.ends(interruption or Interruption()))

    def ends(self, interruption: Interruption) -> Iterator[TrialEnd]:
        places: list[dict[str, str]] = [{} for _ in range(self.settings.jobs)]
        search = Search(self.store, self.settings, self.training, places)
        yield from search.run(interruption)
        self.broken = search.broken

    def starts(self, number: int) -> list[int]:
        """Lists the epochs with which a trial was begun, and gone on with."""
        lines = (self.folder / str(number) / "starts.txt").read_text().split()
        return [int(line) for line in lines]

    def record(self, number: int) -> Any:
        return json.loads((self.folder / str(number) / "run.json").read_text())


@pytest.fixture
def tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tuner]]:
    monkeypatch.setattr("emotion.tuning.running_trial.RunningJob", StepJob)
    monkeypatch.setattr(StepJob, "most", 0)
    monkeypatch.setattr("emotion.tuning.search.PAUSE", 0)
    made: list[Tuner] = []

    def make(*arguments: str, **behaviour: float) -> Tuner:
        made.append(Tuner(tmp_path, *arguments, **behaviour))
        return made[-1]

    yield make
    for item in made:
        item.store.close()


def _rows(folder: Path) -> list[str]:
    path = folder / "epochs.csv"
    return path.read_text().splitlines()[1:] if path.exists() else []


def values(ends: list[TrialEnd]) -> list[tuple[str, ...]]:
    return [end.values for end in sorted(ends, key=lambda end: end.number)]


def test_tpe_finds_better_and_an_interrupted_search_draws_the_same(
    tuner: Callable[..., Tuner], tmp_path: Path
) -> None:
    whole = tuner("tune.trials=7", "tune.pruner=null", "tune.seed=3")
    ends = whole.run()
    assert [(end.number, end.outcome) for end in ends] == [(n, "finished") for n in range(7)]
    drawn = [dict(item.split("=") for item in end.values) for end in ends]
    expected = [
        toy_score(float(item["model.optimizer.lr"]), float(item["model.dropout"])) for item in drawn
    ]
    assert [end.score for end in ends] == expected
    assert min(expected[3:]) < min(expected[:3])  # the first three are random
    best = find_best(whole.store, whole.settings, whole.training)
    assert best is not None
    assert best.score == min(expected)
    assert best.number == expected.index(min(expected))
    assert best.command.endswith(" ".join(ends[best.number].values))
    assert best.checkpoint == whole.folder / str(best.number) / "checkpoints/epoch_004.ckpt"

    (tmp_path / "again").mkdir()
    parts = Tuner(tmp_path / "again", "tune.trials=4", "tune.pruner=null", "tune.seed=3")
    more = Tuner(tmp_path / "again", "tune.trials=7", "tune.pruner=null", "tune.seed=3")
    try:
        first, second = parts.run(), more.run()
    finally:
        parts.store.close()
        more.store.close()
    assert [len(first), len(second)] == [4, 3]
    assert values(first + second) == values(ends)


def test_bad_trials_are_pruned_and_say_so(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=8", "tune.sampler=random")
    ends = search.run()
    pruned = [end for end in ends if end.outcome == "pruned"]
    assert pruned
    for end in pruned:
        assert end.epoch is not None
        assert end.epoch > 2  # the warm-up
        assert end.reason == f"pruned at epoch {end.epoch}"
        trial = search.store.trials()[end.number]
        assert trial.state == TrialState.PRUNED
        assert trial.user_attrs["reason"] == end.reason
        assert trial.value == end.score
        assert search.record(end.number)["status"] == "stopped"
        assert search.record(end.number)["reason"] == end.reason
    # The rule itself, told from the scores that are kept: the median of those that finished.
    first = pruned[0]
    at = first.epoch
    before = [item for item in search.store.trials()[: first.number] if item.state.value == 1]
    others = sorted(item.intermediate_values[at] for item in before if at is not None)
    middle = len(others) // 2
    median = others[middle] if len(others) % 2 else (others[middle - 1] + others[middle]) / 2
    mine = search.store.trials()[first.number].intermediate_values
    assert min(mine.values()) > median


def test_a_failed_trial_is_kept_and_the_others_go_on(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=8", "tune.sampler=random", "tune.pruner=null", fails_above=2e-3)
    ends = search.run()
    assert len(ends) == 8
    failed = [end for end in ends if end.outcome == "failed"]
    assert 0 < len(failed) == search.store.failed() < 8
    assert failed[0].reason == "the learning rate is too high"
    assert failed[0].tail == ("a line of the log", "the learning rate is too high")
    assert search.store.trials()[failed[0].number].user_attrs["log"] == list(failed[0].tail)
    assert search.broken is None
    assert tuner("tune.trials=8", "tune.sampler=random", "tune.pruner=null").run() == []


def test_failures_in_a_row_end_the_search(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=9", fails_above=0.0)
    assert [end.outcome for end in search.run()] == ["failed"] * 3
    expected = "3 trials in a row failed, the last one: the learning rate is too high"
    assert search.broken == expected
    assert search.store.best() is None
    assert find_best(search.store, search.settings, search.training) is None


def test_a_score_that_is_no_number_fails_the_trial(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=1", nan_above=0.0)
    (end,) = search.run()
    assert (end.outcome, end.reason) == ("failed", "epoch 2: val/loss is not a number")
    assert search.record(0)["status"] == "failed"
    assert search.record(0)["reason"] == end.reason


def test_a_spoilt_table_of_scores_fails_the_trial(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=1")
    claim = search.store.claim()
    assert claim is not None
    claim.free()
    (search.folder / "0").mkdir()
    (search.folder / "0" / "epochs.csv").write_text("epoch,val/accuracy\n1.0,0.5\n")
    (end,) = search.run()
    assert end.outcome == "failed"
    assert str(end.reason).endswith("epochs.csv: no scores of val/loss can be read ('val/loss')")


def test_a_signal_stops_the_trial_which_is_continued(
    tuner: Callable[..., Tuner], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Signalled(StepJob):
        def poll(self) -> JobEnd | None:
            if self.job.folder.name == "1" and len(_rows(self.job.folder)) == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().poll()

    monkeypatch.setattr("emotion.tuning.running_trial.RunningJob", Signalled)
    search = tuner("tune.trials=3", "tune.pruner=null")
    ends: list[TrialEnd] = []
    with Interruption() as interruption:
        for end in search.ends(interruption):
            ends.append(end)
    assert [(end.number, end.outcome) for end in ends] == [(0, "finished"), (1, "stopped")]
    assert interruption.code == 143
    assert search.store.ended() == 1
    assert search.starts(1) == [1]
    assert search.record(1)["status"] == "stopped"
    monkeypatch.setattr("emotion.tuning.running_trial.RunningJob", StepJob)
    again = tuner("tune.trials=3", "tune.pruner=null")
    assert [(end.number, end.outcome) for end in again.run()] == [(1, "finished"), (2, "finished")]
    assert values(ends[1:])[0] == tuple(
        item.override(again.store.trials()[1].params[item.setting])
        for item in again.settings.ranges
    )
    assert search.starts(1) == [1, 4]  # the third was still under way
    assert len(again.store.trials()) == 3


def test_a_trial_that_is_to_be_pruned_is_not_started_again(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=2", "tune.pruner.startup_trials=1", "tune.pruner.warmup_epochs=0")
    search.run()
    claims = tuner("tune.trials=3", "tune.pruner.startup_trials=1", "tune.pruner.warmup_epochs=0")
    claim = claims.store.claim()  # a worker that dies before it tells
    assert claim is not None
    claim.free()
    folder = claims.folder / "2"
    folder.mkdir()
    (folder / "epochs.csv").write_text("epoch,val/loss\n1.0,99.0\n")
    (end,) = claims.run()
    assert (end.number, end.reason, end.score) == (2, "pruned at epoch 1", 99.0)
    assert not (folder / "starts.txt").exists()


def test_two_workers_share_the_trials_out(tuner: Callable[..., Tuner]) -> None:
    workers = [tuner("tune.trials=7", "tune.pruner=null") for _ in range(2)]
    ends: list[list[TrialEnd]] = [[], []]
    threads = [
        threading.Thread(target=lambda place, item: place.extend(item.run()), args=pair)
        for pair in zip(ends, workers, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(end.number for end in ends[0] + ends[1]) == list(range(7))
    assert all(ends), "one of the workers did nothing"
    assert len(set(values(ends[0] + ends[1]))) == 7
    assert workers[0].store.ended() == 7
    assert [path.name for path in (workers[0].folder / "locks").glob("[0-9]*")] == []


def test_one_worker_runs_several_at_once(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=5", "tune.jobs=2", "tune.pruner=null")
    ends = search.run()
    assert sorted(end.number for end in ends) == list(range(5))
    assert StepJob.most == 2


def test_no_trial_begins_after_the_time_is_over(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=50", "tune.timeout=1e-6")
    assert search.run() == []
    assert search.store.trials() == []


def test_another_search_is_refused(tmp_path: Path) -> None:
    def note(*arguments: str, **config: int) -> None:
        training = Training(("data.root=x",), {"input": dict(config)}, "val/loss", "min")
        open_folder(tmp_path, read_settings(arguments), training)

    note(size=64)
    note("tune.trials=3", "tune.jobs=2", size=64)
    with pytest.raises(EmotionError, match=r"another search: search\.seed was 1 and is 2 now"):
        note("tune.seed=2", size=64)
    with pytest.raises(EmotionError, match=r"model\.dropout\.high was 0\.5 and is 0\.4 now"):
        note("tune.ranges.model.dropout.high=0.4", size=64)
    with pytest.raises(EmotionError, match=r"ranges\.model\.dropout was \{.*\} and is nothing now"):
        note("~tune.ranges.model.dropout", size=64)
    with pytest.raises(EmotionError, match=r"training\.input\.size was 64 and is 32 now; take"):
        note(size=32)
    (tmp_path / "tune.json").write_text("{")
    with pytest.raises(EmotionError, match=r"tune\.json: cannot be read"):
        note(size=64)


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    with pytest.raises(EmotionError, match="holds a run; give the search a folder of its own"):
        open_folder(tmp_path, read_settings([]), Training((), {}, "val/loss", "min"))


def test_a_spoilt_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("no database " * 100)
    with pytest.raises(EmotionError, match=r"study\.db: the search cannot be kept there \(file is"):
        TrialStore(tmp_path, read_settings([]), "min")


def test_the_best_trial_that_is_gone_is_named(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=1")
    search.run()
    (search.folder / "0" / "selection.json").unlink()
    with pytest.raises(EmotionError, match=r"selection\.json: trial 0 is no longer whole"):
        find_best(search.store, search.settings, search.training)
