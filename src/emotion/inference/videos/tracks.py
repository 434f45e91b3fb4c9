"""Following faces from frame to frame, so that each person keeps a number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.faces.boxes import Box

PATIENCE = 1.0  # seconds for which a face may be hidden and still keep its number
REACH = 1.0  # a face is looked for within so many times its size from where it should be
GROWTH = 2.0  # times that a face may become larger or smaller from one sight to the next
SETTLING = 0.3  # seconds over which its velocity is averaged: a detector's boxes tremble


@dataclass
class _Track:
    number: int
    box: Box
    seen: float  # when, in seconds
    velocity: tuple[float, float] = (0.0, 0.0)  # of its centre, in pixels a second

    def affinity(self, box: Box, time: float) -> float:
        """Tells how well a box fits where this face should be: 0 is not at all, 2 perfectly."""
        gap = time - self.seen
        x, y = (round(speed * gap) for speed in self.velocity)
        there = Box(self.box.left + x, self.box.top + y, self.box.right + x, self.box.bottom + y)
        size, other = math.sqrt(there.area), math.sqrt(box.area)
        if max(size, other) > GROWTH * min(size, other):
            return 0.0
        distance = math.dist(_centre(there), _centre(box)) / ((size + other) / 2)
        return 0.0 if distance >= REACH else there.iou(box) + 1 - distance / REACH

    def follow(self, box: Box, time: float) -> None:
        """Takes over where the face is now."""
        gap = time - self.seen
        if gap > 0:
            share = 1 - math.exp(-gap / SETTLING)
            pairs = zip(self.velocity, _centre(self.box), _centre(box), strict=True)
            x, y = (old + share * ((new - was) / gap - old) for old, was, new in pairs)
            self.velocity = (x, y)
        self.box, self.seen = box, time


class Tracker:
    """Numbers the faces of a video, from 1; numbers are never used again.

    Frame and known faces are paired so that overlap and nearness are the largest in all. A face
    goes on from where it was with its velocity, so that people may cross.

    Args:
        patience: seconds for which a face may be hidden and keep its number. A face that was there
            in the frame before is looked for however long ago that was.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._tracks: list[_Track] = []
        self._last = -math.inf  # time of the frame before
        self._count = 0

    def numbers(self, boxes: Sequence[Box], time: float) -> list[int]:
        """Numbers the faces of the next frame.

        Args:
            boxes: of its faces, in any order: the numbers do not depend on it.
            time: of the frame, in seconds, later than that of the frame before.

        Returns:
            A number for each box, no two the same. New faces are numbered from left to right.
        """
        self._forget(time)
        order = sorted(range(len(boxes)), key=lambda place: boxes[place])
        numbers = [0] * len(boxes)
        found = self._pairs([boxes[place] for place in order], time)
        for rank, place in enumerate(order):
            track = found.get(rank) or self._new(boxes[place], time)
            track.follow(boxes[place], time)
            numbers[place] = track.number
        self._last = time
        return numbers

    def _forget(self, time: float) -> None:
        self._tracks = [
            track
            for track in self._tracks
            if track.seen >= self._last or time - track.seen <= self._patience
        ]

    def _pairs(self, boxes: Sequence[Box], time: float) -> dict[int, _Track]:
        """Gives place of a box -> the face that it shows, for those that are known."""
        rows = [[track.affinity(box, time) for box in boxes] for track in self._tracks]
        affinities = np.array(rows, np.float64).reshape(len(self._tracks), len(boxes))
        pairs = zip(*_assign(affinities), strict=True)
        # A pair that does not fit at all adds nothing, and is none.
        return {int(b): self._tracks[t] for t, b in pairs if affinities[t, b] > 0}

    def _new(self, box: Box, time: float) -> _Track:
        self._count += 1
        self._tracks.append(_Track(self._count, box, time))
        return self._tracks[-1]


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _assign(affinities: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs rows and columns so that the sum of their values is the largest."""
    if not affinities.size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    from scipy.optimize import linear_sum_assignment  # heavy: only videos with faces pay for it

    rows, columns = linear_sum_assignment(affinities, maximize=True)
    return rows, columns
