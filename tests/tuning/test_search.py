import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tuning.quick_training import StepJob, toy_score
from tests.tuning.toy_search import Tuner

from emotion.errors import EmotionError
from emotion.experiments.jobs import JobEnd
from emotion.interruption import Interruption
from emotion.tuning.running_trial import TrialEnd
from emotion.tuning.search import find_best


def _rows(folder: Path) -> list[str]:
    path = folder / "epochs.csv"
    return path.read_text().splitlines()[1:] if path.exists() else []


def values(ends: list[TrialEnd]) -> list[tuple[str, ...]]:
    return [end.values for end in sorted(ends, key=lambda end: end.number)]


@pytest.mark.slow
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


def test_failures_in_a_row_end_the_search(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=9", fails_above=0.0)
    assert [end.outcome for end in search.run()] == ["failed"] * 3
    expected = "3 trials in a row failed, the last one: the learning rate is too high"
    assert search.broken == expected
    assert search.store.best() is None
    assert find_best(search.store, search.settings, search.training) is None


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


@pytest.mark.slow
def test_two_workers_share_the_trials_out(tuner: Callable[..., Tuner]) -> None:
    workers = [tuner("tune.trials=7", "tune.pruner=null") for _ in range(2)]
    ends: list[list[TrialEnd]] = [[], []]
    begun = threading.Barrier(2, timeout=60)  # neither ends them all before the other begins

    def work(place: list[TrialEnd], worker: Tuner) -> None:
        begun.wait()
        for end in worker.ends(Interruption()):
            place.append(end)
            if len(place) == 1:
                begun.wait()

    threads = [threading.Thread(target=work, args=pair) for pair in zip(ends, workers, strict=True)]
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


def test_the_best_trial_that_is_gone_is_named(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=1")
    search.run()
    (search.folder / "0" / "selection.json").unlink()
    with pytest.raises(EmotionError, match=r"selection\.json: trial 0 is no longer whole"):
        find_best(search.store, search.settings, search.training)
