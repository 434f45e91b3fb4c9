"""Intervals: the bootstrap of the books, and how often it holds the truth."""

import math
from collections.abc import Hashable, Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.evaluation import intervals
from emotion.evaluation.intervals import (
    RESAMPLES,
    SMALLEST_STRATUM,
    Draws,
    Interval,
    Score,
    Units,
    draw,
    expanded_tails,
)
from emotion.evaluation.metrics import accuracy, balanced_accuracy, macro_f1


def flat(score: Score, classes: int) -> Score:
    return lambda sums: score(np.reshape(sums, (*sums.shape[:-1], classes, classes)))


def cells(
    targets: NDArray[np.int64], answers: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    table: NDArray[np.float64] = np.eye(classes * classes)[targets * classes + answers]
    return table


def share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """First column by second."""
    return np.asarray(sums[..., 0] / sums[..., 1])


def drawn_alone(right: NDArray[np.bool_], names: Sequence[Hashable] | None = None) -> Draws:
    """Draws faces of one class, each its own unit unless they have names."""
    units = Units.by_name(names or range(len(right)), np.zeros(len(right), np.int64))
    values = np.column_stack([right, np.ones(len(right))])
    return draw(units.sums(values), units.strata)


@pytest.mark.parametrize(
    "score",
    [balanced_accuracy, *(pytest.param(s, marks=pytest.mark.slow) for s in (accuracy, macro_f1))],
)
def test_intervals_are_those_of_drawing_photos_one_by_one_within_classes(score: Score) -> None:
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], [150, 90, 60])
    answers = np.where(rng.random(300) < 0.7, targets, rng.integers(0, 3, 300))
    values = cells(targets, answers, 3)
    plain = []
    for _ in range(4000):
        chosen = [rng.choice(np.flatnonzero(targets == t), (targets == t).sum()) for t in range(3)]
        plain.append(
            float(flat(score, 3)(values[np.concatenate(chosen)].sum(axis=0).astype(float)))
        )
    units = Units.by_name(range(300), targets)
    ours = draw(units.sums(values), units.strata).interval(flat(score, 3))
    assert ours is not None
    low, high = np.quantile(plain, expanded_tails(300))
    # The quantile's own Monte-Carlo error is about 0.05 standard deviations.
    error = 0.25 * float(np.std(plain))
    assert ours.low == pytest.approx(low, abs=error)
    assert ours.high == pytest.approx(high, abs=error)
    assert ours.value == float(flat(score, 3)(values.sum(axis=0).astype(float)))


def test_it_is_about_what_scipy_gives() -> None:
    right = np.random.default_rng(1).random(184) < 0.7
    ours = drawn_alone(right).interval(share)
    theirs = scipy.stats.bootstrap(
        (right.astype(float),), np.mean, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours is not None
    assert ours.low == pytest.approx(theirs.low, abs=0.008)
    assert ours.high == pytest.approx(theirs.high, abs=0.008)


def test_faces_of_one_photo_are_not_taken_for_independent() -> None:
    # The same faces, once four to a photo and once each on its own: the former know less.
    right = np.repeat(np.random.default_rng(0).random(100) < 0.7, 4)
    together = drawn_alone(right, [i // 4 for i in range(400)]).interval(share)
    alone = drawn_alone(right).interval(share)
    assert together is not None
    assert alone is not None
    ratio = (together.high - together.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(2, rel=0.2)  # the root of four


def test_each_draw_has_as_many_photos_of_each_class_as_there_are() -> None:
    targets = np.repeat([0, 1], [30, 20])
    units = Units.by_name(range(50), targets)
    drawn = draw(units.sums(np.eye(2)[targets]), units.strata, resamples=300).drawn
    assert drawn.shape == (300, 2)
    assert (drawn == [30, 20]).all()


def test_the_interval_holds_the_truth_95_times_in_100() -> None:
    # Each number of right answers weighed by its probability: exact, where repetitions would vary.
    photos, truth, held = 184, 0.7, 0.0
    for right in range(photos + 1):
        found = drawn_alone(np.arange(photos) < right).interval(share)
        assert found is not None
        probability = math.comb(photos, right) * truth**right * (1 - truth) ** (photos - right)
        held += probability * (found.low <= truth <= found.high)
    assert 0.93 <= held <= 0.97


CLASSES = 5
COUNTS = np.array([57, 20, 31, 58, 18])  # 184 faces, as rare classes go
RECALLS = np.array([0.8, 0.45, 0.65, 0.85, 0.5])


@pytest.mark.slow
def test_intervals_of_184_faces_of_five_classes_hold_the_truth() -> None:
    # Wrong answers are spread evenly, so the expected table gives each score's truth.
    targets = np.repeat(np.arange(CLASSES), COUNTS)
    expected = np.outer(COUNTS * (1 - RECALLS) / (CLASSES - 1), np.ones(CLASSES))
    np.fill_diagonal(expected, COUNTS * RECALLS)
    scores = (accuracy, balanced_accuracy, macro_f1)
    rng, held, repetitions = np.random.default_rng(5), np.zeros(3), 1000
    units = Units.by_name(range(184), targets)
    for _ in range(repetitions):
        wrong = (targets + rng.integers(1, CLASSES, 184)) % CLASSES
        answers = np.where(rng.random(184) < RECALLS[targets], targets, wrong)
        sums = units.sums(cells(targets, answers, CLASSES))
        drawn = draw(sums, units.strata, resamples=500)
        for i, score in enumerate(scores):
            found = drawn.interval(flat(score, CLASSES))
            assert found is not None
            held[i] += found.low <= float(score(expected)) <= found.high
    assert ((held / repetitions >= 0.93) & (held / repetitions <= 0.97)).all()


def test_the_interval_holds_the_truth_where_faces_share_a_photo() -> None:
    # Three faces to a photo, all right or all wrong; taken as independent, it would hold 78 in 100.
    generator, photos, truth, held = np.random.default_rng(0), 100, 0.7, 0
    units = Units.by_name(np.repeat(range(photos), 3).tolist(), np.zeros(3 * photos, np.int64))
    for _ in range(1000):
        right = np.repeat(generator.random(photos) < truth, 3)
        sums = units.sums(np.column_stack([right, np.ones(3 * photos)]))
        found = draw(sums, units.strata, resamples=1000).interval(share)
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 1000 <= 0.97


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("faces", [1, 5, 40])
def test_where_all_are_alike_the_interval_is_the_exact_binomial_one(
    right: bool, faces: int
) -> None:
    # Clopper and Pearson's limit for 0 of n at 95 %, in closed form.
    limit = 1 - 0.025 ** (1 / faces)
    found = drawn_alone(np.full(faces, right)).interval(share)
    expected = (1 - limit, 1.0) if right else (0.0, limit)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(expected)


def test_a_difference_that_no_face_shows_may_lie_on_both_sides() -> None:
    found = drawn_alone(np.zeros(20, bool)).interval(share, signed=True)
    assert found is not None
    assert found.low == -found.high
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_few_units_give_wider_intervals_than_the_plain_percentiles() -> None:
    # For the mean of a normal sample this is the width of Student's interval.
    tail, _ = expanded_tails(6)
    t = scipy.stats.t.ppf(0.025, 5) * math.sqrt(6 / 5)
    assert tail == pytest.approx(scipy.stats.norm.cdf(t))
    assert expanded_tails(1) == (0.0, 1.0)
    assert expanded_tails(100_000)[0] == pytest.approx(0.025, abs=1e-4)


def test_a_score_without_a_meaning_has_no_interval() -> None:
    units = Units.by_name([0], np.array([0]))
    sums = units.sums(np.array([[0, 0]]))
    with np.errstate(invalid="ignore"):
        assert draw(sums, units.strata).interval(share) is None


def test_draws_without_a_meaning_do_not_count() -> None:
    # One unit alone has what the score divides by, and a third of the draws lack it.
    sums = np.array([[1.0, 2.0], *[[0.0, 0.0]] * 11])
    with np.errstate(invalid="ignore"):
        found = draw(sums, np.zeros(12, np.int64)).interval(share)
    assert found is not None
    assert found.value == 0.5


def test_many_faces_give_the_same_interval_in_any_order() -> None:
    rng = np.random.default_rng(3)
    sums, strata = rng.integers(0, 4, (600, 3)).astype(float), np.repeat([0, 1], 300)
    order = rng.permutation(600)
    expected = draw(sums, strata, 100).drawn
    np.testing.assert_array_equal(draw(sums, strata, 100).drawn, expected)
    np.testing.assert_array_equal(draw(sums[order], strata[order], 100).drawn, expected)


def test_many_different_units_are_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "DRAWS", 2_000_000)
    sums = np.random.default_rng(0).random((5_000, 1))
    drawn = draw(sums, np.zeros(5_000, np.int64), resamples=RESAMPLES).drawn
    assert len(drawn) == 400
    assert drawn.std() == pytest.approx(sums.std() * math.sqrt(5_000), rel=0.2)


def test_memory_is_bounded_by_drawing_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    sums, strata = np.random.default_rng(0).random((600, 2)), np.zeros(600, np.int64)
    whole = draw(sums, strata, resamples=300).drawn
    monkeypatch.setattr(intervals, "BLOCK", 10_000)
    np.testing.assert_array_equal(draw(sums, strata, resamples=300).drawn, whole)


def test_a_photo_stands_in_the_stratum_that_most_of_its_faces_have() -> None:
    names = [name for name in range(40) for _ in range(3)]
    targets = np.array([0, 0, 1] * 20 + [1, 1, 0] * 20)
    empty = [f"empty{i}" for i in range(10)]
    units = Units.by_name(names, targets, faceless=empty)
    assert units.strata.tolist() == [0] * 20 + [1] * 20 + [-1] * 10
    assert units.numbers["empty0"] == 40


@given(st.lists(st.integers(0, 5), min_size=1, max_size=120))
def test_no_stratum_is_small_unless_all_are_together(targets: list[int]) -> None:
    units = Units.by_name(range(len(targets)), np.array(targets))
    counts = np.unique(units.strata, return_counts=True)[1]
    assert counts.sum() == len(targets)
    assert counts.min() >= min(SMALLEST_STRATUM, len(targets))


def test_sums_add_up_the_values_of_each_units_faces() -> None:
    units = Units.by_name(["a", "b", "a"], np.array([0, 0, 1]))
    assert units.sums(np.array([[1, 0], [2, 5], [3, 1]])).tolist() == [[4, 1], [2, 5]]


def test_few_units_are_drawn_alike_whatever_is_summed_up() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.random((2, 60, 1))
    strata = np.repeat([0, 1], 30)
    both = draw(np.hstack([one, other]), strata, 100).drawn
    np.testing.assert_allclose(draw(one, strata, 100).drawn, both[:, :1])
    np.testing.assert_allclose(draw(other, strata, 100).drawn, both[:, 1:])


def test_an_interval_is_told_in_three_decimals() -> None:
    assert str(Interval(0.70651, 0.64, 1.0)) == "0.707 [0.640, 1.000]"
