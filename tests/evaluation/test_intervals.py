"""Intervals: the bootstrap of the books, and how often it holds the truth."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.evaluation.intervals import Interval, interval, resample_tables
from emotion.evaluation.metrics import accuracy, balanced_accuracy, macro_f1

Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def clustered(photos: int, classes: int = 3, seed: int = 0) -> NDArray[np.int64]:
    """Tables of photos with four faces each, which tend to be all right or all wrong."""
    generator = np.random.default_rng(seed)
    tables = np.zeros((photos, classes, classes), dtype=np.int64)
    for table in tables:
        wrong = generator.random() < 0.3
        for truth in generator.integers(0, classes, 4):
            table[truth, (truth + wrong) % classes] += 1
    return tables


def plain_bootstrap(tables: NDArray[np.int64], score: Score, resamples: int) -> NDArray[np.float64]:
    """Draws photos one by one, as the definition says."""
    generator = np.random.default_rng(99)
    drawn = []
    for _ in range(resamples):
        chosen = generator.integers(0, len(tables), len(tables))
        drawn.append(score(tables[chosen].sum(axis=0).astype(np.float64)))
    return np.array(drawn)


@pytest.mark.parametrize("score", [accuracy, balanced_accuracy, macro_f1])
def test_intervals_are_those_of_drawing_photos_one_by_one(score: Score) -> None:
    tables = clustered(150)
    plain = plain_bootstrap(tables, score, resamples=4000)
    ours = interval(score, tables.sum(axis=0), resample_tables(tables))
    low, high = np.quantile(plain, [0.025, 0.975])
    # The quantile's own Monte-Carlo error is about 0.05 standard deviations.
    error = 0.25 * plain.std()
    assert ours.low == pytest.approx(low, abs=error)
    assert ours.high == pytest.approx(high, abs=error)
    assert ours.value == score(tables.sum(axis=0).astype(np.float64))


def test_faces_of_one_photo_are_not_taken_for_independent() -> None:
    # The same faces, once four to a photo and once each on its own: the former know less.
    together = clustered(100)
    alone = np.concatenate([one_by_one(table) for table in together])
    widths = [
        interval(accuracy, together.sum(axis=0), resample_tables(tables))
        for tables in (together, alone)
    ]
    ratio = (widths[0].high - widths[0].low) / (widths[1].high - widths[1].low)
    assert ratio == pytest.approx(2, rel=0.2)  # the root of four


def one_by_one(table: NDArray[np.int64]) -> NDArray[np.int64]:
    faces = []
    for place, count in np.ndenumerate(table):
        face = np.zeros_like(table)
        face[place] = 1
        faces += [face] * int(count)
    return np.stack(faces)


def test_each_draw_has_as_many_photos_as_there_are() -> None:
    tables = clustered(30)
    drawn = resample_tables(tables, resamples=200)
    assert drawn.shape == (200, 3, 3)
    assert set(drawn.sum(axis=(1, 2))) == {30 * 4}


def test_the_interval_holds_the_truth_95_times_in_100() -> None:
    # Each number of right answers weighed by its probability: exact, where repetitions would vary.
    photos, truth, held = 184, 0.7, 0.0
    for right in range(photos + 1):
        tables = np.zeros((photos, 2, 2), dtype=np.int64)
        tables[:right, 0, 0] = tables[right:, 0, 1] = 1
        found = interval(accuracy, tables.sum(axis=0), resample_tables(tables))
        probability = math.comb(photos, right) * truth**right * (1 - truth) ** (photos - right)
        held += probability * (found.low <= truth <= found.high)
    assert 0.93 <= held <= 0.97


def test_the_interval_holds_the_truth_where_faces_share_a_photo() -> None:
    # Three faces to a photo, all right or all wrong; taken as independent, it would hold 78 in 100.
    generator, photos, truth, held = np.random.default_rng(0), 100, 0.7, 0
    for _ in range(1000):
        right = generator.random(photos) < truth
        tables = np.zeros((photos, 2, 2), dtype=np.int64)
        tables[:, 0, 0], tables[:, 0, 1] = 3 * right, 3 * ~right
        found = interval(accuracy, tables.sum(axis=0), resample_tables(tables, resamples=1000))
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 1000 <= 0.975


def test_one_photo_alone_gives_an_interval_without_width() -> None:
    tables = np.array([[[2, 1], [0, 1]]])
    expected = Interval(0.75, 0.75, 0.75)
    assert interval(accuracy, tables[0], resample_tables(tables)) == expected


def test_all_right_is_one_everywhere() -> None:
    tables = np.array([[[1, 0], [0, 1]]] * 20)
    for score in (accuracy, balanced_accuracy, macro_f1):
        expected = Interval(1.0, 1.0, 1.0)
        assert interval(score, tables.sum(axis=0), resample_tables(tables)) == expected


def test_the_same_predictions_give_the_same_interval_in_any_order_of_photos() -> None:
    tables = clustered(40)
    expected = resample_tables(tables)
    np.testing.assert_array_equal(resample_tables(tables), expected)
    np.testing.assert_array_equal(resample_tables(tables[::-1]), expected)


def test_an_interval_is_told_in_three_decimals() -> None:
    assert str(Interval(0.70651, 0.64, 1.0)) == "0.707 [0.640, 1.000]"
