"""Bins of confidence and ECE, by hand and against torchmetrics; what chance does, by drawing."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torchmetrics.functional.classification import multiclass_calibration_error

from emotion.evaluation.calibration.reliability import (
    Binning,
    are_right,
    bin_limits,
    confidences_of,
    reliability,
)

BINNINGS: tuple[Binning, Binning] = ("equal_mass", "equal_width")
HAND = np.array([0.95, 0.63, 0.61, 0.65], np.float32)
HAND_RIGHT = np.array([True, False, True, True])


def drawn(faces: int, classes: int = 5, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, 0.6), faces).astype(np.float32)


def test_equal_width_is_that_by_hand() -> None:
    found = reliability(HAND, HAND_RIGHT, "equal_width")
    # (9/15, 10/15] has three faces, of which two are right; (14/15, 1] has one.
    assert [b.faces for b in found.bins] == [3, 1]
    assert [b.low for b in found.bins] == pytest.approx([9 / 15, 14 / 15])
    assert [b.high for b in found.bins] == pytest.approx([10 / 15, 1])
    assert [b.confidence for b in found.bins] == pytest.approx([0.63, 0.95])
    assert [b.accuracy for b in found.bins] == pytest.approx([2 / 3, 1])
    assert found.ece == pytest.approx(0.75 * (2 / 3 - 0.63) + 0.25 * 0.05)


def test_equal_mass_is_that_by_hand() -> None:
    found = reliability(HAND, HAND_RIGHT, "equal_mass", bins=2)
    # 0.61 and 0.63, of which one is right; 0.65 and 0.95, both right.
    assert [b.faces for b in found.bins] == [2, 2]
    assert [b.confidence for b in found.bins] == pytest.approx([0.62, 0.80])
    assert [b.accuracy for b in found.bins] == pytest.approx([0.5, 1])
    assert [b.low for b in found.bins] == pytest.approx([0, 0.63])
    assert [b.high for b in found.bins] == pytest.approx([0.63, 0.95])
    assert found.ece == pytest.approx(0.5 * 0.12 + 0.5 * 0.20)


def test_equal_width_is_that_of_torchmetrics() -> None:
    shares = drawn(700)
    targets = np.random.default_rng(1).integers(0, 5, 700)
    reference = multiclass_calibration_error(
        torch.from_numpy(shares), torch.from_numpy(targets), 5, n_bins=15, norm="l1"
    )
    found = reliability(confidences_of(shares), are_right(shares, targets), "equal_width")
    assert found.ece == pytest.approx(float(reference), abs=1e-6)


@pytest.mark.parametrize("faces", [15, 150, 184, 700])
def test_equal_mass_cuts_the_sorted_faces_into_equal_parts(faces: int) -> None:
    sure = np.random.default_rng(2).permutation(np.linspace(0.2, 1, faces)).astype(np.float32)
    right = np.random.default_rng(3).random(faces) < sure
    found = reliability(sure, right, "equal_mass")
    assert len(found.bins) == 15
    assert sum(b.faces for b in found.bins) == faces
    assert max(b.faces for b in found.bins) - min(b.faces for b in found.bins) <= 1
    order, start, ece = np.argsort(sure), 0, 0.0
    for one in found.bins:
        part = order[start : start + one.faces]
        ece += abs(sure[part].sum(dtype=np.float64) - right[part].sum()) / faces
        start += one.faces
    assert found.ece == pytest.approx(ece)


def test_a_limit_belongs_to_the_bin_below() -> None:
    for binning, limits in (("equal_width", [3, 6, 9, 15]), ("equal_mass", [5, 10, 15])):
        sure = np.array([limit / 15 for limit in limits], np.float32)
        found = reliability(sure, np.ones(len(limits), bool), binning)  # type: ignore[arg-type]
        assert [b.high for b in found.bins] == pytest.approx(sure.tolist(), abs=1e-7)


def test_equally_sure_faces_are_never_parted() -> None:
    sure = np.array([0.5] * 7 + [0.8] * 2 + [0.9], np.float32)
    right = np.arange(10) % 2 == 0
    for order in (np.arange(10), np.arange(10)[::-1]):
        found = reliability(sure[order], right[order], "equal_mass", bins=5)
        assert [b.faces for b in found.bins] == [7, 2, 1]
        assert found.ece == pytest.approx(0.7 * abs(0.5 - 4 / 7) + 0.2 * 0.3 + 0.1 * 0.9)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.sampled_from(BINNINGS))
def test_every_face_is_in_one_bin(thirtieths: list[int], binning: Binning) -> None:
    sure = (np.array(thirtieths) / 30).astype(np.float32)
    found = reliability(sure, np.arange(len(sure)) % 3 == 0, binning)
    assert sum(b.faces for b in found.bins) == len(sure)
    assert len(found.bins) <= min(15, len(set(thirtieths)))
    for one in found.bins:
        inside = (sure > one.low) & (sure <= one.high)
        assert inside.sum() == one.faces
        assert one.low - 1e-6 <= one.confidence <= one.high + 1e-6
    assert all(a.high <= b.low for a, b in zip(found.bins, found.bins[1:], strict=False))
    mean_gap = abs(sure.mean(dtype=np.float64) - (np.arange(len(sure)) % 3 == 0).mean())
    assert mean_gap - 1e-6 <= found.ece <= 1


@pytest.mark.parametrize("binning", BINNINGS)
def test_one_face_is_enough(binning: Binning) -> None:
    found = reliability(np.array([0.7], np.float32), np.array([False]), binning)
    assert len(found.bins) == 1
    assert found.ece == pytest.approx(0.7)
    # Right in 70 of 100 cases, where the ECE would be 0.3; else 0.7.
    assert found.ece_by_chance == pytest.approx(0.7 * 0.3 + 0.3 * 0.7, abs=0.02)
    assert found.ece_by_chance_95 == pytest.approx(0.7)
    assert not found.beyond_chance


@pytest.mark.parametrize("binning", BINNINGS)
def test_what_chance_does_is_what_drawn_labels_do(binning: Binning) -> None:
    shares = drawn(300, seed=5)
    rng = np.random.default_rng(6)
    ranks = shares.cumsum(axis=1)[:, :-1]
    errors, rates = [], []
    for _ in range(300):
        targets = (ranks < rng.random((300, 1))).sum(axis=1)
        right = are_right(shares, targets)
        limits = bin_limits(confidences_of(shares), binning)
        places = np.digitize(confidences_of(shares), limits[1:-1], right=True)
        gaps = np.bincount(places, right - confidences_of(shares).astype(np.float64))
        errors.append(np.abs(gaps).sum() / 300)
        rates.append(right[places == places.max()].mean())
    found = reliability(confidences_of(shares), right, binning)
    assert found.ece_by_chance == pytest.approx(np.mean(errors), rel=0.05)
    assert found.ece_by_chance_95 == pytest.approx(np.quantile(errors, 0.95), rel=0.08)
    last = found.bins[-1]
    low, high = np.quantile(rates, [0.025, 0.975])
    assert (last.chance_low, last.chance_high) == pytest.approx((low, high), abs=0.06)


def test_true_probabilities_are_seldom_beyond_chance_and_boastful_ones_are() -> None:
    beyond = {1.0: 0, 0.6: 0}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sure = rng.uniform(0.3, 1, 120).astype(np.float32)
        for honesty in beyond:
            right = rng.random(120) < honesty * sure
            beyond[honesty] += reliability(sure, right, "equal_mass").beyond_chance
    assert beyond[1.0] <= 6  # 2 are expected
    assert beyond[0.6] >= 37


def test_many_faces_are_drawn_as_few() -> None:
    rng = np.random.default_rng(7)
    sure = rng.uniform(0.2, 1, 20_000).astype(np.float32)
    found = reliability(sure, rng.random(20_000) < sure, "equal_width")
    # The mean of |Z| / sqrt(2 / pi) is the standard deviation, and each bin's is known.
    expected = 0.0
    for one in found.bins:
        inside = sure[(sure > one.low) & (sure <= one.high)].astype(np.float64)
        expected += np.sqrt(2 / np.pi * (inside * (1 - inside)).sum()) / 20_000
    assert found.ece_by_chance == pytest.approx(expected, rel=0.03)


def test_of_equal_classes_the_first_is_the_answer() -> None:
    shares = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]], np.float32)
    np.testing.assert_array_equal(are_right(shares, np.array([0, 2])), [True, False])
    np.testing.assert_allclose(confidences_of(shares), 0.4)
