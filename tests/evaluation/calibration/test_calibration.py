"""Log loss and Brier score as sklearn's, their intervals, and a calibration as a whole."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap
from sklearn.metrics import brier_score_loss, log_loss

from emotion.evaluation.calibration.calibration import (
    MANY,
    Calibration,
    brier_scores,
    log_losses,
    make_calibration,
    mean_interval,
)
from emotion.evaluation.intervals import Units


def answers(
    faces: int, classes: int = 5, boast: float = 1.0, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Gives probabilities and labels drawn from them; above 1 `boast` makes them too sure."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, 0.7), faces) + 1e-6
    shares /= shares.sum(axis=1, keepdims=True)
    targets = (shares.cumsum(axis=1)[:, :-1] < rng.random((faces, 1))).sum(axis=1)
    louder = shares**boast
    louder /= louder.sum(axis=1, keepdims=True)
    return louder.astype(np.float32), targets.astype(np.int64)


def alone(targets: NDArray[np.int64]) -> Units:
    """Each face on a photo of its own."""
    return Units.by_name(range(len(targets)), targets)


def one_stratum(faces: int) -> Units:
    return Units.by_name(range(faces), np.zeros(faces, np.int64))


def made(faces: int, boast: float = 1.0) -> Calibration:
    shares, targets = answers(faces, boast=boast)
    return make_calibration(shares, targets, alone(targets), None, 1.0)


def test_log_loss_is_that_of_sklearn() -> None:
    shares, targets = answers(300)
    shares[:3] = np.eye(5, dtype=np.float32)[:3]  # certain answers, two of them wrong
    targets[:3] = [0, 2, 1]
    losses = log_losses(shares, targets)
    assert losses.mean() == pytest.approx(log_loss(targets, shares, labels=range(5)), rel=1e-6)
    assert losses[1] == pytest.approx(-np.log(np.finfo(np.float32).eps))
    assert losses[0] == pytest.approx(0, abs=2e-7)


def test_brier_score_is_that_of_sklearn() -> None:
    shares, targets = answers(300)
    reference = brier_score_loss(targets, shares, labels=range(5))
    assert brier_scores(shares, targets).mean() == pytest.approx(reference, rel=1e-6)
    wrong = np.array([[0, 1, 0]], np.float32)
    assert brier_scores(wrong, np.array([0])) == pytest.approx([2.0])
    assert brier_scores(wrong, np.array([1])) == pytest.approx([0.0])


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).exponential(1.5, 200)
    ours = mean_interval(values, one_stratum(200))
    assert ours is not None
    rng = np.random.default_rng(2)
    reference = bootstrap((values,), np.mean, method="percentile", rng=rng).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    # Ours is wider by t's quantile; beside that there is the error of drawing.
    assert ours.low == pytest.approx(reference.low, abs=0.02)
    assert ours.high == pytest.approx(reference.high, abs=0.02)


def test_faces_of_one_photo_are_not_independent() -> None:
    values = np.repeat(np.random.default_rng(3).exponential(1.5, 100), 4)
    photos = Units.by_name([i // 4 for i in range(400)], np.zeros(400, np.int64))
    together, apart = mean_interval(values, photos), mean_interval(values, one_stratum(400))
    assert together is not None
    assert apart is not None
    ratio = (together.high - together.low) / (apart.high - apart.low)
    assert ratio == pytest.approx(2, rel=0.1)  # the root of four


@pytest.mark.parametrize("units", [MANY, 4 * MANY])
def test_many_units_are_joined_without_a_change(units: int) -> None:
    values = np.random.default_rng(4).exponential(0.7, units)
    values[: units // 2] *= 1e-3  # a classifier is sure of most
    ours = mean_interval(values, one_stratum(units))
    assert ours is not None
    width = 1.96 * values.std() / units**0.5
    assert ours.low == pytest.approx(values.mean() - width, abs=0.1 * width)
    assert ours.high == pytest.approx(values.mean() + width, abs=0.1 * width)


def test_one_photo_has_no_interval_and_one_value_a_point() -> None:
    one = Units.by_name(["a"] * 5, np.zeros(5, np.int64), faceless=["b"])
    assert mean_interval(np.arange(5.0), one) is None
    alike = mean_interval(np.full(30, 1.6), one_stratum(30))
    assert alike is not None
    assert (alike.low, alike.high) == pytest.approx((1.6, 1.6))


@pytest.mark.parametrize("faces", [1, 2, 14, 184])
def test_any_number_of_faces_gives_plain_numbers(faces: int) -> None:
    found = made(faces)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["faces"] == faces
    assert content["curve"]["coverages"][-1] == 1
    assert content["curve"]["errors"][-1] == pytest.approx(1 - found.accuracy)
    assert (found.log_loss_interval is None) == (faces == 1)
    assert {len(found.equal_mass.bins)} <= set(range(1, 16))
    assert sum(b["faces"] for b in content["equal_width"]["bins"]) == faces
    assert [rule["wanted"] for rule in content["rules"]] == [0.05, 0.1, 0.2]


def test_one_class_only_is_measured_too() -> None:
    shares, _ = answers(40)
    targets = np.full(40, 3)
    found = make_calibration(shares, targets, alone(targets), None, 1.0)
    assert found.accuracy == (shares.argmax(axis=1) == 3).mean()
    assert found.log_loss == pytest.approx(log_loss(targets, shares, labels=range(5)), rel=1e-6)


@pytest.mark.slow
def test_a_hundred_thousand_faces_are_measured() -> None:
    found = made(100_000)
    assert found.log_loss_interval is not None
    assert found.log_loss_interval.high - found.log_loss_interval.low < 0.02
    assert len(found.curve.errors) == 200
    assert found.equal_mass.ece < 0.01
    assert [rule.error.value for rule in found.rules if rule.error] == pytest.approx(
        [0.05, 0.1, 0.2], abs=1e-3
    )


def test_twice_is_the_same() -> None:
    assert made(90).to_dict() == made(90).to_dict()


def test_thresholds_are_chosen_on_validation_and_measured_elsewhere() -> None:
    shares, targets = answers(400, seed=1)
    validation = answers(400, seed=2)
    found = make_calibration(shares, targets, alone(targets), validation, 1.3, wanted=(0.2,))
    same = make_calibration(*validation, alone(validation[1]), None, 1.3, wanted=(0.2,))
    assert (found.chosen_on, same.chosen_on) == ("validation", "evaluated")
    assert found.temperature == 1.3
    (rule,), (chosen,) = found.rules, same.rules
    assert rule.threshold == chosen.threshold
    assert chosen.error is not None
    assert chosen.error.value <= 0.2
    assert rule.error is not None
    assert rule.threshold is not None
    answered = shares.max(axis=1) >= rule.threshold
    wrong = (shares.argmax(axis=1) != targets)[answered]
    assert rule.error.value == pytest.approx(wrong.mean())
    assert rule.coverage is not None
    assert rule.coverage.value == pytest.approx(answered.mean())


def test_what_probabilities_promise_is_told() -> None:
    assert not made(400).equal_mass.beyond_chance
    loud, quiet = made(400, boast=3), made(400, boast=0.4)
    assert loud.equal_mass.beyond_chance
    assert (loud.tendency, quiet.tendency) == ("too much", "too little")
    shares = np.array([[0.9, 0.1], [0.6, 0.4]] * 50, np.float32)
    targets = np.array([i // 2 % 2 if i % 2 == 0 else 0 for i in range(100)])  # half right, all
    found = make_calibration(shares, targets, alone(targets), None, 1.0)
    assert found.confidence == pytest.approx(found.accuracy)
    assert found.tendency == "both"


def test_the_uniform_answer_is_there_to_compare_with() -> None:
    targets = np.arange(40) % 5
    found = make_calibration(np.full((40, 5), 0.2, np.float32), targets, alone(targets), None, 1.0)
    assert found.log_loss == pytest.approx(found.uniform_log_loss, rel=1e-6)
    assert found.brier == pytest.approx(found.uniform_brier, rel=1e-6)
