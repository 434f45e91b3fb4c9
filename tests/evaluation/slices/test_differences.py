"""A group against its rest: statsmodels' Newcombe and Holm, and what one draw cannot tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from emotion.evaluation.intervals import Draws, Interval, Units, draw
from emotion.evaluation.slices.differences import (
    AgainstRest,
    accuracy_of,
    against_rest,
    holm,
    p_value,
    square_and_add,
)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def draws_of(groups: NDArray[np.int64], right: NDArray[np.bool_], units: Units) -> Draws:
    members = groups[:, None] == np.arange(groups.max() + 1)
    return draw(units.sums(np.hstack([members, members & right[:, None]])), units.strata)


def compared(sizes: tuple[int, int], rights: tuple[int, int]) -> AgainstRest:
    """Compares two groups of faces that have a photo each."""
    groups = np.repeat([0, 1], sizes)
    right = np.concatenate([np.arange(n) < k for n, k in zip(sizes, rights, strict=True)])
    units = Units.by_name(range(len(groups)), np.zeros(len(groups), np.int64))
    return against_rest(draws_of(groups, right, units), 0, sizes)


@pytest.mark.parametrize("seed", range(4))
def test_holm_is_statsmodels(seed: int) -> None:
    p_values = np.random.default_rng(seed).beta(0.3, 2, 3 + 4 * seed).round(2).tolist()
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected, atol=1e-12)


@given(P_VALUES)
def test_holm_raises_each_p_and_keeps_their_order(p_values: list[float]) -> None:
    found = holm(p_values)
    assert all(p <= q <= min(1, p * len(p_values)) for p, q in zip(p_values, found, strict=True))
    assert [q for _, q in sorted(zip(p_values, found, strict=True))] == sorted(found)


def test_holm_of_none_is_none() -> None:
    assert holm([]) == []


@given(
    st.tuples(st.integers(1, 200), st.integers(1, 200)), st.tuples(st.floats(0, 1), st.floats(0, 1))
)
def test_squares_are_added_as_newcombe_does(
    sizes: tuple[int, int], shares: tuple[float, float]
) -> None:
    rights = [round(n * share) for n, share in zip(sizes, shares, strict=True)]
    a, b = (
        Interval(k / n, *(float(x) for x in proportion_confint(k, n, method="wilson")))
        for k, n in zip(rights, sizes, strict=True)
    )
    found = square_and_add(a, b)
    expected = confint_proportions_2indep(
        rights[0], sizes[0], rights[1], sizes[1], method="newcomb", compare="diff"
    )
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_the_difference_is_that_of_two_shares() -> None:
    found = compared((80, 120), (48, 96))
    assert found.accuracy.value == pytest.approx(0.6)
    assert found.rest.value == pytest.approx(0.8)
    assert found.difference.value == pytest.approx(-0.2)
    error = np.sqrt(0.6 * 0.4 / 80 + 0.8 * 0.2 / 120)
    assert found.difference.low == pytest.approx(-0.2 - 1.96 * error, abs=0.01)
    assert found.difference.high == pytest.approx(-0.2 + 1.96 * error, abs=0.01)
    assert found.p == pytest.approx(2 * norm.sf(0.2 / error), abs=0.003)


def test_groups_that_share_photos_are_compared_within_them() -> None:
    # Two faces a photo, one of each group; photos are easy or hard for both alike.
    rng = np.random.default_rng(0)
    easy = rng.random(200) < 0.5
    right = np.stack([easy & (rng.random(200) < 0.9), easy], axis=1).ravel()
    groups = np.tile([0, 1], 200)
    together = Units.by_name(np.repeat(np.arange(200), 2).tolist(), np.zeros(400, np.int64))
    apart = Units.by_name(range(400), np.zeros(400, np.int64))
    paired = against_rest(draws_of(groups, right, together), 0, (200, 200)).difference
    alone = against_rest(draws_of(groups, right, apart), 0, (200, 200)).difference
    assert paired.value == pytest.approx(alone.value)
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)
    assert paired.high < 0 < alone.high


@pytest.mark.parametrize(
    ("sizes", "rights"),
    [((40, 200), (40, 170)), ((40, 200), (0, 20)), ((40, 200), (34, 200)), ((40, 90), (40, 90))],
)
def test_a_side_that_is_always_right_or_never_still_has_an_error(
    sizes: tuple[int, int], rights: tuple[int, int]
) -> None:
    found = compared(sizes, rights)
    ends = [proportion_confint(k, n, method="beta") for k, n in zip(rights, sizes, strict=True)]
    reach = found.difference.high - found.difference.low
    for side, (n, k) in enumerate(zip(sizes, rights, strict=True)):
        if k in (0, n):  # the exact interval's reach is in it
            assert reach >= ends[side][1] - ends[side][0] - 1e-9
    assert found.difference.low <= found.difference.value <= found.difference.high


def test_the_difference_of_one_from_its_rest_is_that_of_the_rest_from_it() -> None:
    groups = np.repeat([0, 1], [60, 90])
    right = np.random.default_rng(1).random(150) < 0.7
    drawn = draws_of(groups, right, Units.by_name(range(150), np.zeros(150, np.int64)))
    one, other = against_rest(drawn, 0, (60, 90)), against_rest(drawn, 1, (90, 60))
    assert one.difference.value == -other.difference.value
    assert one.difference.low == pytest.approx(-other.difference.high)
    assert one.p == pytest.approx(other.p)
    assert one.accuracy == other.rest


def test_one_group_alone_has_its_accuracy() -> None:
    right = np.arange(100) < 80
    units = Units.by_name(range(100), np.zeros(100, np.int64))
    found = accuracy_of(draws_of(np.zeros(100, np.int64), right, units), 0, 100)
    assert found.value == 0.8
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.04, abs=0.01)


@given(st.floats(-1, 1), st.floats(0, 0.5), st.floats(0, 0.5), st.integers(2, 500))
def test_p_is_below_5_percent_where_the_interval_leaves_out_0(
    value: float, below: float, above: float, units: int
) -> None:
    p = p_value(Interval(value, value - below, value + above), units)
    assert 0 <= p <= 1
    if value > below > 1e-9 or -value > above > 1e-9:
        assert p < 0.05 + 1e-9
    elif value < below and -value < above:
        assert p > 0.05 - 1e-9


def test_p_of_many_units_is_that_of_the_normal_distribution() -> None:
    # 2.576 standard errors of 0.1 are p = 0.01.
    found = p_value(Interval(-0.2576, -0.4536, -0.0616), 100_000)
    assert found == pytest.approx(0.01, abs=1e-4)
    assert p_value(Interval(-0.2576, -0.4536, -0.0616), 10) > found  # Student's t


@pytest.mark.parametrize(
    ("interval", "units"),
    [(Interval(0.0, -0.1, 0.1), 50), (Interval(-0.5, -0.6, -0.4), 1), (Interval(0.5, 0.5, 0.6), 9)],
)
def test_where_nothing_follows_p_is_1(interval: Interval, units: int) -> None:
    assert p_value(interval, units) == 1
