"""Averaging over time: its laws, and that the frame rate does not change it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.inference.videos.smoothing import Smoother

NAMES = ("neutral", "anger", "smile")
SAD, GLAD = {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}

rows = st.lists(st.floats(0.001, 1), min_size=3, max_size=3).map(
    lambda values: dict(zip(NAMES, (np.array(values) / sum(values)).tolist(), strict=True))
)
steps = st.lists(st.floats(0.001, 5), min_size=1, max_size=10)
constants = st.floats(0.01, 10)


def test_after_one_time_constant_a_change_is_followed_by_63_percent() -> None:
    smoother = Smoother(0.5)
    assert smoother.smooth(1, SAD, 0.0) == SAD
    assert smoother.smooth(1, GLAD, 0.5)["b"] == pytest.approx(1 - 1 / math.e)


@pytest.mark.parametrize("rate", [1, 7, 25, 240])
def test_a_change_is_followed_as_fast_at_any_frame_rate(rate: int) -> None:
    smoother = Smoother(0.5)
    smoother.smooth(1, SAD, 0.0)
    for frame in range(1, 2 * rate + 1):
        values = smoother.smooth(1, GLAD, frame / rate)
        assert values["b"] == pytest.approx(1 - math.exp(-frame / rate / 0.5))


def test_a_moving_signal_is_averaged_alike_at_different_frame_rates() -> None:
    ends = []
    for rate in (25, 50, 100):
        smoother = Smoother(0.5)
        for frame in range(4 * rate + 1):
            share = 0.5 + 0.5 * math.sin(2 * frame / rate)
            values = smoother.smooth(1, {"a": share, "b": 1 - share}, frame / rate)
        ends.append(values["a"])
    assert ends == pytest.approx([ends[-1]] * 3, abs=0.02)


def test_faces_have_nothing_to_do_with_one_another() -> None:
    smoother = Smoother(0.5)
    smoother.smooth(1, SAD, 0.0)
    assert smoother.smooth(2, GLAD, 0.1) == GLAD


@given(rows, steps, constants)
def test_what_stays_stays(row: dict[str, float], gaps: list[float], constant: float) -> None:
    smoother = Smoother(constant)
    for time in np.cumsum([0, *gaps]):
        assert smoother.smooth(1, row, float(time)) == pytest.approx(row)


@given(st.lists(rows, min_size=1, max_size=10), constants, st.floats(0.001, 5))
def test_averages_are_probabilities_in_the_order_of_the_classes(
    values: list[dict[str, float]], constant: float, step: float
) -> None:
    smoother = Smoother(constant)
    for place, row in enumerate(values):
        smooth = smoother.smooth(1, row, place * step)
        assert list(smooth) == list(NAMES)
        assert sum(smooth.values()) == pytest.approx(1)
        seen = values[: place + 1]
        for name in NAMES:
            least, most = min(r[name] for r in seen), max(r[name] for r in seen)
            assert least - 1e-9 <= smooth[name] <= most + 1e-9


@given(st.lists(rows, min_size=1, max_size=5), st.floats(0.001, 5))
def test_no_time_constant_leaves_the_values(values: list[dict[str, float]], step: float) -> None:
    smoother = Smoother(0)
    for place, row in enumerate(values):
        assert smoother.smooth(1, row, place * step) == row


def test_forgetting_a_face_that_left_changes_nothing() -> None:
    smoother = Smoother(0.5)
    for number in range(1000):
        smoother.smooth(number, SAD, float(number))
    assert len(smoother._states) <= 21
    assert smoother.smooth(3, GLAD, 1000.0) == GLAD


@pytest.mark.parametrize("constant", [-0.1, math.nan, math.inf])
def test_a_time_constant_that_makes_no_sense_is_refused(constant: float) -> None:
    with pytest.raises(ValueError, match="expected seconds"):
        Smoother(constant)
