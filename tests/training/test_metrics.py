import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
)

from emotion.training.metrics import StageMetrics

CLASSES = 5


def measured(targets: np.ndarray, logits: np.ndarray, batch: int) -> dict[str, float]:
    metrics = StageMetrics(CLASSES, "val")
    for start in range(0, len(targets), batch):
        part = slice(start, start + batch)
        metrics.update(torch.from_numpy(logits[part]), torch.from_numpy(targets[part]))
    return {name: float(metric.compute()) for name, metric in metrics.named().items()}


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 20), st.integers(1, CLASSES))
def test_metrics_are_sklearns_for_any_batches(seed: int, n: int, batch: int, present: int) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, present, n)
    logits = generator.normal(size=(n, CLASSES)).astype(np.float32)
    answers = logits.argmax(axis=1)
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    given_ = measured(targets, logits, batch)
    labels = sorted(set(targets) | set(answers))
    recalls = [np.mean(answers[targets == c] == c) for c in sorted(set(targets))]
    assert given_["val/accuracy"] == pytest.approx(accuracy_score(targets, answers), abs=1e-5)
    assert given_["val/balanced_accuracy"] == pytest.approx(np.mean(recalls), abs=1e-5)
    macro = f1_score(targets, answers, labels=labels, average="macro", zero_division=0)
    assert given_["val/macro_f1"] == pytest.approx(macro, abs=1e-5)
    loss = log_loss(targets, shares, labels=range(CLASSES))
    assert given_["val/loss"] == pytest.approx(loss, abs=1e-4)
    assert given_["val/samples_seen"] == n


def test_balanced_accuracy_is_sklearns() -> None:
    targets, answers = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 2])
    logits = np.eye(CLASSES, dtype=np.float32)[answers]
    expected = balanced_accuracy_score(targets, answers)
    assert measured(targets, logits, 4)["val/balanced_accuracy"] == pytest.approx(expected)


def test_a_batch_without_samples_changes_nothing() -> None:
    metrics = StageMetrics(CLASSES, "val")
    metrics.update(torch.zeros(2, CLASSES), torch.tensor([0, 1]))
    metrics.update(torch.zeros(0, CLASSES), torch.zeros(0, dtype=torch.int64))
    assert float(metrics.named()["val/samples_seen"].compute()) == 2
    assert float(metrics.named()["val/loss"].compute()) == pytest.approx(np.log(CLASSES), abs=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 20), min_size=1, max_size=5).filter(any))
def test_totals_of_parts_add_up_to_those_of_the_whole(seed: int, sizes: list[int]) -> None:
    generator = np.random.default_rng(seed)
    logits = torch.from_numpy(generator.normal(size=(sum(sizes), CLASSES)).astype(np.float32))
    targets = torch.from_numpy(generator.integers(0, CLASSES, sum(sizes)))
    whole, added = StageMetrics(CLASSES, "val"), StageMetrics(CLASSES, "val")
    whole.update(logits, targets)
    for part in zip(torch.split(logits, sizes), torch.split(targets, sizes), strict=True):
        device = StageMetrics(CLASSES, "val")
        device.update(*part)
        added.add(*device.totals())
    table, loss = whole.totals()
    assert table.tolist() == sklearn_table(targets, logits)
    assert torch.equal(added.totals()[0], table)
    torch.testing.assert_close(added.totals()[1], loss)
    whole.reset()
    assert int(whole.totals()[0].sum()) == 0
    assert float(whole.totals()[1]) == 0


def sklearn_table(targets: torch.Tensor, logits: torch.Tensor) -> list[list[int]]:
    answers = logits.argmax(dim=1).numpy()
    table: list[list[int]] = confusion_matrix(
        targets.numpy(), answers, labels=range(CLASSES)
    ).tolist()
    return table
