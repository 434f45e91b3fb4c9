"""The sentence claims no more than its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar

from emotion.evaluation.comparison.comparison import Comparison, compare
from emotion.evaluation.comparison.paired import Difference
from emotion.evaluation.comparison.verdict import signed, verdict
from emotion.evaluation.intervals import Units

LABELS = ("neutral", "smile")


def made(
    answers_a: NDArray[np.int64], answers_b: NDArray[np.int64], targets: NDArray[np.int64]
) -> Comparison:
    rows = [(0.2 + 0.6 * np.eye(2)[given]).astype(np.float32) for given in (answers_a, answers_b)]
    rows[1] = np.where(rows[1] > 0.5, np.float32(0.7), np.float32(0.3))  # not the same network
    units = Units.by_name([f"{i}.jpg" for i in range(len(targets))], targets)
    return compare(rows[0], rows[1], targets, LABELS, units)


def wrong_on(targets: NDArray[np.int64], *places: slice) -> NDArray[np.int64]:
    answers = targets.copy()
    for place in places:
        answers[place] = 1 - answers[place]
    return answers


TARGETS = np.arange(200) % 2


def test_a_difference_that_all_agree_on_is_named_with_its_data() -> None:
    better = made(wrong_on(TARGETS, slice(0, 60)), wrong_on(TARGETS, slice(0, 20)), TARGETS)
    text = verdict(better, "faces5-test")
    assert text.startswith("B names more faces rightly than A: +20.0 points of accuracy [+14.")
    assert "], +20.0 of balanced accuracy [+14." in text
    assert text.endswith("], McNemar's p < 0.001, on 200 faces in 200 photos of faces5-test.")
    known = verdict(better, "faces5-test", warned=True)
    assert known == text[:-1] + ", which were not all new to both."


def test_the_other_way_round_the_signs_are_turned() -> None:
    worse = made(wrong_on(TARGETS, slice(0, 20)), wrong_on(TARGETS, slice(0, 60)), TARGETS)
    text = verdict(worse, "faces5-test")
    assert text.startswith("A names more faces rightly than B: +20.0 points of accuracy [+14.")


def test_what_is_not_sure_is_not_claimed_and_the_reach_is_told() -> None:
    close = made(wrong_on(TARGETS, slice(0, 20)), wrong_on(TARGETS, slice(14, 30)), TARGETS)
    accuracy = close.scores["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    half = 50 * (accuracy.high - accuracy.low)
    text = verdict(close, "faces5-test")
    assert text.startswith(
        "These 200 faces in 200 photos of faces5-test do not tell A and B apart: B − A is +2.0"
        " points of accuracy [−"
    )
    assert text.endswith(
        f"McNemar's p = 0.541; the interval reaches about {half:.1f} points to each side, and a"
        " smaller difference of accuracy would hardly show on them."
    )


def test_accuracy_alone_does_not_decide() -> None:
    # B finds the many neutral faces and loses most of the few smiles.
    targets = np.array([0] * 180 + [1] * 20)
    one = made(wrong_on(targets, slice(0, 40)), wrong_on(targets, slice(185, 200)), targets)
    text = verdict(one, "x")
    assert text.startswith("These 200 faces in 200 photos of x do not tell A and B apart: ")
    assert "; accuracy speaks for B, balanced accuracy for A and McNemar's test for B; " in text


def test_the_same_file_and_the_same_network_are_told() -> None:
    same = made(TARGETS, TARGETS, TARGETS)
    assert verdict(same, "x", same_file=True) == (
        "A and B are the same file; there is nothing to compare."
    )
    assert verdict(replace(same, identical=True), "x") == (
        "A and B give the very same probabilities on 200 faces in 200 photos of x; they may be one"
        " network."
    )
    text = verdict(same, "x")
    assert " do not tell A and B apart, since both give the same answers: B − A is 0.0 " in text


def test_one_face_is_one_and_persons_are_persons() -> None:
    one = made(np.array([0]), np.array([1]), np.array([1]))
    assert verdict(one, "x").startswith("This 1 face in 1 photo of x does not tell A and B apart: ")
    of_persons = replace(one, unit="person", units=1)
    assert "1 face of 1 person in x does not" in verdict(of_persons, "x")


def test_a_name_cannot_hide_or_run_on() -> None:
    text = verdict(made(TARGETS, TARGETS, TARGETS), "\u202e" + "x" * 500)
    assert "\u202e" not in text
    assert len(text) < 500


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 0.9), st.floats(0.3, 0.9))
def test_nobody_is_said_to_be_right_more_often_without_a_significant_test(
    seed: int, skill_a: float, skill_b: float
) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, 2, 80)
    a, b = (
        np.where(generator.random(80) < skill, targets, 1 - targets) for skill in (skill_a, skill_b)
    )
    text = verdict(made(a, b, targets), "x")
    right_a, right_b = a == targets, b == targets
    table = [[(x & y).sum() for y in (right_b, ~right_b)] for x in (right_a, ~right_a)]
    if text.startswith(("A names", "B names")):
        assert mcnemar(table, exact=True).pvalue < 0.05
        assert text[0] == ("A" if right_a.sum() > right_b.sum() else "B")
    else:
        assert "do not tell A and B apart" in text


def test_an_end_that_is_not_zero_does_not_look_like_it() -> None:
    found = made(wrong_on(TARGETS, slice(0, 60)), wrong_on(TARGETS, slice(0, 20)), TARGETS)
    scores = found.scores | {"accuracy": Difference(0.5, 0.502, 0.0003, 0.004)}
    assert "+0.20 points of accuracy [+0.03, +0.40]" in verdict(replace(found, scores=scores), "x")


@pytest.mark.parametrize(
    ("number", "text"), [(0.04, "0.0"), (-0.04, "0.0"), (0.05, "+0.1"), (-12.34, "−12.3")]
)
def test_zero_has_no_sign(number: float, text: str) -> None:
    assert signed(number + 1e-9, 1) == text
