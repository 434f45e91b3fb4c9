"""What is won by saying "unsure": fewer answers, of which more are right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.intervals import Interval, Units, draw

POINTS = 200  # of a curve that are kept at most


@dataclass(frozen=True)
class RiskCoverage:
    """How the error falls as fewer faces are answered, the surest first.

    Attributes:
        thresholds: faces with this confidence or more are answered; falling.
        coverages: share of the faces that are answered then; rising, the last is 1.
        errors: share of the answered faces whose answer is wrong.
    """

    thresholds: NDArray[np.float64]
    coverages: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def aurc(self) -> float:
        """Area under the curve: the mean over faces of the error when it is just answered.

        Geifman, Uziel and El-Yaniv, "Bias-reduced uncertainty estimation for deep neural
        classifiers", ICLR 2019; faces with the same confidence all have the error of the last.
        """
        return float(np.diff(self.coverages, prepend=0.0) @ self.errors)

    def thinned(self) -> "RiskCoverage":
        """Gives at most 200 points of it, evenly over the faces, with the first and the last."""
        wanted = np.linspace(self.coverages[0], 1.0, POINTS)
        nearest = np.searchsorted(self.coverages, wanted).clip(max=len(self.coverages) - 1)
        kept = np.unique(nearest)
        return RiskCoverage(self.thresholds[kept], self.coverages[kept], self.errors[kept])


def risk_coverage(confidences: NDArray[np.float32], right: NDArray[np.bool_]) -> RiskCoverage:
    """Answers one face after the other, the surest first; those equally sure come together.

    Args:
        confidences: probability of the answer, n; n is 1 or more.
        right: whether it is the true class, n.
    """
    order = np.argsort(-confidences, kind="stable")
    ordered = confidences[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # of those equally sure
    answered = last + 1
    wrong = np.cumsum(~right[order])[last]
    return RiskCoverage(ordered[last], answered / len(ordered), wrong / answered)


def lowest_threshold(curve: RiskCoverage, wanted: float) -> float | None:
    """Gives the threshold that answers most faces with an error of at most `wanted`, or None."""
    fitting = np.flatnonzero(curve.errors <= wanted)
    return float(curve.thresholds[fitting[-1]]) if len(fitting) else None


@dataclass(frozen=True)
class UnsureRule:
    """When to say "unsure" for a wanted error, and what that does.

    Attributes:
        wanted: share of the answers that may be wrong.
        threshold: below this confidence it says "unsure"; None where no threshold was found.
        coverage: share of the evaluated faces that are answered; None where there is no threshold.
        error: share of the answers that are wrong; None where nothing is answered.
    """

    wanted: float
    threshold: float | None
    coverage: Interval | None
    error: Interval | None


def unsure_rule(
    wanted: float,
    threshold: float | None,
    confidences: NDArray[np.float32],
    right: NDArray[np.bool_],
    units: Units,
) -> UnsureRule:
    """Measures what a threshold does, with intervals.

    Args:
        wanted: the error for which it was chosen.
        threshold: see `lowest_threshold`.
        confidences: of the evaluated faces, n.
        right: whether each answer is right, n.
        units: what is drawn anew.
    """
    if threshold is None:
        return UnsureRule(wanted, None, None, None)
    answered = confidences >= threshold
    sums = units.sums(np.column_stack([answered & ~right, answered, np.ones(len(right))]))
    known = sums[:, 2] > 0  # a photo without a face has no answer
    draws = draw(sums[known], units.strata[known])
    supporting = int((sums[:, 1] > 0).sum())
    return UnsureRule(
        wanted,
        threshold,
        draws.interval(lambda s: _share(s[..., 1], s[..., 2])),
        draws.interval(lambda s: _share(s[..., 0], s[..., 1]), supporting),
    )


def _share(some: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(some, of, out=np.full(of.shape, np.nan), where=of > 0)
    return share
