"""Calibration of each data set of a joined one: what holds for all may hold for none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.data.sources import TABLE, find_sources
from emotion.evaluation.calibration.abstention import lowest_threshold, risk_coverage
from emotion.evaluation.calibration.reliability import are_right, confidences_of, reliability
from emotion.evaluation.subjects import Subject

FEWEST = 100  # faces of a source; fewer tell too little of how often answers are wrong


@dataclass(frozen=True)
class SourceCalibration:
    """How honest the probabilities are on the faces of one source.

    Attributes:
        faces: how many.
        accuracy: share that is named rightly.
        confidence: mean probability of the answer.
        ece: expected calibration error in 15 bins of equal mass.
    """

    faces: int
    accuracy: float
    confidence: float
    ece: float


def parted_by_source(subject: Subject) -> dict[str, NDArray[np.int64]]:
    """Gives the places of the faces of each source, of those with 100 or more.

    Returns:
        By the source's name in `sources.csv`; none where there is no such file, or one source.

    Raises:
        DataError: the file is damaged.
    """
    images = [sample.image for sample in subject.samples]
    folders = sorted({image.parent.parent for image in images})
    if not any((folder / TABLE).is_file() for folder in [subject.root, *folders]):
        return {}
    sources = np.array([name or "" for name in find_sources(images, subject.root, folders, TABLE)])
    found = {name: np.flatnonzero(sources == name) for name in np.unique(sources).tolist()}
    large = {name: places for name, places in found.items() if len(places) >= FEWEST}
    return large if len(found) > 1 else {}


def calibration_of(shares: NDArray[np.float32], targets: NDArray[np.int64]) -> SourceCalibration:
    """Measures probabilities, n x classes, against the true classes, n."""
    right, confidences = are_right(shares, targets), confidences_of(shares)
    ece = reliability(confidences, right, "equal_mass").ece
    return SourceCalibration(len(targets), float(right.mean()), float(confidences.mean()), ece)


def threshold_for(
    shares: NDArray[np.float32],
    targets: NDArray[np.int64],
    wanted: float,
    parts: Mapping[str, NDArray[np.int64]],
) -> float | None:
    """Gives the threshold that answers most faces with at most a share of the answers wrong.

    Args:
        shares: probabilities, n x classes.
        targets: true classes, n.
        wanted: the share, of all faces, and of those of each source.
        parts: places of the faces of each source.

    Returns:
        None where even the surest answers are wrong more often.
    """
    everything: Sequence[NDArray[np.int64]] = [np.arange(len(targets)), *parts.values()]
    found = []
    for places in everything:
        right = are_right(shares[places], targets[places])
        found.append(lowest_threshold(risk_coverage(confidences_of(shares[places]), right), wanted))
    return None if None in found else max(value for value in found if value is not None)
