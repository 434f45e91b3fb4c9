"""Placement: exact sizes wherever whole bonds make them, and what sums whole bonds make."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.data.placement import Sums, place, sums_from

SIZES = st.lists(st.integers(1, 12), max_size=8)


def all_sums(sizes: list[int]) -> set[int]:
    subsets = chain.from_iterable(combinations(sizes, n) for n in range(len(sizes) + 1))
    return {sum(subset) for subset in subsets}


@settings(max_examples=40)
@given(SIZES)
def test_sums_are_those_of_all_subsets(sizes: list[int]) -> None:
    for start, sums in enumerate(sums_from(sizes)):
        expected = all_sums(sizes[start:])
        assert {n for n in range(-3, sum(sizes) + 3) if sums.make(n)} == expected
        assert sums.total == sum(sizes[start:])
        assert (sums.bits is None) == (len(expected) == sums.total + 1)


def test_sums_of_single_photos_take_no_room_however_many_they_are() -> None:
    sums = sums_from([1] * 30_000)
    assert sums[0] == Sums(30_000)
    assert len(sums) == 30_001


@settings(max_examples=40)
@given(SIZES, st.integers(1, 100))
def test_near_numbers_are_the_nearest_below_and_above(sizes: list[int], number: int) -> None:
    possible = all_sums(sizes) - {0, sum(sizes)}
    below = [n for n in possible if n <= number]
    above = [n for n in possible if n >= number]
    expected = {max(below, default=None), min(above, default=None)} - {None}
    assert set(sums_from(sizes)[0].near(number)) == expected


def amounts_of(sizes: list[int]) -> NDArray[np.int64]:
    """Bonds of one class, a face in each photo."""
    return np.repeat(np.array(sizes)[:, None], 2, axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_the_only_way_to_the_exact_sizes_is_found(seed: int) -> None:
    # 19 is 9 + 7 + 3 and nothing else.
    placed = place(amounts_of([9, 8, 7, 13, 3]), [21, 19], [True, True], seed)
    assert placed is not None
    assert placed.tolist() == [1, 0, 1, 0, 1]


def test_of_parts_only_the_fixed_one_is_exact() -> None:
    placed = place(amounts_of([4, 4, 4, 4, 4]), [9, 7, 4], [False, False, True], 0)
    assert placed is not None
    assert np.bincount(placed, [4] * 5).tolist() == [8, 8, 4]


def test_no_way_is_none() -> None:
    assert place(amounts_of([4, 4, 4]), [7, 5], [True, True], 0) is None
    assert place(amounts_of([3, 3, 2, 2, 2]), [1, 6, 5], [False, True, True], 0) is None
