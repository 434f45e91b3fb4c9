"""How far a score may be off: 95 % intervals by resampling photos."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 0  # fixed: the same predictions give the same interval


@dataclass(frozen=True)
class Interval:
    """A score with the interval that holds it in 95 of 100 repetitions with other photos."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def resample_tables(tables: NDArray[np.int64], resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Draws confusion matrices as other photos of the same kind would have given them.

    Photos are drawn, not faces, since the faces of one photo are not independent. Photos with the
    same table are interchangeable, so the draw is one multinomial over the distinct tables, and the
    cost does not depend on the number of photos.

    Args:
        tables: photos x classes x classes, one confusion matrix a photo.
        resamples: how many to draw.

    Returns:
        resamples x classes x classes.
    """
    photos, classes = tables.shape[:2]
    distinct, counts = np.unique(tables.reshape(photos, -1), axis=0, return_counts=True)
    draws = np.random.default_rng(SEED).multinomial(photos, counts / photos, size=resamples)
    return (draws @ distinct).reshape(resamples, classes, classes).astype(np.float64)


def interval(
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    table: NDArray[np.int64],
    drawn: NDArray[np.float64],
) -> Interval:
    """Gives a score with its percentile bootstrap interval (Efron and Tibshirani, 1993, ch. 13).

    Args:
        score: from tables ... x classes x classes to ... scores.
        table: the confusion matrix that was counted.
        drawn: as `resample_tables` gives it.
    """
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(score(drawn), [tail, 1 - tail])
    return Interval(float(score(table.astype(np.float64))), float(low), float(high))
