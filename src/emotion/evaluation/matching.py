"""Which found face is which annotated one, by how much their boxes overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from emotion.faces.boxes import Box

LEAST_IOU = 0.5  # as in Pascal VOC's detection task


@dataclass(frozen=True)
class Matching:
    """The boxes that a detector found in one photo, held against the annotated ones.

    Attributes:
        pairs: annotated face -> (found box, intersection over union).
        missed: annotated faces that were not found.
        ignored: found boxes of faces that are annotated but not used.
        false: found boxes where no face is annotated.
    """

    pairs: dict[int, tuple[int, float]]
    missed: tuple[int, ...]
    ignored: tuple[int, ...]
    false: tuple[int, ...]


def match(
    annotated: Sequence[Box],
    found: Sequence[Box],
    ignored: Sequence[Box] = (),
    least: float = LEAST_IOU,
) -> Matching:
    """Pairs boxes one to one: as many as can be, and of such pairings the one that overlaps most.

    Args:
        annotated: faces that are used.
        found: by the detector.
        ignored: faces that are annotated but not used; finding them is no mistake.
        least: intersection over union that makes a pair.
    """
    pairs = _assign(_overlaps(annotated, found), least)
    free = [i for i in range(len(found)) if i not in {place for place, _ in pairs.values()}]
    passed = _assign(_overlaps(ignored, [found[i] for i in free]), least)
    ignored_finds = tuple(sorted(free[place] for place, _ in passed.values()))
    return Matching(
        pairs,
        tuple(i for i in range(len(annotated)) if i not in pairs),
        ignored_finds,
        tuple(i for i in free if i not in ignored_finds),
    )


def overlap(one: Box, other: Box) -> float:
    """Gives the intersection over union of two boxes, 0 to 1 (Jaccard index)."""
    common = one.common_with(other)
    shared = common.area if common else 0
    return shared / (one.area + other.area - shared)


def _overlaps(rows: Sequence[Box], columns: Sequence[Box]) -> NDArray[np.float64]:
    table = np.zeros((len(rows), len(columns)))
    for i, one in enumerate(rows):
        for j, other in enumerate(columns):
            table[i, j] = overlap(one, other)
    return table


def _assign(overlaps: NDArray[np.float64], least: float) -> dict[int, tuple[int, float]]:
    # A pair more outweighs whatever the others overlap less.
    gain = np.where(overlaps >= least, overlaps + len(overlaps) + 1, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {
        int(i): (int(j), float(overlaps[i, j]))
        for i, j in zip(rows, columns, strict=True)
        if overlaps[i, j] >= least
    }
