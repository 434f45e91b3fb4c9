"""What a timeline draws of one face: its probabilities over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNSURE = -1  # the answer where the most probable class stays below the threshold


@dataclass(frozen=True)
class Track:
    """One face of a video.

    Attributes:
        number: of the face.
        seen: in how many frames it was found; there may be fewer points.
        times: T, float64, rising seconds from the video's beginning.
        probabilities: T x classes, float32.
        answers: T, int8: class numbers, or `UNSURE`.
        absences: T, float32: for how many seconds, at most, the face was not seen at a stretch
            between the point before and this one; 0 where it was there all the time.
    """

    number: int
    seen: int
    times: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    answers: NDArray[np.int8]
    absences: NDArray[np.float32]
