"""Finding faces in a picture."""

import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError
from emotion.faces.boxes import Box

FILE = Path(__file__).with_name("frontal_face_detector.svm")
# What each of the five filters of dlib's detector was trained on, in its own order (dlib's
# frontal_face_detector.h). Left and right are those of who looks at the picture: rotating 50 photos
# anticlockwise by 30 degrees let the fourth find 46 of them, clockwise the fifth 43.
VIEWS = ("ahead", "looking left", "looking right", "tilted left", "tilted right")


@dataclass(frozen=True)
class Detection:
    """A face that a detector found.

    Attributes:
        box: where it is, clipped to the picture.
        score: the higher, the surer.
        view: which way the face is turned, one of `VIEWS`: "looking" is a turn to the side of the
            picture, "tilted" a rotation in its plane, the top of the head towards that side. ""
            from a detector that does not tell.
    """

    box: Box
    score: float
    view: str = ""


class Detector(Protocol):
    """Anything that finds faces; it may be called from several threads."""

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Finds the faces of an H x W x 3, uint8, RGB picture, from left to right."""
        ...


class DlibDetector:
    """dlib's frontal face detector (histograms of oriented gradients), as in the original.

    Args:
        upsample: times that the picture is doubled first. Without, faces from about 80 pixels are
            found; each doubling halves that and takes four times the time and memory.
        threshold: least score; below 0 finds more faces and more that are none.
    """

    def __init__(self, upsample: int = 0, threshold: float = 0.0) -> None:
        if upsample not in range(4):
            raise ConfigError(f"upsample: expected 0, 1, 2 or 3, got {upsample}")
        if not math.isfinite(threshold):
            raise ConfigError(f"threshold: expected a number, got {threshold}")
        self.upsample = upsample
        self.threshold = threshold
        # One detector must not be shared by threads.
        self._of_thread = threading.local()

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Finds the faces of an H x W x 3, uint8, RGB picture, from left to right."""
        pixels = np.ascontiguousarray(image)
        boxes, scores, filters = self._detector().run(pixels, self.upsample, self.threshold)
        height, width = image.shape[:2]
        found = []
        for rectangle, score, number in zip(boxes, scores, filters, strict=True):
            corners = (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
            box = Box.from_inclusive(*corners).clipped(width, height)
            if box is not None:
                found.append(Detection(box, float(score), VIEWS[number]))
        return sorted(found, key=lambda detection: detection.box)

    def _detector(self) -> Any:
        if not hasattr(self._of_thread, "detector"):
            self._of_thread.detector = frontal_face_detector()
        return self._of_thread.detector


def frontal_face_detector() -> Any:
    """Gives dlib's frontal face detector out of a file: dlib takes a third of a second for it.

    The file is what `dlib.get_frontal_face_detector().save(FILE)` writes.
    """
    import dlib

    try:
        return dlib.fhog_object_detector(str(FILE))
    except RuntimeError:  # of a dlib that reads no such file, or no such path
        return dlib.get_frontal_face_detector()
