"""Whether probabilities mean what they say, and what may be built on them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.calibration.abstention import (
    RiskCoverage,
    UnsureRule,
    lowest_threshold,
    risk_coverage,
    unsure_rule,
)
from emotion.evaluation.calibration.reliability import (
    Reliability,
    are_right,
    confidences_of,
    reliability,
)
from emotion.evaluation.intervals import Interval, Units, draw, expanded_tails

# The log loss takes a probability for no less than this and no more than 1 less it, as sklearn's
# `log_loss` does with float32: one wrong answer given as certain costs 15.9, and not infinity.
CLIP = float(np.finfo(np.float32).eps)
WANTED = (0.05, 0.1, 0.2)  # error rates for which "unsure" is asked
MANY = 300  # units beyond which those with nearly the same values are joined
FINENESS = 10  # steps of a standard deviation within which they count as nearly the same

Probabilities = NDArray[np.float32]
Targets = NDArray[np.int64]


def log_losses(probabilities: Probabilities, targets: Targets) -> NDArray[np.float64]:
    """Gives -log p(true class) of each face, n, float64; p is clipped to [1.2e-7, 1 - 1.2e-7]."""
    given = probabilities[np.arange(len(targets)), targets].astype(np.float64)
    losses: NDArray[np.float64] = -np.log(np.clip(given, CLIP, 1 - CLIP))
    return losses


def brier_scores(probabilities: Probabilities, targets: Targets) -> NDArray[np.float64]:
    """Gives the squared error summed over the classes, for each face: n, float64, 0 to 2.

    That is Brier's own definition (Monthly Weather Review 78, 1950).
    """
    errors = probabilities.astype(np.float64)
    errors[np.arange(len(targets)), targets] -= 1
    scores: NDArray[np.float64] = (errors**2).sum(axis=1)
    return scores


def mean_interval(values: NDArray[np.float64], units: Units) -> Interval | None:
    """Gives the 95 % interval of a mean over faces, by the bootstrap over units.

    As `Draws.interval`, for values that are no shares.

    Args:
        values: one for each face, n.
        units: what is drawn anew.

    Returns:
        None where the faces are of one unit only: it cannot tell how others differ.
    """
    sums = units.sums(np.column_stack([values, np.ones(len(values))]))
    known = sums[:, 1] > 0
    if known.sum() < 2:
        return None
    draws = draw(_joined(sums[known], units.strata[known]), units.strata[known])
    means = draws.drawn[:, 0] / draws.drawn[:, 1]
    low, high = np.quantile(means, expanded_tails(int(known.sum())))
    value = float(values.mean())
    return Interval(value, min(float(low), value), max(float(high), value))


def _joined(sums: NDArray[np.float64], strata: NDArray[np.int64]) -> NDArray[np.float64]:
    """Gives units of one stratum and size, with nearly the same sum, their mean sum.

    Distinct units are what drawing takes its time for, see `draw`. Sums over all stay as they are;
    the spread changes by less than one part in a thousand.
    """
    spread = float(sums[:, 0].std())
    if len(sums) <= MANY or spread == 0:
        return sums
    steps = np.rint(sums[:, 0] * (FINENESS / spread))
    keys = np.column_stack([strata, sums[:, 1], steps])
    _, kind, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    means = np.bincount(kind, sums[:, 0]) / counts
    return np.column_stack([means[kind], sums[:, 1]])


@dataclass(frozen=True)
class Calibration:
    """How far the probabilities of an evaluation can be trusted.

    Attributes:
        faces: how many were evaluated.
        classes: how many there are.
        temperature: that of the checkpoint, by which its logits were divided; 1 for none.
        confidence: mean probability of the answers.
        accuracy: share of right answers.
        log_loss: mean of -log p(true class), natural logarithm, clipped as `log_losses` says.
        log_loss_interval: None where all faces are of one photo or person.
        brier: mean squared error summed over classes, 0 to 2.
        brier_interval: None as above.
        equal_mass: bins with equally many faces.
        equal_width: bins of equal width.
        curve: error by coverage, thinned.
        aurc: area under that curve.
        rules: when to say "unsure", for each wanted error.
        chosen_on: "validation", or "evaluated" where the thresholds were found on the very faces
            that they are measured on, which flatters them.
    """

    faces: int
    classes: int
    temperature: float
    confidence: float
    accuracy: float
    log_loss: float
    log_loss_interval: Interval | None
    brier: float
    brier_interval: Interval | None
    equal_mass: Reliability
    equal_width: Reliability
    curve: RiskCoverage
    aurc: float
    rules: tuple[UnsureRule, ...]
    chosen_on: Literal["validation", "evaluated"]

    @property
    def tendency(self) -> Literal["too much", "too little", "both"]:
        """What the probabilities promise: "both" where the mean hides most of the difference."""
        gap = self.confidence - self.accuracy
        if abs(gap) < self.equal_mass.ece / 2:
            return "both"
        return "too much" if gap > 0 else "too little"

    @property
    def uniform_log_loss(self) -> float:
        """Log loss of giving all classes the same probability."""
        return float(np.log(self.classes))

    @property
    def uniform_brier(self) -> float:
        """Brier score of giving all classes the same probability."""
        return 1 - 1 / self.classes

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for JSON."""
        content = asdict(self)
        content["curve"] = {key: column.tolist() for key, column in content["curve"].items()}
        return content


def make_calibration(
    probabilities: Probabilities,
    targets: Targets,
    units: Units,
    validation: tuple[Probabilities, Targets] | None,
    temperature: float,
    wanted: Sequence[float] = WANTED,
) -> Calibration:
    """Measures the calibration of answers.

    Args:
        probabilities: n x classes, float32, as the checkpoint gives them, its temperature applied;
            n is 1 or more.
        targets: true classes, n, int64.
        units: photos or persons of the faces.
        validation: likewise of the run's validation faces, on which thresholds are chosen; None
            where there are none, or where they are the evaluated ones.
        temperature: of the checkpoint.
        wanted: error rates for which a threshold is looked for.
    """
    sure, right = confidences_of(probabilities), are_right(probabilities, targets)
    losses, scores = log_losses(probabilities, targets), brier_scores(probabilities, targets)
    curve = risk_coverage(sure, right)
    chosen = curve
    if validation is not None:
        chosen = risk_coverage(confidences_of(validation[0]), are_right(*validation))
    return Calibration(
        faces=len(targets),
        classes=probabilities.shape[1],
        temperature=temperature,
        confidence=float(sure.mean(dtype=np.float64)),
        accuracy=float(right.mean()),
        log_loss=float(losses.mean()),
        log_loss_interval=mean_interval(losses, units),
        brier=float(scores.mean()),
        brier_interval=mean_interval(scores, units),
        equal_mass=reliability(sure, right, "equal_mass"),
        equal_width=reliability(sure, right, "equal_width"),
        curve=curve.thinned(),
        aurc=curve.aurc,
        rules=tuple(
            unsure_rule(error, lowest_threshold(chosen, error), sure, right, units)
            for error in wanted
        ),
        chosen_on="evaluated" if validation is None else "validation",
    )
