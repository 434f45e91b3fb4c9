"""Whether a classifier that is 80 % sure is right in 80 of 100 cases: confidence bins and ECE."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Binning = Literal["equal_mass", "equal_width"]

BINS = 15  # as Guo et al., ICML 2017
DRAWS = 2_000  # of labels, to learn what chance alone does
SEED = 0  # fixed: the same predictions give the same figures
STEPS = 1_000  # faces whose confidence differs by less than one of these steps are drawn as one


@dataclass(frozen=True)
class Bin:
    """Faces that the classifier is about equally sure of.

    Attributes:
        low: confidences are above this limit; in the first bin they may equal it.
        high: confidences are at most this limit.
        faces: how many there are, 1 or more.
        confidence: their mean confidence.
        accuracy: share of right answers among them.
        chance_low: share of right answers that 2.5 of 100 perfectly calibrated classifiers with
            these confidences would fall below, by chance.
        chance_high: share that 2.5 of 100 would exceed.
    """

    low: float
    high: float
    faces: int
    confidence: float
    accuracy: float
    chance_low: float
    chance_high: float


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in one binning.

    An interval of the ECE by resampling would be wrong: a resample's ECE is higher than the
    sample's. What it says depends on what it would be by chance, which is given instead.

    Attributes:
        binning: "equal_mass" or "equal_width".
        bins: those that hold faces, by rising confidence.
        ece: expected calibration error, the mean over faces of the gap between confidence and
            accuracy in their bin (Naeini et al., AAAI 2015).
        ece_by_chance: what it would be on average for a perfectly calibrated classifier with these
            confidences and so many faces, were they independent.
        ece_by_chance_95: what 95 of 100 such classifiers would not exceed.
    """

    binning: Binning
    bins: tuple[Bin, ...]
    ece: float
    ece_by_chance: float
    ece_by_chance_95: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the gap is larger than that of 95 of 100 perfectly calibrated classifiers."""
        return self.ece > self.ece_by_chance_95


def confidences_of(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gives the probability of each answer, n, from n x classes."""
    confidences: NDArray[np.float32] = probabilities.max(axis=1)
    return confidences


def are_right(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tells whether each answer, of equal ones the first, is the true class: n, bool."""
    right: NDArray[np.bool_] = probabilities.argmax(axis=1) == targets
    return right


def bin_limits(
    confidences: NDArray[np.float32], binning: Binning, bins: int = BINS
) -> NDArray[np.float32]:
    """Gives the limits of the bins; each holds what is above one limit and at most the next.

    Equal width: 0, 1/15, 2/15, …, 1, as in Guo et al. Equal mass: the confidences at or below which
    1/15, 2/15, … of the faces lie. Faces of the same confidence are never parted, so that there are
    fewer bins where confidences repeat, and no more than there are faces.

    Args:
        confidences: n, float32; n is 1 or more.
        binning: which of the two.
        bins: how many are wanted.

    Returns:
        Rising limits, one more than bins; the first is 0.
    """
    if binning == "equal_width":
        return np.linspace(0, 1, bins + 1).astype(np.float32)
    ordered = np.sort(confidences)
    last = -(-np.arange(1, bins + 1) * len(ordered) // bins) - 1  # whole numbers: no rounding
    return np.unique(np.append(np.float32(0), ordered[last]))


def reliability(
    confidences: NDArray[np.float32],
    right: NDArray[np.bool_],
    binning: Binning,
    bins: int = BINS,
) -> Reliability:
    """Compares confidence and accuracy, bin by bin.

    Args:
        confidences: probability of the answer, n, float32, above 0; n is 1 or more.
        right: whether it is the true class, n.
        binning: which bins, see `bin_limits`.
        bins: how many are wanted; empty ones are left out.
    """
    limits = bin_limits(confidences, binning, bins)
    places = np.searchsorted(limits[1:-1], confidences, side="left")
    filled, of_face, faces = np.unique(places, return_inverse=True, return_counts=True)
    sure = np.bincount(of_face, confidences.astype(np.float64)) / faces
    accuracy = np.bincount(of_face, right) / faces
    drawn = _drawn_right(confidences, of_face) / faces
    chance = np.quantile(drawn, [0.025, 0.975], axis=0)
    weights = faces / len(right)
    by_chance = np.abs(drawn - sure) @ weights
    columns = (limits[filled], limits[filled + 1], faces, sure, accuracy, *chance)
    return Reliability(
        binning,
        tuple(Bin(*values) for values in zip(*(c.tolist() for c in columns), strict=True)),
        float(np.abs(accuracy - sure) @ weights),
        float(by_chance.mean()),
        float(np.quantile(by_chance, 0.95)),
    )


def _drawn_right(confidences: NDArray[np.float32], of_face: NDArray[np.intp]) -> NDArray[np.int64]:
    """Draws how many answers are right in each bin if confidences are true: draws x bins.

    Each answer is right as often as its confidence says (as the consistency bars of Bröcker and
    Smith, Weather and Forecasting 22, 2007). Faces of nearly the same confidence are drawn together
    with their mean, so that 100,000 faces take no longer than 1,000.
    """
    sure = confidences.astype(np.float64)
    keys = of_face * (STEPS + 1) + np.rint(sure * STEPS).astype(np.int64)
    kinds, of_kind, counts = np.unique(keys, return_inverse=True, return_counts=True)
    means = np.minimum(np.bincount(of_kind, sure) / counts, 1.0)
    rng = np.random.default_rng(SEED)
    right = rng.binomial(counts, means, (DRAWS, len(counts)))
    first = np.unique(kinds // (STEPS + 1), return_index=True)[1]  # kind of each bin
    drawn: NDArray[np.int64] = np.add.reduceat(right, first, axis=1)
    return drawn
