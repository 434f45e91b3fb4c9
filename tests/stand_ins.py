"""Stand-ins for the detector and the classifier, whose answers are known from the picture."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.faces.inputs import InputSpec

LABELS = ("neutral", "anger", "surprise", "smile", "sad")
DARK = 40  # what compression makes of black stays below


def block(level: int) -> int:
    """Gives the grey of a face of the class of that number, 1 to 4."""
    return 50 * level + 25


class BlockDetector:
    """Finds grey blocks on black: runs of columns, from their first to their last row."""

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        bright = image.mean(axis=2) > DARK
        edges = np.flatnonzero(np.diff(np.pad(bright.any(axis=0), 1).astype(int)))
        found = []
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            rows = np.flatnonzero(bright[:, left:right].any(axis=1))
            box = Box(int(left), int(rows[0]), int(right), int(rows[-1]) + 1)
            found.append(Detection(box, 0.5))
        return found


@dataclass
class BrightnessClassifier:
    """The brighter a face, the later its class; 0.6 for it and 0.1 for each other."""

    input: InputSpec = field(default_factory=lambda: InputSpec(labels=LABELS, size=64))
    batches: list[int] = field(default_factory=list)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pixels))
        middle = pixels[:, 16:48, 16:48]
        classes = (middle.mean(axis=(1, 2, 3)) // 50).astype(int)
        rows = np.full((len(pixels), len(LABELS)), 0.1, np.float32)
        rows[np.arange(len(pixels)), classes] = 0.6
        return rows
