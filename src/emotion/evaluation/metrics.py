"""Scores of a classifier, from its confusion matrix."""

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(
    targets: NDArray[np.int64], answers: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Counts truth (rows) by answer (columns): classes x classes, int64."""
    table = np.bincount(targets * classes + answers, minlength=classes * classes)
    return table.reshape(classes, classes).astype(np.int64)


def accuracy(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the share of right answers for tables ... x classes x classes."""
    right: NDArray[np.float64] = np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1))
    return right


def recalls(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives each class's share found, ... x classes; NaN for a class that does not occur."""
    return divide(np.diagonal(tables, axis1=-2, axis2=-1), tables.sum(axis=-1))


def precisions(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives how often each answer is right, ... x classes; NaN for one that was never given."""
    return divide(np.diagonal(tables, axis1=-2, axis2=-1), tables.sum(axis=-2))


def f1_scores(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives each class's F1, ... x classes; NaN for one that neither occurs nor is answered."""
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    return divide(2 * right, tables.sum(axis=-1) + tables.sum(axis=-2))


def balanced_accuracy(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the mean recall of the classes that occur, as sklearn's `balanced_accuracy_score`."""
    return _mean_known(recalls(tables))


def macro_f1(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the mean F1 of the classes that occur or are answered, as sklearn's macro average."""
    return _mean_known(f1_scores(tables))


def divide(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divides element by element; NaN where nothing is divided by."""
    unknown = np.full(below.shape, np.nan)
    shares: NDArray[np.float64] = np.divide(above, below, out=unknown, where=below > 0)
    return shares


def _mean_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))
