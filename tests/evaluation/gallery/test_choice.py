"""What is chosen to be shown: the worst mistakes first, right answers of all classes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.evaluation.gallery.choice import FalseFind, choose
from emotion.faces.boxes import Box
from emotion.faces.samples import FaceSample


def sample(number: int, target: int, side: int = 20) -> FaceSample:
    box = Box(0, 0, side, side)
    return FaceSample(Path(f"{number:04}.jpg"), Path(f"{number:04}.xml"), 1, 1, box, target)


def rows_of(answers: list[int], surety: list[float], classes: int = 5) -> NDArray[np.float32]:
    """Rows whose greatest value stands at the answer."""
    rows = np.full((len(answers), classes), 0.0, np.float32)
    for row, answer, share in zip(rows, answers, surety, strict=True):
        row[:] = (1 - share) / (classes - 1)
        row[answer] = share
    return rows


def test_the_worst_mistakes_come_first() -> None:
    surety = [0.5, 0.9, 0.7, 0.99, 0.9]
    answers, targets = [1, 2, 3, 0, 4], [0, 0, 0, 0, 0]  # the fourth is right
    samples = [sample(i, target) for i, target in enumerate(targets)]
    choice = choose(samples, rows_of(answers, surety))
    assert [face.image.stem for face in choice.mistakes.faces] == ["0001", "0004", "0002", "0000"]
    assert [face.answer for face in choice.mistakes.faces] == [2, 4, 3, 1]
    assert {face.truth for face in choice.mistakes.faces} == {0}
    assert choice.mistakes.total == 4
    assert choice.right.total == 1
    assert choice.missed is None
    assert choice.false_finds is None


def test_right_answers_are_spread_over_the_classes_and_some_are_uncertain() -> None:
    # Class 0 has a hundred right answers, classes 1 and 2 have thirty, class 3 has one.
    counts = {0: 100, 1: 30, 2: 30, 3: 1}
    targets = [target for target, count in counts.items() for _ in range(count)]
    surety = np.random.default_rng(0).uniform(0.4, 1, len(targets)).tolist()
    samples = [sample(i, target) for i, target in enumerate(targets)]
    right = choose(samples, rows_of(targets, surety)).right
    shown = [face.truth for face in right.faces]
    assert {target: shown.count(target) for target in counts} == {0: 4, 1: 4, 2: 3, 3: 1}
    assert right.total == 161
    for target in (0, 1, 2):
        own = sorted(s for s, t in zip(surety, targets, strict=True) if t == target)
        of_class = [face.probabilities for face in right.faces if face.truth == target]
        sure = [float(row.max()) for row in of_class if row is not None]
        assert sure[:-1] == pytest.approx(own[::-1][: len(sure) - 1])
        assert sure[-1] == pytest.approx(own[0])


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=80),
    st.integers(0, 2**32),
)
def test_nothing_is_shown_twice_and_nothing_too_often(
    pairs: list[tuple[int, int]], seed: int
) -> None:
    samples = [sample(i, target) for i, (target, _) in enumerate(pairs)]
    surety = np.random.default_rng(seed).uniform(0.3, 1, len(pairs)).tolist()
    rows = rows_of([answer for _, answer in pairs], surety)
    choice = choose(samples, rows)
    again = choose(samples, rows)
    wrong = sum(target != answer for target, answer in pairs)
    assert (choice.mistakes.total, choice.right.total) == (wrong, len(pairs) - wrong)
    assert len(choice.mistakes.faces) == min(wrong, 24)
    assert len(choice.right.faces) == min(len(pairs) - wrong, 12)
    shown = [face.image for face in (*choice.mistakes.faces, *choice.right.faces)]
    assert len(set(shown)) == len(shown)
    assert shown == [face.image for face in (*again.mistakes.faces, *again.right.faces)]
    assert all(face.answer == face.truth for face in choice.right.faces)
    assert all(face.answer != face.truth for face in choice.mistakes.faces)


def test_the_largest_missed_faces_and_the_surest_false_finds_are_shown() -> None:
    samples = [sample(i, 0, side=20 + i % 15) for i in range(30)]
    row = np.array([0.2, 0.8], np.float32)
    finds = [FalseFind(Path(f"{i}.jpg"), Box(0, 0, 9, 9), (i * 7) % 20, row) for i in range(20)]
    rows = np.tile(np.array([0.9, 0.1], np.float32), (30, 1))
    choice = choose(samples, rows, missed=range(30), false_finds=finds)
    assert choice.missed is not None
    assert choice.false_finds is not None
    sides = [face.box.width for face in choice.missed.faces]
    assert sides == [34, 34, 33, 33, 32, 32, 31, 31, 30, 30, 29, 29]
    assert choice.missed.total == 30
    assert choice.missed.faces[0].answer is None
    assert [face.score for face in choice.false_finds.faces] == list(range(19, 7, -1))
    assert {face.truth for face in choice.false_finds.faces} == {None}
    assert {face.answer for face in choice.false_finds.faces} == {1}


def test_a_detector_without_mistakes_is_not_the_same_as_none() -> None:
    choice = choose([sample(0, 0)], rows_of([0], [0.9]), missed=[], false_finds=[])
    assert choice.missed is not None
    assert choice.missed.total == 0
    assert choice.false_finds is not None
