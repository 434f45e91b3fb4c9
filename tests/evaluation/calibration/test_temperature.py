"""Temperature: the one that made the labels is found, and no answer changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import log_loss

from emotion.evaluation.calibration.temperature import (
    HIGHEST,
    LOWEST,
    apply_temperature,
    fit_temperature,
)

LOGITS = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(2, 6)),
    elements=st.floats(-60, 60, allow_nan=False),
)


def shares_of(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    shares: NDArray[np.float32] = softmax(logits, axis=1).astype(np.float32)
    return shares


def drawn(shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws a label from each row."""
    return np.array([rng.choice(len(row), p=row) for row in shares], np.int64)


@pytest.mark.parametrize("true", [0.4, 1.0, 2.5, 6.0])
def test_the_temperature_that_made_the_labels_is_found(true: float) -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 3, (6000, 5))
    targets = drawn(softmax(logits / true, axis=1), rng)
    assert fit_temperature(shares_of(logits), targets) == pytest.approx(true, rel=0.06)


def test_it_is_the_best_of_all_temperatures() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (60, 4))
    targets = rng.integers(0, 4, 60)
    targets[:30] = logits[:30].argmax(axis=1)
    found = fit_temperature(shares_of(logits), targets)
    every = found * np.linspace(0.9, 1.1, 41)
    losses = [log_loss(targets, softmax(logits / t, axis=1), labels=range(4)) for t in every]
    assert int(np.argmin(losses)) == 20


@given(LOGITS, st.integers(0, 2**32 - 1))
def test_the_fitted_faces_lose_nothing(logits: NDArray[np.float64], seed: int) -> None:
    shares = shares_of(logits)
    targets = np.random.default_rng(seed).integers(0, shares.shape[1], len(shares))
    found = fit_temperature(shares, targets)
    assert LOWEST <= found <= HIGHEST
    losses = []
    for temperature in (1.0, found):
        scaled = np.log(np.maximum(shares.astype(np.float64), np.finfo(np.float32).tiny))
        scaled = np.log(softmax(scaled / temperature, axis=1) + 1e-300)
        losses.append(-scaled[np.arange(len(targets)), targets].mean())
    assert losses[1] <= losses[0] + 1e-9


@given(LOGITS, st.floats(LOWEST, HIGHEST))
def test_answers_stay_and_rows_sum_to_one(logits: NDArray[np.float64], temperature: float) -> None:
    shares = shares_of(logits)
    scaled = apply_temperature(shares, temperature)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled.argmax(axis=1), shares.argmax(axis=1))
    np.testing.assert_allclose(scaled.sum(axis=1, dtype=np.float64), 1, atol=1e-6)


def test_it_is_the_softmax_of_divided_logits() -> None:
    logits = np.random.default_rng(3).normal(0, 4, (50, 5))
    expected = softmax(logits / 1.7, axis=1)
    np.testing.assert_allclose(apply_temperature(shares_of(logits), 1.7), expected, atol=2e-7)


def test_the_class_ahead_stays_ahead_where_float32_sees_no_difference() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0))
    shares = np.array([[below, 0.5]], np.float32)
    scaled = apply_temperature(shares, 20.0)
    assert scaled.argmax() == 1
    np.testing.assert_allclose(scaled, 0.5, atol=1e-6)


def test_without_a_temperature_nothing_changes() -> None:
    shares = shares_of(np.random.default_rng(4).normal(0, 4, (20, 3)))
    np.testing.assert_array_equal(apply_temperature(shares, 1.0), shares)


def test_right_answers_alone_give_the_lowest() -> None:
    shares = np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)
    assert fit_temperature(shares, np.array([0, 1])) == pytest.approx(LOWEST, rel=1e-3)
    assert fit_temperature(shares, np.array([1, 0])) == pytest.approx(HIGHEST, rel=1e-3)


def test_a_wrong_certain_answer_is_a_number() -> None:
    shares = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    found = fit_temperature(shares, np.array([0, 1]))
    assert found == pytest.approx(HIGHEST, rel=1e-3)
    assert np.isfinite(apply_temperature(shares, found)).all()
