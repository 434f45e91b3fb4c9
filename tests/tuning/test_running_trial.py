from collections.abc import Callable

import pytest
from optuna.trial import TrialState
from tests.tuning.quick_training import StepJob
from tests.tuning.toy_search import Tuner

from emotion.experiments.jobs import JobEnd
from emotion.tuning.running_trial import RunningTrial


@pytest.mark.slow
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


class ForgetfulJob(StepJob):
    """Finishes with a selection.json that a test has chosen."""

    content = ""

    def poll(self) -> JobEnd | None:
        end = super().poll()
        if end is not None:
            (self.job.folder / "selection.json").write_text(self.content)
        return end


def test_a_trial_that_finished_without_a_score_failed(
    tuner: Callable[..., Tuner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion.tuning.running_trial.RunningJob", ForgetfulJob)
    search = tuner("tune.trials=9", "tune.pruner=null", "tune.failures=9")
    for content, reason in (
        ("{", "selection.json: no score ("),
        ('{"monitor": "val/accuracy", "score": 0.5, "epoch": 1}', "selection.json: no val/loss"),
        ('{"monitor": "val/loss", "score": NaN, "epoch": 1}', "selection.json: no val/loss"),
    ):
        monkeypatch.setattr(ForgetfulJob, "content", content)
        claim = search.store.claim()
        assert claim is not None
        trial = RunningTrial(claim, search.training, search.settings, search.folder, {})
        end = None
        while end is None:
            end = trial.advance()
        trial.close()
        assert (end.outcome, end.score, end.epoch) == ("failed", None, None)
        assert reason in str(end.reason)
        kept = search.store.trials()[claim.number]
        assert (kept.state, kept.value) == (TrialState.FAIL, None)
        assert search.record(claim.number)["status"] == "failed"


def test_a_trial_closed_before_its_end_is_free_for_others(tuner: Callable[..., Tuner]) -> None:
    search = tuner("tune.trials=1", "tune.pruner=null")
    claim = search.store.claim()
    assert claim is not None
    trial = RunningTrial(claim, search.training, search.settings, search.folder, {})
    assert trial.advance() is None
    assert search.store.claim() is None
    trial.close()
    again = search.store.claim()
    assert again is not None
    assert (again.number, again.values, again.continued) == (0, claim.values, True)
    assert list(again.reported) == [1]  # it told of its first epoch
    again.free()
