"""Confident learning: a case by hand, and labels that were made wrong on purpose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import softmax

from emotion.evaluation.suspects.suspects import confident_joint, find_suspects

# Two faces labelled 0, 1 and 2 each, and one more labelled 0.
ROWS = np.array(
    [
        [0.90, 0.05, 0.05],  # 0, and looks so
        [0.10, 0.80, 0.10],  # 0, looks like 1: reaches t_1
        [0.50, 0.10, 0.40],  # 0, and reaches neither its own threshold nor t_1, but t_2
        [0.20, 0.70, 0.10],  # 1, and looks so
        [0.60, 0.30, 0.10],  # 1, looks like 0: reaches t_0
        [0.10, 0.20, 0.70],  # 2, and looks so
        [0.40, 0.55, 0.05],  # 2, looks like 1: reaches t_1
    ],
    np.float32,
)
TARGETS = np.array([0, 0, 0, 1, 1, 2, 2])


def test_a_case_by_hand() -> None:
    found = confident_joint(ROWS, TARGETS)
    # Means of 0.9, 0.1, 0.5; of 0.7, 0.3; of 0.7, 0.05.
    np.testing.assert_allclose(found.thresholds, [0.5, 0.5, 0.375], atol=1e-6)
    # The third face reaches both t_0 = 0.5 and t_2 = 0.375: its class is the likelier, 0.
    assert found.counts.tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 1]]
    expected = np.array([[2, 1, 0], [1, 1, 0], [0, 1, 1]]) / 7
    np.testing.assert_allclose(found.joint, expected)
    assert found.share_wrong == pytest.approx(3 / 7)


def test_suspects_by_hand_stand_by_their_margin() -> None:
    suspects = find_suspects(ROWS, TARGETS)
    assert [(s.index, s.given, s.suggested) for s in suspects] == [(1, 0, 1), (6, 2, 1), (4, 1, 0)]
    assert [s.margin for s in suspects] == pytest.approx([0.1 - 0.8, 0.05 - 0.55, 0.3 - 0.6])
    assert [s.p_given for s in suspects] == pytest.approx([0.1, 0.05, 0.3])
    assert [s.p_suggested for s in suspects] == pytest.approx([0.8, 0.55, 0.6])


def test_a_face_below_all_thresholds_is_counted_nowhere() -> None:
    rows = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.5, 0.5]], np.float32)
    found = confident_joint(rows, np.array([0, 0, 1, 1, 0]))
    assert found.counts.sum() == 4
    # It counts as one of its label all the same: rows sum to the shares of the labels.
    np.testing.assert_allclose(found.joint.sum(axis=1), [3 / 5, 2 / 5])
    assert find_suspects(rows, np.array([0, 0, 1, 1, 0])) == []


def test_a_label_that_is_the_likeliest_class_is_not_suspect() -> None:
    # The first is less surely its own class than the second, and as surely the other class as the
    # third: it counts beside the diagonal, but who would doubt its label?
    rows = np.array([[0.55, 0.45], [0.95, 0.05], [0.60, 0.40]], np.float32)
    assert confident_joint(rows, np.array([0, 0, 1])).counts.tolist() == [[1, 1], [0, 1]]
    assert find_suspects(rows, np.array([0, 0, 1])) == []


def simulated(
    wrong: float, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Probabilities of 2,000 well separated faces; a share of labels is changed to another."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 4, 2000)
    logits = generator.normal(0, 1, (2000, 4))
    logits[np.arange(2000), truth] += 6
    rows = softmax(logits, axis=1).astype(np.float32)
    changed = generator.random(2000) < wrong
    labels = np.where(changed, (truth + generator.integers(1, 4, 2000)) % 4, truth)
    return rows, labels, truth


def test_changed_labels_are_found() -> None:
    rows, labels, truth = simulated(0.1)
    suspects = find_suspects(rows, labels)
    found = np.array([s.index for s in suspects])
    changed = np.flatnonzero(labels != truth)
    assert np.isin(changed, found).mean() > 0.95
    assert np.isin(found, changed).mean() > 0.95
    right = np.array([s.suggested for s in suspects if s.index in set(changed)])
    of_them = np.array([s.index for s in suspects if s.index in set(changed)])
    assert (right == truth[of_them]).mean() > 0.98
    share = confident_joint(rows, labels).share_wrong
    assert share == pytest.approx((labels != truth).mean(), abs=0.01)


def test_the_surest_suspects_come_first() -> None:
    rows, labels, truth = simulated(0.1)
    margins = [s.margin for s in find_suspects(rows, labels)]
    assert margins == sorted(margins)
    first = [s.index for s in find_suspects(rows, labels)[:100]]
    assert (labels[first] != truth[first]).all()


def test_right_labels_are_hardly_suspect() -> None:
    rows, labels, _ = simulated(0)
    assert len(find_suspects(rows, labels)) < 20  # 1 %
    assert confident_joint(rows, labels).share_wrong < 0.01


def test_a_class_without_faces_is_never_suggested() -> None:
    rows = np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], np.float32)
    found = confident_joint(rows, np.array([0, 0, 1]))
    assert found.thresholds[2] == np.inf
    assert find_suspects(rows, np.array([0, 0, 1])) == []
    assert found.counts[:, 2].sum() == 0
    assert np.isfinite(found.joint).all()


def test_one_face_and_one_class() -> None:
    one = np.array([[0.2, 0.8]], np.float32)
    assert find_suspects(one, np.array([0])) == []
    assert find_suspects(np.ones((3, 1), np.float32), np.zeros(3, np.int64)) == []


@st.composite
def answered(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    faces, classes = draw(st.integers(1, 30)), draw(st.integers(1, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = generator.dirichlet(np.ones(classes), faces).astype(np.float32)
    return rows, generator.integers(0, classes, faces)


@given(case=answered())
def test_the_joint_keeps_the_shares_of_labels_and_agrees_with_the_list(
    case: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    rows, targets = case
    found = confident_joint(rows, targets)
    shares = np.bincount(targets, minlength=rows.shape[1]) / len(targets)
    np.testing.assert_allclose(found.joint.sum(axis=1), shares, atol=1e-12)
    beside = found.counts.sum() - np.trace(found.counts)
    suspects = find_suspects(rows, targets)
    assert len(suspects) <= beside
    assert all(s.given != s.suggested and s.given == targets[s.index] for s in suspects)
    assert all(-1 <= s.margin < 0 and s.p_given < s.p_suggested for s in suspects)
    assert all(s.p_suggested >= found.thresholds[s.suggested] - 1e-6 for s in suspects)
