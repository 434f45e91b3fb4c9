"""Labels that are likely wrong, by confident learning.

Written after Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", JAIR 70 (2021). What is judged are answers about faces that were not learnt from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Suspect:
    """A face whose label is likely wrong.

    Attributes:
        index: of the face.
        given: class index of its label.
        suggested: of the class that it is rather counted in.
        margin: probability of its label less the greatest of any other class, -1 to 0; the lower,
            the more suspicious.
        p_given: probability of its label.
        p_suggested: probability of the suggested class.
    """

    index: int
    given: int
    suggested: int
    margin: float
    p_given: float
    p_suggested: float


@dataclass(frozen=True)
class ConfidentJoint:
    """How labels and likely true classes go together.

    Attributes:
        thresholds: mean probability that faces of each class have for it, c, float64; infinite for
            a class without faces.
        counts: faces by label (rows) and the class that they are confidently counted in, c x c,
            int64; a face below all thresholds is in none.
        joint: the estimated share of all faces by label and true class, c x c, float64; each row
            sums to the share of its label (section 3.1 of the paper).
    """

    thresholds: NDArray[np.float64]
    counts: NDArray[np.int64]
    joint: NDArray[np.float64]

    @property
    def share_wrong(self) -> float:
        """Estimated share of wrong labels, 0 to 1."""
        return float(max(1 - np.trace(self.joint), 0))


def confident_joint(
    probabilities: NDArray[np.float32], targets: NDArray[np.int64]
) -> ConfidentJoint:
    """Estimates how labels and true classes go together.

    Args:
        probabilities: n x classes, of faces that were not learnt from.
        targets: class index of each label, n, int64.
    """
    thresholds = _thresholds(probabilities, targets)
    confident = _confident_classes(probabilities, thresholds)
    counts = np.zeros((len(thresholds), len(thresholds)), np.int64)
    counted = confident >= 0
    np.add.at(counts, (targets[counted], confident[counted]), 1)
    return ConfidentJoint(thresholds, counts, _calibrated(counts, targets))


def find_suspects(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> list[Suspect]:
    """Lists the faces beside the diagonal of the confident joint, the most suspicious first.

    Left out are those whose label is as likely as the class that they are counted in. The paper
    lists them too: where a class's threshold is low, a face that is nearly surely what its label
    says can reach it, and no annotator would see why.

    Args:
        probabilities: n x classes, of faces that were not learnt from.
        targets: class index of each label, n, int64.

    Returns:
        Sorted by margin; of equal ones the first face first.
    """
    confident = _confident_classes(probabilities, _thresholds(probabilities, targets))
    exact = probabilities.astype(np.float64)
    faces = np.arange(len(targets))
    own = exact[faces, targets]
    others = exact.copy()
    others[faces, targets] = -np.inf
    margins = own - others.max(axis=1, initial=-np.inf)
    suggested = exact[faces, confident]  # of the last class where there is none
    wrong = np.flatnonzero((confident >= 0) & (suggested > own))
    return [
        Suspect(
            int(i),
            int(targets[i]),
            int(confident[i]),
            float(margins[i]),
            float(own[i]),
            float(suggested[i]),
        )
        for i in wrong[np.argsort(margins[wrong], kind="stable")]
    ]


def _thresholds(
    probabilities: NDArray[np.float32], targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Gives each class's mean probability over the faces labelled so."""
    own = probabilities[np.arange(len(targets)), targets].astype(np.float64)
    classes = probabilities.shape[1]
    faces = np.bincount(targets, minlength=classes)
    sums = np.bincount(targets, own, minlength=classes)
    nowhere = np.full(classes, np.inf)  # no face can be counted in a class of which none is known
    thresholds: NDArray[np.float64] = np.divide(sums, faces, out=nowhere, where=faces > 0)
    return thresholds


def _confident_classes(
    probabilities: NDArray[np.float32], thresholds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Gives the most likely class of those whose threshold a face reaches; -1 where it is none."""
    # Sums of equal values are a rounding away from them, and a mean is to reach itself.
    reached = probabilities >= thresholds - 1e-9
    best = np.where(reached, probabilities, -1).argmax(axis=1)
    confident: NDArray[np.int64] = np.where(reached.any(axis=1), best, -1).astype(np.int64)
    return confident


def _calibrated(counts: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scales the counts so that each row sums to the share of its label (equation 3)."""
    faces = np.bincount(targets, minlength=len(counts)).astype(np.float64)
    rows = counts.astype(np.float64)
    # Only a class without faces has none counted: the surest of a class reach its threshold.
    counted = np.maximum(rows.sum(axis=1, keepdims=True), 1)
    scaled: NDArray[np.float64] = rows / counted * faces[:, None]
    scaled /= max(faces.sum(), 1)
    return scaled
