"""Balance: the cost of a part by hand, and swaps that lower it without breaking exact sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.data.balance import PER_EXCESS, PER_MISSING, Exchange, Measure

# Eight photos: six of the first class, two of the second, and none of a third.
AMOUNTS = np.array([[1, 1, 0, 0]] * 6 + [[1, 0, 1, 0]] * 2)


def test_the_cost_is_the_relative_squared_deviation_weighted_by_the_parts_share() -> None:
    measure = Measure.of(AMOUNTS, [6, 2])
    # Expected in the second part are 2 photos, 1.5 and 0.5 faces.
    expected = 0.25 * ((2 / 2 - 1) ** 2 + (1 / 1.5 - 1) ** 2 + (1 / 0.5 - 1) ** 2)
    assert measure.cost(1, np.array([2, 1, 1, 0])) == pytest.approx(expected)
    assert measure.cost(0, np.array([6, 4.5, 1.5, 0])) == pytest.approx(0)


def test_a_missing_class_and_faces_beyond_rounding_weigh_more_than_all_else() -> None:
    measure = Measure.of(AMOUNTS, [6, 2])
    lacking = float(measure.cost(1, np.array([2, 2, 0, 0])))
    assert lacking == pytest.approx(PER_MISSING, rel=1e-3)
    # Up to 1 face of the second class is rounding; a second one is not.
    assert measure.cost(1, np.array([2, 1, 2, 0])) == pytest.approx(PER_EXCESS, rel=1e-3)


def test_a_large_bond_widens_what_is_in_order() -> None:
    bonds = np.array([[5, 5], [1, 1], [1, 1], [1, 1]])
    measure = Measure.of(bonds, [4, 4])
    assert measure.low[0].tolist() == [0, 0]  # 4, less what all but one of the 5 move
    assert measure.high[0].tolist() == [8, 8]


def test_a_class_that_few_bonds_hold_is_scarce() -> None:
    counts = np.array([[1, 1, 0, 0]] * 8 + [[1, 0, 1, 0]] * 7)
    assert Measure.of(counts, [10, 5]).scarce.tolist() == [False, False, True, False]


def cost(measure: Measure, amounts: NDArray[np.int64], placed: NDArray[np.int64]) -> float:
    parts = range(len(measure.low))
    return sum(float(measure.cost(part, amounts[placed == part].sum(0))) for part in parts)


def exchanged(
    amounts: NDArray[np.int64], targets: list[int], placed: NDArray[np.int64], fixed: bool
) -> tuple[NDArray[np.int64], float]:
    result = placed.copy()
    rng = np.random.default_rng(0)
    measure = Measure.of(amounts, targets)
    left = Exchange(amounts, measure, [fixed] * len(targets), result, rng).run()
    assert left == pytest.approx(cost(measure, amounts, result))
    return result, left


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)), min_size=6),
    st.booleans(),
    st.integers(0, 99),
)
def test_swaps_never_raise_the_cost_and_keep_exact_sizes(
    rows: list[tuple[int, int, int]], fixed: bool, seed: int
) -> None:
    amounts = np.array(rows)
    placed = np.random.default_rng(seed).integers(0, 3, len(rows))
    placed[:3] = [0, 1, 2]
    targets = np.bincount(placed, amounts[:, 0]).astype(int).tolist()
    measure = Measure.of(amounts, targets)
    result, left = exchanged(amounts, targets, placed, fixed)
    assert left <= cost(measure, amounts, placed) * (1 + 1e-9)
    if fixed:
        assert np.bincount(result, amounts[:, 0]).astype(int).tolist() == targets


def test_swaps_even_out_the_worst_placement() -> None:
    result, left = exchanged(AMOUNTS, [4, 4], np.array([0, 0, 0, 0, 1, 1, 1, 1]), True)
    assert left == pytest.approx(0)
    assert sorted(result[6:].tolist()) == [0, 1]


def test_bonds_move_alone_only_where_sizes_are_not_exact() -> None:
    lopsided = np.array([0, 0, 0, 0, 0, 0, 0, 1])
    result, _ = exchanged(AMOUNTS, [4, 4], lopsided, False)
    assert np.bincount(result).tolist() == [4, 4]
    result, _ = exchanged(AMOUNTS, [4, 4], lopsided, True)
    assert np.bincount(result).tolist() == [7, 1]
