"""Scores, against scikit-learn's."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    f1_scores,
    macro_f1,
    precisions,
    recalls,
)

Ints = NDArray[np.int64]


@st.composite
def answered(draw: st.DrawFn) -> tuple[Ints, Ints, int]:
    """Targets, answers and the number of classes; not every class need occur or be answered."""
    classes = draw(st.integers(2, 6))
    present = draw(st.lists(st.integers(0, classes - 1), min_size=1, unique=True))
    pairs = st.tuples(st.sampled_from(present), st.integers(0, classes - 1))
    targets, answers = zip(*draw(st.lists(pairs, min_size=1, max_size=40)), strict=True)
    return np.array(targets, dtype=np.int64), np.array(answers, dtype=np.int64), classes


def table_of(case: tuple[Ints, Ints, int]) -> NDArray[np.float64]:
    return confusion_matrix(*case).astype(np.float64)


@given(case=answered())
def test_the_confusion_matrix_is_sklearns(case: tuple[Ints, Ints, int]) -> None:
    targets, answers, classes = case
    expected = sklearn.metrics.confusion_matrix(targets, answers, labels=range(classes))
    table = confusion_matrix(targets, answers, classes)
    assert table.dtype == np.int64
    np.testing.assert_array_equal(table, expected)


def test_rows_are_truth_and_columns_are_answers() -> None:
    table = confusion_matrix(np.array([0, 0]), np.array([2, 2]), 3)
    assert table.tolist() == [[0, 0, 2], [0, 0, 0], [0, 0, 0]]


def test_no_samples_make_a_table_of_zeros() -> None:
    nothing = np.array([], dtype=np.int64)
    assert confusion_matrix(nothing, nothing, 2).tolist() == [[0, 0], [0, 0]]


@given(case=answered())
def test_accuracy_is_sklearns(case: tuple[Ints, Ints, int]) -> None:
    expected = sklearn.metrics.accuracy_score(*case[:2])
    assert accuracy(table_of(case)) == pytest.approx(expected)


@given(case=answered())
def test_balanced_accuracy_is_sklearns(case: tuple[Ints, Ints, int]) -> None:
    with warnings.catch_warnings():
        # sklearn remarks that a class is answered that does not occur; that case is meant here.
        warnings.simplefilter("ignore")
        expected = sklearn.metrics.balanced_accuracy_score(*case[:2])
    assert balanced_accuracy(table_of(case)) == pytest.approx(expected)


@given(case=answered())
def test_macro_f1_is_sklearns(case: tuple[Ints, Ints, int]) -> None:
    expected = sklearn.metrics.f1_score(*case[:2], average="macro")
    assert macro_f1(table_of(case)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (precisions, sklearn.metrics.precision_score),
        (recalls, sklearn.metrics.recall_score),
        (f1_scores, sklearn.metrics.f1_score),
    ],
)
@given(case=answered())
def test_scores_by_class_are_sklearns_and_nan_where_they_have_no_meaning(
    ours: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    theirs: Callable[..., NDArray[np.float64]],
    case: tuple[Ints, Ints, int],
) -> None:
    targets, answers, classes = case
    expected = theirs(targets, answers, labels=range(classes), average=None, zero_division=np.nan)
    np.testing.assert_allclose(ours(table_of(case)), expected)


@pytest.mark.parametrize(
    "score", [accuracy, balanced_accuracy, macro_f1, precisions, recalls, f1_scores]
)
def test_many_tables_are_scored_as_one_by_one(
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> None:
    tables = np.random.default_rng(0).integers(0, 3, (4, 7, 3, 3)).astype(np.float64)
    tables[0, 0, 1] = 0  # a class that does not occur
    tables[0, 1, :, 2] = 0  # one that is never answered
    expected = [[score(table) for table in row] for row in tables]
    np.testing.assert_allclose(score(tables), expected)
