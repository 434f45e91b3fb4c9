"""Scores of the whole and by class, against scikit-learn's."""

from dataclasses import astuple

import numpy as np
import pytest
import sklearn.metrics
from tests.evaluation.subject_maker import make_results, make_subject

from emotion.evaluation.scores import Scores, score

LABELS = ("neutral", "anger", "surprise", "smile", "sad")


def scored(targets: list[int], answers: list[int], labels: tuple[str, ...] = LABELS) -> Scores:
    subject = make_subject([[target] for target in targets])
    return score(make_results(subject, answers, labels), subject.units())


RNG = np.random.default_rng(4)
TARGETS = RNG.integers(0, 5, 184)
ANSWERS = np.where(RNG.random(184) < 0.6, TARGETS, RNG.integers(0, 5, 184))


def test_scores_are_sklearns_and_lie_in_their_intervals() -> None:
    found = scored(TARGETS.tolist(), ANSWERS.tolist())
    expected = {
        "accuracy": sklearn.metrics.accuracy_score(TARGETS, ANSWERS),
        "balanced_accuracy": sklearn.metrics.balanced_accuracy_score(TARGETS, ANSWERS),
        "macro_f1": sklearn.metrics.f1_score(TARGETS, ANSWERS, average="macro"),
    }
    assert found.whole.keys() == expected.keys()
    for name, interval in found.whole.items():
        assert interval.value == pytest.approx(expected[name])
        assert interval.low < interval.value < interval.high
        assert 0.1 < interval.high - interval.low < 0.18  # 1.96 x 2 standard errors are 0.14
    table = sklearn.metrics.confusion_matrix(TARGETS, ANSWERS)
    np.testing.assert_array_equal(found.confusion, table)


def test_classes_are_sklearns() -> None:
    found = scored(TARGETS.tolist(), ANSWERS.tolist())
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        TARGETS, ANSWERS
    )
    for i, one in enumerate(found.classes):
        assert (one.label, one.faces, one.photos) == (LABELS[i], support[i], support[i])
        values = (one.precision, one.recall, one.f1)
        for interval, value in zip(values, (precision[i], recall[i], f1[i]), strict=True):
            assert interval is not None
            assert interval.value == pytest.approx(value)
            assert 0 <= interval.low < value < interval.high <= 1


def test_a_class_has_no_score_where_it_has_no_meaning() -> None:
    # "anger" is never answered, "surprise" does not occur, "sad" neither.
    found = scored([0, 0, 1, 1, 3, 3, 0], [0, 3, 0, 3, 3, 2, 0])
    by_label = {one.label: one for one in found.classes}
    assert by_label["anger"].precision is None
    assert by_label["anger"].recall is not None
    assert by_label["surprise"].recall is None
    assert by_label["surprise"].precision is not None
    sad = by_label["sad"]
    assert (sad.precision, sad.recall, sad.f1, sad.faces) == (None, None, None, 0)


def test_the_best_constant_guess_goes_by_the_truth() -> None:
    found = scored([0, 1, 1, 2], [0, 0, 0, 0], ("a", "b", "c"))
    guess = [1] * 4
    assert found.constant.label == "b"
    assert found.constant.accuracy == 0.5
    assert found.constant.balanced_accuracy == pytest.approx(1 / 3)
    expected = sklearn.metrics.f1_score([0, 1, 1, 2], guess, average="macro", zero_division=0)
    assert found.constant.macro_f1 == pytest.approx(expected)


def test_one_face_says_nearly_nothing() -> None:
    right, wrong = scored([1], [1], ("a", "b")), scored([1], [0], ("a", "b"))
    for interval in right.whole.values():
        # Clopper and Pearson for 1 of 1.
        assert astuple(interval) == pytest.approx((1.0, 0.025, 1.0))
    assert astuple(wrong.whole["accuracy"]) == pytest.approx((0.0, 0.0, 0.975))


def test_one_class_only_is_scored() -> None:
    found = scored([2] * 30, [2] * 20 + [0] * 10)
    assert found.whole["accuracy"].value == pytest.approx(2 / 3)
    assert found.whole["balanced_accuracy"].value == pytest.approx(2 / 3)
    assert found.constant.accuracy == 1


def test_faces_of_a_photo_are_drawn_together() -> None:
    targets = [0, 1] * 50
    answers = [t if (i // 10) % 2 else 1 - t for i, t in enumerate(targets)]
    alone = make_subject([[t] for t in targets])
    together = make_subject([targets[i : i + 10] for i in range(0, 100, 10)])
    widths = []
    for subject in (alone, together):
        found = score(make_results(subject, answers, ("a", "b")), subject.units())
        widths.append(found.whole["accuracy"].high - found.whole["accuracy"].low)
    assert widths[1] > 2 * widths[0]
    assert (found.photos, found.units, found.unit) == (10, 10, "photo")


def test_plain_values_for_json() -> None:
    content = scored(TARGETS.tolist(), ANSWERS.tolist()).to_dict()
    assert content["faces"] == 184
    assert content["scores"]["accuracy"].keys() == {"value", "low", "high"}
    assert content["confusion"][0][0] == int(((TARGETS == 0) & (ANSWERS == 0)).sum())
    assert (content["unit"], content["units"], content["resamples"]) == ("photo", 184, 10_000)
