"""The learning rate at each step, against formulas by hand and torch's own plateau."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

from emotion.errors import ConfigError
from emotion.training.schedules import Plateau, RateSchedule

SCORES = st.lists(st.one_of(st.sampled_from([0.1, 0.5, 0.9]), st.floats(0, 1)), max_size=40)


def optimizer(rate: float = 1.0) -> SGD:
    return SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def schedule(shape: str, warmup: float = 0, patience: int = 3) -> RateSchedule:
    return RateSchedule(shape, warmup, Plateau("min", 0.1, patience))


def rates(shape: str, total: int, warmup: int) -> list[float]:
    made = schedule(shape)
    return [made.factor(step, warmup, total) for step in range(total)]


@pytest.mark.parametrize("shape", ["constant", "plateau"])
def test_a_constant_schedule_keeps_the_rate_and_so_does_a_plateau_at_first(shape: str) -> None:
    assert rates(shape, 10, 0) == [1.0] * 10


def test_a_cosine_schedule_rises_then_falls_to_zero() -> None:
    values = rates("cosine", 100, 10)
    assert values[:10] == pytest.approx([(k + 1) / 11 for k in range(10)])
    assert values[10] == 1.0
    assert values[55] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(values[10:]))
    assert schedule("cosine").factor(100, 10, 100) == pytest.approx(0.0)


@pytest.mark.parametrize("shape", ["constant", "cosine", "plateau"])
def test_warm_up_takes_its_share_of_the_steps(shape: str) -> None:
    made = optimizer(2.0)
    scheduler = schedule(shape, warmup=0.5).scheduler(made, total=40, epochs=4)
    seen = []
    for _ in range(7):
        seen.append(made.param_groups[0]["lr"])
        made.step()
        scheduler.step()
    assert seen[:6] == pytest.approx([2 * (k + 1) / 6 for k in range(5)] + [2])


@given(scores=SCORES, patience=st.integers(0, 4), mode=st.sampled_from(["min", "max"]))
def test_a_plateau_lowers_the_rate_when_torchs_does(
    scores: list[float], patience: int, mode: Any
) -> None:
    theirs, ours = optimizer(), optimizer()
    reference = ReduceLROnPlateau(
        theirs, mode, factor=0.5, patience=patience, threshold=0, eps=0, min_lr=0
    )
    made = RateSchedule("plateau", 0, Plateau(mode, 0.5, patience))
    scheduler = made.scheduler(ours, total=1000, epochs=len(scores) or 1)
    for score in scores:
        for _ in range(3):
            ours.step()
            scheduler.step()
        made.end_epoch(scheduler, score)
        reference.step(score)
        # At once, and not only when the next step has been taken.
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]


def test_epochs_without_a_number_are_no_better() -> None:
    plateau = Plateau("max", 0.1, 1)
    for score in (0.5, float("nan"), float("nan")):
        plateau.step(score)
    assert plateau.factor == pytest.approx(0.1)


@given(scores=SCORES, cut=st.integers(0, 40))
def test_a_plateau_goes_on_from_its_state(scores: list[float], cut: int) -> None:
    whole, first, second = (Plateau("min", 0.5, 1) for _ in range(3))
    for score in scores:
        whole.step(score)
    for score in scores[:cut]:
        first.step(score)
    second.load_state_dict(first.state_dict())
    for score in scores[cut:]:
        second.step(score)
    assert second.state_dict() == whole.state_dict()


@pytest.mark.parametrize("shape", ["constant", "cosine"])
def test_scores_do_not_move_other_schedules(shape: str) -> None:
    made, moved = schedule(shape, patience=0), optimizer()
    scheduler = made.scheduler(moved, total=10, epochs=1)
    for _ in range(4):
        made.end_epoch(scheduler, 1.0)
    assert moved.param_groups[0]["lr"] == 1.0


@pytest.mark.parametrize(
    ("shape", "warmup", "mode", "factor", "patience", "text"),
    [
        ("linear", 0, "min", 0.1, 3, "schedule: expected constant, cosine or plateau, got 'linear"),
        ("cosine", -1, "min", 0.1, 3, "warmup_epochs: expected 0 or more, got -1"),
        ("cosine", "a", "min", 0.1, 3, "warmup_epochs: expected 0 or more, got a"),
        ("cosine", float("inf"), "min", 0.1, 3, "warmup_epochs: expected 0 or more, got inf"),
        ("plateau", 0, "least", 0.1, 3, "mode: expected min or max, got least"),
        ("plateau", 0, "min", 1, 3, "plateau_factor: expected above 0 and below 1, .*; got 1"),
        ("plateau", 0, "min", 0, 3, "plateau_factor: expected above 0 and below 1, .*; got 0"),
        ("plateau", 0, "min", None, 3, "plateau_factor: expected above 0 .*; got None"),
        ("plateau", 0, "min", 0.1, -1, "plateau_patience: expected a whole number from 0, got -1"),
        ("plateau", 0, "min", 0.1, 1.5, "plateau_patience: expected a whole number .* got 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(
    shape: str, warmup: Any, mode: str, factor: Any, patience: Any, text: str
) -> None:
    with pytest.raises(ConfigError, match=rf"^model\.{text}"):
        RateSchedule(shape, warmup, Plateau(mode, factor, patience))
