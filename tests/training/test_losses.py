"""The loss in training, against sklearn's weights and torch's own cross-entropy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from torch import Tensor
from torch.nn.functional import cross_entropy

from emotion.errors import ConfigError
from emotion.training.losses import TrainedLoss, balanced_weights

COUNTS = [700, 300, 200, 90, 10]  # a rare class weighs 26, the most frequent 0.37
MANY = st.lists(st.integers(0, 2000), min_size=2, max_size=8).filter(any)


def batch(n: int, seed: int = 0, counts: Sequence[int] = COUNTS) -> tuple[Tensor, Tensor]:
    """Gives logits that want a gradient, and targets of the classes that occur."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, len(counts), generator=generator)
    occurring = torch.tensor([c for c, count in enumerate(counts) if count])
    targets = occurring[torch.randint(len(occurring), (n,), generator=generator)]
    return logits.requires_grad_(), targets


def told(counts: Sequence[int] = COUNTS, **options: Any) -> TrainedLoss:
    loss = TrainedLoss(len(counts), **options)
    loss.set_class_counts(counts)
    return loss


def faces(counts: Sequence[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.repeat(np.arange(len(counts)), counts)


@given(counts=MANY)
def test_balanced_weights_are_sklearns_and_0_for_a_class_without_faces(counts: list[int]) -> None:
    targets = faces(counts)
    expected = np.zeros(len(counts))
    expected[np.unique(targets)] = compute_class_weight(
        "balanced", classes=np.unique(targets), y=targets
    )
    np.testing.assert_allclose(balanced_weights(counts).numpy(), expected, rtol=1e-6)


@given(counts=MANY)
def test_balanced_weights_average_1_over_the_faces(counts: list[int]) -> None:
    weights = balanced_weights(counts)
    assert bool(torch.isfinite(weights).all())
    assert float(weights[faces(counts)].double().mean()) == pytest.approx(1, rel=1e-5)


def test_with_all_options_off_loss_and_gradient_are_torchs_to_the_last_bit() -> None:
    logits, targets = batch(33)
    ours = told()(logits, targets) / 33
    (gradient,) = torch.autograd.grad(ours, logits)
    golden = torch.nn.CrossEntropyLoss()(logits, targets)
    (expected,) = torch.autograd.grad(golden, logits)
    assert torch.equal(ours, golden)
    assert torch.equal(gradient, expected)


def test_smoothing_alone_is_torchs() -> None:
    logits, targets = batch(33)
    expected = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(logits, targets)
    torch.testing.assert_close(told(label_smoothing=0.1)(logits, targets) / 33, expected)


def test_no_faces_have_a_loss_and_gradients_of_0() -> None:
    many: list[dict[str, Any]] = [{}, {"class_weights": "balanced", "label_smoothing": 0.1}]
    for options in many:
        logits = torch.zeros(0, 5, requires_grad=True)
        value = told(**options)(logits, torch.zeros(0, dtype=torch.int64))
        value.backward()
        assert float(value.detach()) == 0
        assert logits.grad is not None


@given(counts=MANY, n=st.integers(1, 40), seed=st.integers(0, 1000))
def test_weights_are_torchs_weighted_sum(counts: list[int], n: int, seed: int) -> None:
    logits, targets = batch(n, seed, counts)
    weight = np.zeros(len(counts))
    occurring = np.flatnonzero(counts)
    weight[occurring] = compute_class_weight("balanced", classes=occurring, y=faces(counts))
    expected = cross_entropy(
        logits, targets, weight=torch.from_numpy(weight).float(), reduction="sum"
    )
    given = told(counts, class_weights="balanced")(logits, targets)
    torch.testing.assert_close(given, expected, rtol=1e-5, atol=1e-5)


def test_with_smoothing_too_each_face_has_sklearns_sample_weight() -> None:
    # One batch that is the whole data set, so that sklearn sees the counts.
    targets = torch.from_numpy(faces(COUNTS))
    logits = torch.randn(len(targets), 5, generator=torch.Generator().manual_seed(0))
    weights = torch.from_numpy(compute_sample_weight("balanced", targets.numpy()))
    each = cross_entropy(logits, targets, label_smoothing=0.1, reduction="none")
    given = told(class_weights="balanced", label_smoothing=0.1)(logits, targets)
    assert float(given) == pytest.approx(float((weights * each).sum()), rel=1e-5)


def test_what_weights_and_smoothing_teach_of_a_frequent_class_is_that_class() -> None:
    logits = torch.zeros(1, 5, requires_grad=True)
    target = torch.tensor([0])
    (ours,) = torch.autograd.grad(
        told(class_weights="balanced", label_smoothing=0.1)(logits, target), logits
    )
    assert int(ours.argmin()) == 0  # descending raises class 0 most
    # The reason for not leaving it to torch: there the rare class is raised most.
    weight = balanced_weights(COUNTS)
    theirs = cross_entropy(logits, target, weight=weight, label_smoothing=0.1)
    (gradient,) = torch.autograd.grad(theirs, logits)
    assert int(gradient.argmin()) == 4


def test_parts_however_unequal_add_up_to_the_whole() -> None:
    loss = told(class_weights="balanced", label_smoothing=0.1)
    logits, _ = batch(24)
    targets = torch.tensor([4] + [0] * 23)  # one rare face, and only one part has it
    whole = loss(logits, targets)
    sizes = [1, 16, 0, 7]
    parts = zip(torch.split(logits, sizes), torch.split(targets, sizes), strict=True)
    total = torch.stack([loss(*part) for part in parts]).sum()
    torch.testing.assert_close(whole, total)
    (expected,), (given,) = (torch.autograd.grad(value, logits) for value in (whole, total))
    torch.testing.assert_close(given, expected)


def test_torchs_own_weighted_mean_would_not() -> None:
    weight = balanced_weights(COUNTS)
    logits, _ = batch(24)
    targets = torch.tensor([4] + [0] * 23)
    whole = cross_entropy(logits, targets, weight=weight)
    halves = zip(logits.chunk(2), targets.chunk(2), strict=True)
    mean = torch.stack([cross_entropy(*half, weight=weight) for half in halves]).mean()
    # The rare face counts 26 of 26 + 23 * 0.37, but in halves one half of 26 of 26 + 11 * 0.37.
    (expected,), (given,) = (torch.autograd.grad(value, logits) for value in (whole, mean))
    assert float(given[0].norm() / expected[0].norm()) == pytest.approx(0.574, abs=0.001)


def test_a_class_without_faces_spoils_nothing() -> None:
    loss = told([5, 0, 3], class_weights="balanced", label_smoothing=0.1, logit_adjustment=1.0)
    logits, targets = batch(8, counts=[5, 0, 3])
    value = loss(logits, targets)
    (gradient,) = torch.autograd.grad(value, logits)
    assert bool(value.isfinite())
    assert bool(gradient.isfinite().all())
    assert loss.weights.tolist() == pytest.approx([0.8, 0, 4 / 3])  # 8 / (2 * 5), 8 / (2 * 3)


def test_adjustment_adds_the_log_shares() -> None:
    loss = told([10, 20, 30, 40, 0], logit_adjustment=0.5)
    log_shares = torch.tensor([0.1, 0.2, 0.3, 0.4, 1e-6]).log()
    logits, targets = batch(9)
    expected = cross_entropy(logits + 0.5 * log_shares, targets, reduction="sum")
    torch.testing.assert_close(loss(logits, targets), expected)


@given(counts=st.lists(st.integers(1, 2000), min_size=5, max_size=5))
def test_adjustment_beside_weights_counts_no_class_twice(counts: list[int]) -> None:
    logits, targets = batch(9)
    both = told(counts, class_weights="balanced", logit_adjustment=1.0)
    weights = told(counts, class_weights="balanced")
    torch.testing.assert_close(both(logits, targets), weights(logits, targets))


def test_nothing_is_left_to_do_where_a_sampler_draws_all_classes_alike() -> None:
    logits, targets = batch(9)
    loss = told([1, 1, 1, 1, 1], class_weights="balanced", logit_adjustment=1.0)
    expected = cross_entropy(logits, targets, reduction="sum")
    torch.testing.assert_close(loss(logits, targets), expected)


def test_only_options_that_go_by_counts_need_them() -> None:
    assert not TrainedLoss(5, label_smoothing=0.1).needs_counts
    for options in ({"class_weights": "balanced"}, {"logit_adjustment": 0.5}):
        assert TrainedLoss(5, **options).needs_counts
        assert not told(**options).needs_counts


def test_nothing_of_it_is_saved() -> None:
    assert told(class_weights="balanced", logit_adjustment=1.0).state_dict() == {}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"class_weights": "balance"}, "class_weights: expected none or balanced, got balance$"),
        ({"class_weights": None}, "class_weights: expected none or balanced, got None$"),
        ({"label_smoothing": 1.5}, "label_smoothing: expected 0 to 1, got 1.5$"),
        ({"label_smoothing": True}, "label_smoothing: expected 0 to 1, got True$"),
        ({"label_smoothing": "a"}, "label_smoothing: expected 0 to 1, got a$"),
        ({"label_smoothing": float("nan")}, "label_smoothing: expected 0 to 1, got nan$"),
        ({"logit_adjustment": float("inf")}, r"logit_adjustment: expected 0 \(off\) or .* got inf"),
        ({"logit_adjustment": "a"}, r"logit_adjustment: expected 0 \(off\) or a factor .* got a$"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=rf"^model\.{text}"):
        TrainedLoss(5, **options)
