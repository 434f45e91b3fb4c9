"""Two classifiers: the numbers are those of sklearn and statsmodels."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    recall_score,
)
from statsmodels.stats.contingency_tables import mcnemar

from emotion.errors import CheckpointError
from emotion.evaluation.comparison.comparison import Pairs, column_order, compare
from emotion.evaluation.intervals import Units

LABELS = ("neutral", "anger", "smile")


def probabilities(faces: int, seed: int, classes: int = 3) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.full(classes, 0.5), faces).astype(np.float32)


def truth(faces: int) -> NDArray[np.int64]:
    return np.random.default_rng(99).integers(0, 3, faces)


def photos(targets: NDArray[np.int64]) -> Units:
    return Units.by_name([i // 2 for i in range(len(targets))], targets)


def test_the_scores_of_both_are_those_of_sklearn() -> None:
    targets, rows = truth(60), (probabilities(60, 1), probabilities(60, 2))
    found = compare(*rows, targets, LABELS, photos(targets))
    for side, row in zip(("a", "b"), rows, strict=True):
        answers = row.argmax(axis=1)
        spread = ((row - np.eye(3)[targets]) ** 2).sum(axis=1).mean()
        expected = {
            "accuracy": accuracy_score(targets, answers),
            "balanced_accuracy": balanced_accuracy_score(targets, answers),
            "macro_f1": f1_score(targets, answers, average="macro"),
            "log_loss": log_loss(targets, row / row.sum(axis=1, keepdims=True)),
            "brier": spread,
        }
        ours = {name: getattr(score, side) for name, score in found.scores.items()}
        assert ours == pytest.approx(expected, rel=1e-5)
        recalls = [getattr(c.recall, side) for c in found.classes]
        assert recalls == pytest.approx(recall_score(targets, answers, average=None))
    assert [c.label for c in found.classes] == list(LABELS)
    assert [c.faces for c in found.classes] == np.bincount(targets).tolist()
    assert (found.faces, found.units, found.unit) == (60, 30, "photo")
    assert found.same_answers == (rows[0].argmax(axis=1) == rows[1].argmax(axis=1)).sum()
    for score in found.scores.values():
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high


@given(st.tuples(*[st.integers(0, 400)] * 4))
def test_mcnemars_test_is_that_of_statsmodels(counts: tuple[int, int, int, int]) -> None:
    both, only_a, only_b, neither = counts
    expected = mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue
    assert Pairs(*counts).p == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 2), st.integers(1, 30))
def test_pairs_are_counted_and_turn_round_with_the_two(seed: int, faces: int) -> None:
    targets, a, b = truth(faces), probabilities(faces, seed), probabilities(faces, seed + 1)
    found = compare(a, b, targets, LABELS, photos(targets))
    turned = compare(b, a, targets, LABELS, photos(targets))
    assert sum((found.pairs.both, found.pairs.only_a, found.pairs.only_b)) <= faces
    assert found.pairs.only_a - found.pairs.only_b == round(-faces * found.scores["accuracy"].value)
    assert (turned.pairs.only_a, turned.pairs.only_b) == (found.pairs.only_b, found.pairs.only_a)
    assert turned.pairs.p == found.pairs.p
    for name, score in found.scores.items():
        assert turned.scores[name].value == pytest.approx(-score.value)


def test_a_classifier_does_not_differ_from_itself() -> None:
    targets, rows = truth(20), probabilities(20, 1)
    found = compare(rows, rows.copy(), targets, LABELS, photos(targets))
    differences = [*found.scores.values(), *(c.recall for c in found.classes)]
    assert {(d.value, d.low, d.high) for d in differences} == {(0, 0, 0)}
    assert found.identical
    assert found.pairs.p == 1


def test_the_same_answers_with_other_probabilities_are_not_the_same() -> None:
    targets, rows = truth(20), probabilities(20, 1)
    surer = rows**2 / (rows**2).sum(axis=1, keepdims=True)
    found = compare(rows, surer, targets, LABELS, photos(targets))
    assert not found.identical
    assert found.same_answers == 20
    accuracy, loss = found.scores["accuracy"], found.scores["log_loss"]
    assert accuracy.value == 0
    assert accuracy.low == pytest.approx(-(1 - 0.025 ** (1 / 10)))  # of ten photos
    assert loss.value != 0


def test_one_face_of_one_class() -> None:
    targets = np.array([1])
    a, b = np.array([[0.2, 0.7, 0.1]], np.float32), np.array([[0.5, 0.4, 0.1]], np.float32)
    found = compare(a, b, targets, LABELS, photos(targets))
    assert [(c.label, c.faces) for c in found.classes] == [("anger", 1)]
    assert found.scores["accuracy"].value == found.scores["balanced_accuracy"].value == -1
    assert found.scores["accuracy"].side == 0
    assert found.scores["brier"].low is None
    assert found.pairs == Pairs(0, 1, 0, 0)
    json.dumps(found.to_dict(), allow_nan=False)


def test_columns_are_put_in_the_order_of_the_other() -> None:
    order = column_order(LABELS, ("smile", "neutral", "anger"))
    assert probabilities(4, 1)[:, order].tolist() == probabilities(4, 1)[:, [1, 2, 0]].tolist()


@pytest.mark.parametrize("others", [("neutral", "smile"), (*LABELS, "sad"), ("a", "b", "c")])
def test_other_classes_are_refused_by_name(others: tuple[str, ...]) -> None:
    expected = f"^x.ckpt knows neutral, anger, smile, but y.ckpt knows {', '.join(others)}; "
    with pytest.raises(CheckpointError, match=expected):
        column_order(LABELS, others, ("x.ckpt", "y.ckpt"))


def test_the_numbers_are_plain_and_the_same_each_time() -> None:
    targets, a, b = truth(40), probabilities(40, 1), probabilities(40, 2)
    texts = {json.dumps(compare(a, b, targets, LABELS, photos(targets)).to_dict()) for _ in "ab"}
    assert len(texts) == 1
    content = json.loads(texts.pop())
    assert set(content["scores"]["accuracy"]) == {"a", "b", "difference"}
    assert set(content["mcnemar"]) == {"both", "only_a", "only_b", "neither", "p"}


@pytest.mark.slow
def test_a_hundred_thousand_faces_are_no_trouble() -> None:
    faces = 100_000
    targets, a, b = truth(faces), probabilities(faces, 1), probabilities(faces, 2)
    found = compare(a, b, targets, LABELS, photos(targets))
    accuracy = found.scores["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    # The normal interval of a mean of differences.
    gaps = (b.argmax(axis=1) == targets).astype(float) - (a.argmax(axis=1) == targets)
    half = 1.96 * gaps.std() / np.sqrt(faces)
    assert (accuracy.high - accuracy.low) / 2 == pytest.approx(half, rel=0.05)
