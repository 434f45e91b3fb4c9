"""Bars and histograms: every value is counted once, in a bin that says so."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.pages.charts import BINS, bars, bin_edges, histograms, largest_share

SIDES = st.lists(st.integers(1, 10_000), min_size=1, max_size=50)


def test_bars_are_shares_of_the_total() -> None:
    rows = bars({"anger": 30, "sad": 0}, total=40)
    assert [(row.name, row.count, row.share) for row in rows] == [
        ("anger", 30, 0.75),
        ("sad", 0, 0.0),
    ]
    assert not any(row.outlined or row.mark for row in rows)
    assert all(row.outlined for row in bars({"fear": 1}, total=40, outlined=True))


def test_bars_of_nothing_are_no_division_by_zero() -> None:
    assert bars({"anger": 0}, total=0)[0].share == 0
    assert largest_share([bars({"anger": 0}, total=0), []]) == 1.0
    assert histograms({"train": [], "test": []}) == {"train": [], "test": []}


def test_the_largest_share_of_all_charts_gives_their_scale() -> None:
    charts = [bars({"a": 3, "b": 1}, 4), bars({"a": 9, "b": 1}, 10)]
    assert largest_share(charts) == 0.9


@pytest.mark.parametrize(
    ("lowest", "highest", "edges"),
    [
        (48, 48, [48, 49]),
        (100, 149, [100, 105, 110, 115, 120, 125, 130, 135, 140, 145, 150]),
        (150, 350, [140, 160, 180, 200, 220, 240, 260, 280, 300, 320, 340, 360]),
        (12, 300, [12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384]),
        (1, 9, [1, 2, 3, 4, 6, 8, 12]),
        (1, 10_000, [1 << power for power in range(15)]),
    ],
)
def test_bins_have_round_limits(lowest: int, highest: int, edges: list[int]) -> None:
    assert bin_edges(lowest, highest) == edges


@given(SIDES)
def test_bins_rise_and_reach_from_the_lowest_to_the_highest(values: list[int]) -> None:
    edges = bin_edges(min(values), max(values))
    assert all(a < b for a, b in pairwise(edges))
    assert edges[0] <= min(values) < edges[1]
    assert edges[-2] <= max(values) < edges[-1]
    assert len(edges) - 1 <= BINS + 2


@given(SIDES, SIDES)
def test_histograms_count_as_numpy_does(train: list[int], test: list[int]) -> None:
    edges = bin_edges(min(train + test), max(train + test))
    charts = histograms({"train": train, "test": test})
    for name, values in (("train", train), ("test", test)):
        expected, _ = np.histogram(values, bins=np.asarray(edges) - 0.5)
        assert [row.count for row in charts[name]] == expected.tolist()
        assert sum(row.share for row in charts[name]) == pytest.approx(1)
    assert [row.name for row in charts["train"]] == [row.name for row in charts["test"]]


@given(SIDES)
def test_names_say_what_is_in_a_bin_and_the_smallest_is_marked(values: list[int]) -> None:
    counts: Counter[str] = Counter()
    for row in histograms({"train": values})["train"]:
        first, _, last = row.name.partition("–")
        inside = [value for value in values if int(first) <= value <= int(last or first)]
        counts[row.name] = len(inside)
        assert row.count == len(inside)
        assert (row.mark == "smallest") == (min(values) in inside)
    assert counts.total() == len(values)


def test_an_empty_part_beside_a_full_one_has_empty_rows() -> None:
    rows = histograms({"train": [10, 11], "test": []})["test"]
    assert [(row.name, row.count, row.mark) for row in rows] == [("10", 0, ""), ("11", 0, "")]
