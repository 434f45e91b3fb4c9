"""The paired bootstrap: both classifiers scored on the same draws of photos, or of persons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from emotion.evaluation.calibration.calibration import mean_interval
from emotion.evaluation.intervals import LEVEL, RESAMPLES, Draws, Score, Units, draw
from emotion.evaluation.metrics import accuracy, recalls

# Of many units there are thousands of kinds, each of which costs time in each draw.
MANY, FEWER = 20_000, 4_000  # units, and the resamples beyond


@dataclass(frozen=True)
class Difference:
    """One score of A and of B, and the 95 % interval of B - A.

    Attributes:
        a: the score of A.
        b: the score of B.
        low: lower end of the interval of `value`; None where one unit says nothing of others.
        high: upper end, likewise.
    """

    a: float
    b: float
    low: float | None
    high: float | None

    @property
    def value(self) -> float:
        """The difference, B - A."""
        return self.b - self.a

    @property
    def side(self) -> int:
        """1 where the whole interval lies above 0, -1 where below, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values: `a`, `b`, and `difference` with `value`, `low`, `high`."""
        gap = {"value": self.value, "low": self.low, "high": self.high}
        return {"a": self.a, "b": self.b, "difference": gap}


class PairedTables:
    """The confusion matrices of A and B side by side, as they were and as drawn anew.

    Args:
        targets: true class of each face, n, int64.
        answers: of A and of B, n, int64 each.
        classes: how many there are.
        units: what is drawn anew.

    Attributes:
        units: how many of them have a face.
        resamples: how often they were drawn.
    """

    def __init__(
        self,
        targets: NDArray[np.int64],
        answers: tuple[NDArray[np.int64], NDArray[np.int64]],
        classes: int,
        units: Units,
    ) -> None:
        self._shape = (2, classes, classes)
        known = np.unique(units.of_face)  # a photo without a face has no part in any score
        self.units = len(known)
        self._supports = {
            int(target): len(np.unique(units.of_face[targets == target]))
            for target in np.unique(targets)
        }
        sums = np.zeros((len(units), 2 * classes * classes))
        for side, given in enumerate(answers):
            cells = (side * classes + targets) * classes + given
            np.add.at(sums, (units.of_face, cells), 1)
        resamples = RESAMPLES if self.units <= MANY else FEWER
        self._draws = draw(sums[known], units.strata[known], resamples)
        self.resamples = len(self._draws.drawn)

    def difference(self, metric: Score) -> Difference:
        """Compares a metric of whole tables, between 0 and 1."""
        # A mean over classes rests on its rarest class.
        support = self.units if metric is accuracy else min(self._supports.values())
        return self._between(metric, support)

    def recall(self, target: int) -> Difference:
        """Compares the recall of one class that occurs."""
        return self._between(lambda tables: recalls(tables)[..., target], self._supports[target])

    def _between(self, metric: Score, support: int) -> Difference:
        def both(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            return metric(sums.reshape(*sums.shape[:-1], *self._shape))

        def gap(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            scores = both(sums)
            return scores[..., 1] - scores[..., 0]

        a, b = both(self._draws.total)
        return Difference(float(a), float(b), *_interval(self._draws, gap, support))


def _interval(draws: Draws, gap: Score, support: int) -> tuple[float, float]:
    """Gives the interval of a difference of two shares.

    Where all draws agree they say nothing. At most a share u of all units are unlike those that
    were seen, where u is the upper end of the exact binomial interval for none of `support`
    (Clopper and Pearson, 1934), and those may differ by 1 either way.
    """
    drawn = gap(draws.drawn)
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) and (drawn != drawn[0]).any():
        found = draws.interval(gap, support)
        assert found is not None, "a class that occurs has a score"
        return found.low, found.high
    value = float(gap(draws.total))
    unlike = float(binomtest(0, support).proportion_ci(LEVEL, "exact").high)
    return (1 - unlike) * value - unlike, (1 - unlike) * value + unlike


def mean_difference(a: NDArray[np.float64], b: NDArray[np.float64], units: Units) -> Difference:
    """Compares the means of a loss of each face.

    Args:
        a: of A, n, float64.
        b: of B, n, float64.
        units: what is drawn anew.
    """
    means = float(a.mean()), float(b.mean())
    found = mean_interval(b - a, units)
    return Difference(*means, *((None, None) if found is None else (found.low, found.high)))
