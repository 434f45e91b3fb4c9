"""Risk and coverage by hand, and thresholds that do what they promise."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.evaluation.calibration.abstention import lowest_threshold, risk_coverage, unsure_rule
from emotion.evaluation.intervals import Units

FACES = st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=40)


def arrays_of(faces: list[tuple[int, bool]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    sure = np.array([eighths / 8 for eighths, _ in faces], np.float32)
    return sure, np.array([right for _, right in faces])


def units_of(faces: int, photos: int | None = None) -> Units:
    names = [i % (photos or faces) for i in range(faces)]
    return Units.by_name(names, np.zeros(faces, np.int64))


def test_the_curve_is_that_by_hand() -> None:
    sure, right = np.array([0.6, 0.9, 0.7, 0.8], np.float32), np.array([True, True, True, False])
    curve = risk_coverage(sure, right)
    np.testing.assert_allclose(curve.thresholds, [0.9, 0.8, 0.7, 0.6], atol=1e-7)
    np.testing.assert_allclose(curve.coverages, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve.errors, [0, 1 / 2, 1 / 3, 1 / 4])
    assert curve.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_faces_equally_sure_come_together() -> None:
    sure, right = np.array([0.9, 0.8, 0.8, 0.6], np.float32), np.array([True, False, True, True])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        curve = risk_coverage(sure[order], right[order])
        np.testing.assert_allclose(curve.coverages, [0.25, 0.75, 1])
        np.testing.assert_allclose(curve.errors, [0, 1 / 3, 1 / 4])
        assert curve.aurc == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 4) / 4)


@given(FACES)
def test_the_curve_ends_at_the_error_of_all(faces: list[tuple[int, bool]]) -> None:
    sure, right = arrays_of(faces)
    curve = risk_coverage(sure, right)
    assert curve.coverages[-1] == 1
    assert curve.errors[-1] == pytest.approx(1 - right.mean())
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.coverages) > 0).all()


@given(FACES, st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.25, 0.5]))
def test_a_threshold_is_the_lowest_that_keeps_its_promise(
    faces: list[tuple[int, bool]], wanted: float
) -> None:
    sure, right = arrays_of(faces)
    keeping = []
    for threshold in {float(value) for value in sure}:
        answered = [ok for value, ok in zip(sure, right, strict=True) if value >= threshold]
        error = Fraction(answered.count(False), len(answered))
        if error <= Fraction(str(wanted)):
            keeping.append(threshold)
    found = lowest_threshold(risk_coverage(sure, right), wanted)
    assert found == (min(keeping) if keeping else None)


def test_a_long_curve_is_thinned_evenly() -> None:
    rng = np.random.default_rng(0)
    curve = risk_coverage(rng.random(5000).astype(np.float32), rng.random(5000) < 0.7)
    few = curve.thinned()
    assert len(few.errors) == 200
    assert np.diff(few.coverages).max() < 0.006
    for column in ("thresholds", "coverages", "errors"):
        assert getattr(few, column)[0] == getattr(curve, column)[0]
        assert getattr(few, column)[-1] == getattr(curve, column)[-1]
    assert set(few.thresholds) <= set(curve.thresholds)


@pytest.mark.parametrize("faces", [1, 2, 7])
def test_a_short_curve_stays_whole(faces: int) -> None:
    curve = risk_coverage(np.linspace(0.3, 0.9, faces, dtype=np.float32), np.ones(faces, bool))
    np.testing.assert_array_equal(curve.thinned().coverages, curve.coverages)


def test_a_rule_tells_coverage_and_error_of_the_evaluated_faces() -> None:
    sure = np.repeat(np.array([0.9, 0.7, 0.5], np.float32), 40)
    right = np.arange(120) % 40 >= np.repeat([4, 12, 30], 40)
    rule = unsure_rule(0.2, float(sure[40]), sure, right, units_of(120))
    assert rule.threshold == pytest.approx(0.7)
    assert rule.coverage is not None
    assert rule.error is not None
    assert rule.coverage.value == pytest.approx(80 / 120)
    assert rule.error.value == pytest.approx(16 / 80)
    # One face a photo: the intervals of the binomial distribution, nearly.
    assert rule.coverage.low == pytest.approx(0.667 - 1.98 * (0.222 / 120) ** 0.5, abs=0.015)
    assert rule.error.high == pytest.approx(0.2 + 1.98 * (0.16 / 80) ** 0.5, abs=0.02)


def test_photos_without_a_face_change_nothing() -> None:
    sure, right = np.array([0.9, 0.8] * 20, np.float32), np.arange(40) % 3 > 0
    targets = np.zeros(40, np.int64)
    plain = unsure_rule(0.1, 0.85, sure, right, Units.by_name(range(40), targets))
    more = Units.by_name(range(40), targets, faceless=["a", "b"] * 9)
    assert unsure_rule(0.1, 0.85, sure, right, more) == plain


def test_without_an_answer_there_is_no_error() -> None:
    sure, right = np.array([0.5, 0.6], np.float32), np.array([True, False])
    rule = unsure_rule(0.1, 0.99, sure, right, units_of(2))
    assert rule.coverage is not None
    assert rule.coverage.value == 0
    assert rule.coverage.high > 0.5  # two photos say little
    assert rule.error is None


def test_no_answer_wrong_is_no_proof_that_none_ever_is() -> None:
    rule = unsure_rule(0.1, 0.5, np.full(10, 0.9, np.float32), np.ones(10, bool), units_of(10))
    assert rule.error is not None
    assert (rule.error.value, rule.error.low) == (0, 0)
    assert rule.error.high == pytest.approx(0.308, abs=0.001)  # Clopper and Pearson's table


def test_where_no_threshold_was_found_there_is_no_rule() -> None:
    rule = unsure_rule(0.1, None, np.full(3, 0.9, np.float32), np.ones(3, bool), units_of(3))
    assert (rule.wanted, rule.threshold, rule.coverage, rule.error) == (0.1, None, None, None)
