"""Which epoch was kept: found by hand in small cases, and read in the original's curves."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.evaluation.learning.learning import Learning, learning_of
from emotion.training.selection import Mode

NAN = math.nan


def learn(
    train: Sequence[float], val: Sequence[float], monitor: str = "val/loss", mode: Mode = "min"
) -> Learning:
    return learning_of({"train/loss": train, "val/loss": val}, monitor, mode)


def test_the_epochs_that_matter_are_found() -> None:
    found = learn([3, 2, 1, 0.5], [3, 1, 2, 1.5])
    assert found.selection.epoch == 2
    assert found.loss is not None
    assert found.loss.no_better_from == 3
    assert (found.kept.train, found.kept.val, found.kept.gap) == (2, 1, -1)
    assert (found.end.epoch, found.end.train, found.end.val, found.end.gap) == (4, 0.5, 1.5, 1)
    assert found.lowest == found.kept
    assert [curve.name for curve in found.curves] == ["loss"]


def test_a_score_that_is_no_loss_is_kept_beside_the_loss() -> None:
    columns = {
        **{"train/loss": [3.0, 2.0, 1.0], "val/loss": [3.0, 2.0, 2.5]},
        **{"train/balanced_accuracy": [0.2, 0.4, 0.9], "val/balanced_accuracy": [0.2, 0.3, 0.4]},
    }
    found = learning_of(columns, "val/balanced_accuracy", "max", evaluated=2)
    assert found.loss is not None
    assert found.lowest is not None
    assert (found.selection.epoch, found.loss.epoch, found.lowest.epoch) == (3, 2, 2)
    assert found.evaluated == 2
    assert [curve.name for curve in found.curves] == ["loss", "balanced accuracy"]
    assert found.curves[1].train == [0.2, 0.4, 0.9]
    assert learning_of(columns, "val/balanced_accuracy", "max", evaluated=3).evaluated is None


def test_what_was_not_measured_is_none() -> None:
    found = learning_of({"val/accuracy": [0.1, 0.3]}, "val/accuracy", "max")
    assert (found.loss, found.lowest, found.end.val, found.end.gap) == (None, None, None, None)
    found = learn([1, 2, 3], [NAN, 2, NAN])
    assert found.loss is not None
    assert (found.loss.epoch, found.end.val, found.end.gap) == (2, None, None)
    with pytest.raises(ValueError, match="one epoch at least"):
        learn([1.0], [NAN])


def test_plain_values_are_for_json() -> None:
    content = learn([3, 2, 1], [3, 1, 2]).to_dict()
    assert content["selection"]["epoch"] == 2
    assert content["kept"] == {"epoch": 2, "train": 2, "val": 1, "gap": -1}
    assert content["loss"]["no_better_from"] == 3


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30))
def test_no_loss_after_that_epoch_is_lower(losses: list[float]) -> None:
    found = learn(losses, losses).loss
    assert found is not None
    lowest = min(losses)
    assert losses[found.epoch - 1] == lowest
    assert all(value > lowest for value in losses[: found.epoch - 1])
    assert (found.no_better_from is None) == (found.epoch == len(losses))
