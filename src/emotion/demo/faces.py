"""What the page keeps of a single face."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotion.demo.looks import face_picture
from emotion.faces.inputs import InputSpec
from emotion.inference.predictions import FacePrediction


@dataclass(frozen=True)
class Face:
    """A face of a photo, or a person of a video at the surest moment.

    Attributes:
        prediction: the answer.
        picture: the face with a little around it, a JPEG file.
        pixels: the face as the network saw it, size x size x 3, uint8, RGB.
        truncated: whether its box touches the border of the picture.
        time: of the frame in a video, in seconds; None in a photo.
    """

    prediction: FacePrediction
    picture: bytes
    pixels: NDArray[np.uint8]
    truncated: bool
    time: float | None = None

    def below(self, threshold: float | None) -> "Face":
        """Gives the same face with another threshold."""
        return replace(self, prediction=replace(self.prediction, threshold=threshold))


def face_of(
    image: NDArray[np.uint8], face: FacePrediction, spec: InputSpec, time: float | None = None
) -> Face:
    """Keeps of a face what the page shows.

    Args:
        image: the picture, H x W x 3, uint8, RGB.
        face: one of its faces.
        spec: how the network sees it.
        time: of the frame in a video, in seconds.
    """
    box = face.detection.box
    height, width = image.shape[:2]
    truncated = min(box.left, box.top, width - box.right, height - box.bottom) <= 0
    picture, pixels = face_picture(image, box), spec.pixels(image, box)
    return Face(face, picture, pixels, truncated, time)
