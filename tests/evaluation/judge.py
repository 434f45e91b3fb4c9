"""A classifier that nobody trained, for evaluations that need one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.evaluating import Evaluated
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import EMOTIONS


class Judge:
    """A classifier that goes by the mean brightness of parts of the crop."""

    def __init__(self, labels: Sequence[str] = EMOTIONS) -> None:
        self.input = InputSpec(labels=tuple(labels), size=64)
        self.asked = 0

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += len(pixels)
        parts = np.array_split(pixels.astype(np.float64), len(self.input.labels), axis=1)
        scores = np.exp(np.stack([part.mean(axis=(1, 2, 3)) for part in parts], axis=1) / 20)
        shares: NDArray[np.float32] = (scores / scores.sum(axis=1, keepdims=True)).astype("f4")
        return shares


def evaluated(folder: Path, classifier: Judge | None = None) -> Evaluated:
    """A checkpoint that nobody trained; it lies alone."""
    path = folder / "alone" / "made-up.ckpt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"made up")
    return Evaluated(path, 1, 1.0, classifier or Judge())
