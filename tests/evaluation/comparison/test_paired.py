"""The paired bootstrap: that of scipy, and what is said where draws say nothing."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap

from emotion.evaluation.comparison.paired import Difference, PairedTables, mean_difference
from emotion.evaluation.intervals import Score, Units
from emotion.evaluation.metrics import accuracy, balanced_accuracy, macro_f1

Answers = tuple[NDArray[np.int64], NDArray[np.int64]]


def answered(faces: int, seed: int = 0) -> tuple[NDArray[np.int64], Answers]:
    """Truth and two answers of three classes; what is hard for one is hard for the other."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, 3, faces)
    hard = generator.random(faces)
    a, b = (
        np.where(hard + 0.2 * generator.random(faces) < skill, targets, (targets + 1) % 3)
        for skill in (0.7, 0.8)
    )
    return targets, (a, b)


def each_alone(targets: NDArray[np.int64]) -> Units:
    return Units.by_name(range(len(targets)), np.zeros_like(targets))


def test_the_interval_is_that_of_scipys_paired_bootstrap() -> None:
    targets, answers = answered(300)
    ours = PairedTables(targets, answers, 3, each_alone(targets)).difference(accuracy)
    right = tuple((given == targets).astype(float) for given in answers)
    theirs = bootstrap(
        right,
        lambda a, b, axis=-1: b.mean(axis=axis) - a.mean(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=10_000,
        rng=np.random.default_rng(7),
    )
    error = 0.2 * theirs.standard_error
    assert ours.value == pytest.approx(right[1].mean() - right[0].mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=error)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=error)
    assert ours.side == 1
    unpaired = np.sqrt(sum(values.var() / len(values) for values in right))
    assert theirs.standard_error < 0.7 * unpaired  # what is hard for both is taken out


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy, macro_f1])
def test_photos_are_drawn_whole(metric: Score) -> None:
    targets, (a, b) = answered(100)
    alone = PairedTables(targets, (a, b), 3, each_alone(targets)).difference(metric)
    photos = Units.by_name([i // 4 for i in range(400)], np.zeros(400, np.int64))
    four = PairedTables(
        np.repeat(targets, 4), (np.repeat(a, 4), np.repeat(b, 4)), 3, photos
    ).difference(metric)
    # Four equal faces in each photo say no more than one.
    assert (four.value, four.low, four.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_photos_without_a_face_change_nothing() -> None:
    targets, answers = answered(50)
    names = list(range(50))
    with_others = Units.by_name(names, targets, faceless=["x", "y", "z"])
    without = Units.by_name(names, targets)
    scores = [
        PairedTables(targets, answers, 3, u).difference(accuracy) for u in (with_others, without)
    ]
    assert scores[0] == scores[1]


def test_where_both_answer_alike_other_faces_may_differ_still() -> None:
    targets, (a, _) = answered(184)
    found = PairedTables(targets, (a, a), 3, each_alone(targets)).difference(accuracy)
    # (1 - u)^184 = 0.025: with more unlike faces than u, none among 184 would be a rare thing.
    unlike = 1 - 0.025 ** (1 / 184)
    assert found.value == 0
    assert (found.low, found.high) == pytest.approx((-unlike, unlike))
    assert found.side == 0


def test_where_only_b_is_ever_right_the_interval_ends_at_one() -> None:
    targets = np.zeros(50, np.int64)
    answers = (targets + 1, targets)
    found = PairedTables(targets, answers, 2, each_alone(targets)).difference(accuracy)
    unlike = 1 - 0.025 ** (1 / 50)
    assert (found.low, found.high) == pytest.approx((1 - 2 * unlike, 1))
    assert found.side == 1


def test_one_face_says_next_to_nothing() -> None:
    targets = np.zeros(1, np.int64)
    found = PairedTables(targets, (targets + 1, targets), 2, each_alone(targets))
    score = found.difference(accuracy)
    assert (score.low, score.high) == pytest.approx((-0.95, 1))
    assert mean_difference(np.array([1.0]), np.array([0.5]), each_alone(targets)) == Difference(
        1.0, 0.5, None, None
    )


def test_the_recall_of_a_rare_class_rests_on_its_own_faces() -> None:
    targets = np.array([0] * 200 + [1] * 3)
    answers = (targets, targets)
    tables = PairedTables(targets, answers, 2, each_alone(targets))
    common, rare = tables.recall(0), tables.recall(1)
    assert common.high == pytest.approx(1 - 0.025 ** (1 / 200))
    assert rare.high == pytest.approx(1 - 0.025 ** (1 / 3))
    assert tables.difference(balanced_accuracy).high == rare.high


def test_means_of_losses_are_compared_on_the_same_draws() -> None:
    generator = np.random.default_rng(1)
    a = generator.exponential(1, 400)
    b = a + generator.normal(0.05, 0.1, 400)
    found = mean_difference(a, b, each_alone(np.zeros(400, np.int64)))
    assert (found.a, found.b) == pytest.approx((a.mean(), b.mean()))
    assert found.low is not None
    assert found.high is not None
    half = 1.96 * (b - a).std() / 20
    assert (found.low, found.high) == pytest.approx(
        (found.value - half, found.value + half), abs=0.1 * half
    )


@pytest.mark.parametrize(
    ("low", "high", "side"), [(0.1, 0.3, 1), (-0.3, -0.1, -1), (0.0, 0.2, 0), (None, None, 0)]
)
def test_the_side_is_that_of_the_whole_interval(
    low: float | None, high: float | None, side: int
) -> None:
    assert Difference(0.5, 0.6, low, high).side == side
