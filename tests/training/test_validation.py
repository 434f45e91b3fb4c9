import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score
from torchmetrics.functional.classification import multiclass_calibration_error

from emotion.evaluation.calibration.reliability import reliability
from emotion.training.validation import CalibrationError, ValidationMetrics, class_f1, f1_names

CLASSES = 5
SIZES = st.lists(st.integers(0, 20), min_size=1, max_size=5).filter(any)


def drawn(seed: int, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(n, CLASSES), scale=2).astype(np.float32)
    return torch.from_numpy(logits), torch.from_numpy(generator.integers(0, CLASSES, n))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), SIZES)
def test_the_calibration_error_is_that_of_torchmetrics_for_any_batches(
    seed: int, sizes: list[int]
) -> None:
    logits, targets = drawn(seed, sum(sizes))
    metric = CalibrationError()
    for part in zip(torch.split(logits, sizes), torch.split(targets, sizes), strict=True):
        metric.update(*part)
    expected = multiclass_calibration_error(logits, targets, CLASSES, n_bins=15, norm="l1")
    torch.testing.assert_close(metric.compute(), expected, atol=1e-5, rtol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), SIZES)
def test_the_sums_of_devices_add_up_to_those_of_one(seed: int, sizes: list[int]) -> None:
    logits, targets = drawn(seed, sum(sizes))
    whole, added = CalibrationError(), CalibrationError()
    whole.update(logits, targets)
    added.update(logits[:0], targets[:0])  # or compute would warn
    for part in zip(torch.split(logits, sizes), torch.split(targets, sizes), strict=True):
        device = CalibrationError()
        device.update(*part)
        for name, reduce in added._reductions.items():
            assert callable(reduce)
            both = torch.stack([getattr(added, name), getattr(device, name)])
            setattr(added, name, reduce(both))  # as torchmetrics does with what it has gathered
    assert torch.equal(added.count, whole.count)
    assert torch.equal(added.right, whole.right)
    torch.testing.assert_close(added.compute(), whole.compute())


def logits_of(confidences: list[float]) -> torch.Tensor:
    return torch.tensor([[np.log(p), np.log1p(-p)] for p in confidences])


def test_a_calibration_error_by_hand() -> None:
    # Two bins: (8/15, 9/15] has 0.55, right, and 0.59, wrong; (13/15, 14/15] has 0.9 three times,
    # right twice. Their gaps are |0.57 - 0.5| and |0.9 - 2/3|.
    metric = CalibrationError()
    metric.update(logits_of([0.55, 0.59, 0.9, 0.9, 0.9]), torch.tensor([0, 1, 0, 0, 1]))
    assert float(metric.compute()) == pytest.approx((2 * 0.07 + 3 * (0.9 - 2 / 3)) / 5, abs=1e-6)
    assert metric.count.tolist() == [0] * 8 + [2, 0, 0, 0, 0, 3, 0]


def test_a_bin_holds_its_upper_border() -> None:
    metric = CalibrationError()
    # 1 fills the last bin; equal logits of five classes give 1/5, the border of the third.
    metric.update(torch.tensor([[200.0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]), torch.tensor([0, 0]))
    assert metric.count.nonzero().flatten().tolist() == [2, 14]
    assert float(metric.compute()) == pytest.approx(0.8 / 2)


def test_confidence_that_is_no_number_gives_no_number() -> None:
    metric = CalibrationError()
    metric.update(torch.full((2, 3), float("nan")), torch.tensor([0, 1]))
    assert torch.isnan(metric.compute())


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, CLASSES))
def test_f1_is_sklearns_of_each_class_that_occurs(seed: int, n: int, present: int) -> None:
    generator = np.random.default_rng(seed)
    targets, answers = generator.integers(0, present, n), generator.integers(0, CLASSES, n)
    table = torch.from_numpy(confusion_matrix(targets, answers, labels=range(CLASSES)))
    expected = f1_score(targets, answers, labels=range(CLASSES), average=None, zero_division=0)
    found = class_f1(table, [str(number) for number in range(CLASSES)])
    assert list(found) == [str(number) for number in sorted(set(targets))]
    for name, score in found.items():
        assert float(score) == pytest.approx(expected[int(name)], abs=1e-6)


def test_names_are_safe_and_no_two_are_alike() -> None:
    assert f1_names(["smile", "웃음"]) == ["val/f1_smile", "val/f1_웃음"]
    odd = ["a b", "a/b", "a_b", "a_b_2", "x,\ny", "é-1.5"]
    assert f1_names(odd) == [
        *("val/f1_a_b", "val/f1_a_b_2", "val/f1_a_b_3", "val/f1_a_b_2_2"),
        *("val/f1_x__y", "val/f1_é-1.5"),
    ]


def test_validation_is_measured_as_training_is_and_its_calibration_too() -> None:
    metrics = ValidationMetrics("abcde")
    logits, targets = drawn(1, 9)
    metrics.update(logits, targets)
    found = {name: float(metric.compute()) for name, metric in metrics.named().items()}
    assert set(found) == {
        *("val/loss", "val/accuracy", "val/balanced_accuracy", "val/macro_f1"),
        *("val/samples_seen", "val/ece"),
    }
    assert found["val/samples_seen"] == 9
    assert found["val/ece"] > 0
    assert not metrics.state_dict()
    metrics.reset()
    assert int(metrics.calibration.count.sum()) == int(metrics.totals()[0].sum()) == 0


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_calibration_error_is_that_of_the_report(seed: int, n: int) -> None:
    logits, targets = drawn(seed, n)
    confidence, answers = logits.softmax(dim=1).max(dim=1)
    metric = CalibrationError()
    metric.update(logits, targets)
    expected = reliability(confidence.numpy(), (answers == targets).numpy(), "equal_width")
    assert float(metric.compute()) == pytest.approx(expected.ece, abs=1e-6)
