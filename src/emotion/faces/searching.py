"""Searching large photos at a bounded size, and leaving out small faces: for any detector."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection, Detector


@dataclass(frozen=True)
class BoundedSearch:
    """A detector that never sees a picture larger than it is good for.

    Attributes:
        detector: finds the faces.
        max_side: longer side in pixels at which a picture is searched; larger ones are made smaller
            for it, and boxes are mapped back, so that a face is then named from its full
            resolution. None searches every picture as it is: time and memory grow with its area.
        min_face: shorter side in pixels of the smallest face that counts, in the picture itself.
    """

    detector: Detector
    max_side: int | None = None
    min_face: int = 0

    def __post_init__(self) -> None:
        if self.max_side is not None and self.max_side < 80:
            raise ConfigError(f"max-side: expected 80 pixels or more, got {self.max_side}")
        if self.min_face < 0:
            raise ConfigError(f"min-face: expected 0 pixels or more, got {self.min_face}")

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Finds the faces of an H x W x 3, uint8, RGB picture, from left to right."""
        height, width = image.shape[:2]
        longer = max(height, width)
        if self.max_side is None or longer <= self.max_side:
            found = self.detector.detect(image)
        else:
            small = _shrunk(image, self.max_side / longer)
            factors = width / small.shape[1], height / small.shape[0]
            found = [
                replace(face, box=_enlarged(face.box, factors, width, height))
                for face in self.detector.detect(small)
            ]
        return [face for face in found if min(face.box.width, face.box.height) >= self.min_face]


def _shrunk(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    from PIL import Image

    height, width = image.shape[:2]
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    # First by whole numbers, which is fast, then smoothly.
    small = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small)


def _enlarged(box: Box, factors: tuple[float, float], width: int, height: int) -> Box:
    x, y = factors
    return Box(
        math.floor(box.left * x),
        math.floor(box.top * y),
        min(math.ceil(box.right * x), width),
        min(math.ceil(box.bottom * y), height),
    )
