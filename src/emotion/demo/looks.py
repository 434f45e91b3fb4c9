"""Small pictures for the page, as JPEG files: photos, answers on them, single faces."""

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emotion.faces.boxes import Box
from emotion.faces.crops import crop_face
from emotion.inference.drawn.drawing import draw_predictions
from emotion.inference.predictions import FacePrediction

PHOTO_SIDE, FACE_SIDE = 1280, 240  # pixels of the longer side, at most
MARGIN = 0.25  # of a face's side that is shown around it
QUALITY = 88  # of a JPEG file


def to_jpeg(image: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """Writes H x W x 3, uint8, RGB as a JPEG file."""
    stream = io.BytesIO()
    # Colour at full resolution: halved, it frays thin lines.
    Image.fromarray(image).save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()


def from_jpeg(content: bytes) -> NDArray[np.uint8]:
    """Reads what `to_jpeg` wrote."""
    return np.asarray(Image.open(io.BytesIO(content), formats=("JPEG",)))


def shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Makes a picture smaller where its longer side has more pixels than `side`."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(small)


def draw_small(
    image: NDArray[np.uint8], size: tuple[int, int], faces: Sequence[FacePrediction]
) -> bytes:
    """Draws answers on the small copy of a photo.

    Args:
        image: the copy, h x w x 3, uint8, RGB.
        size: width and height of the photo itself, which the faces' boxes are in.
        faces: what was found in it.
    """
    factors = image.shape[1] / size[0], image.shape[0] / size[1]
    moved = [
        replace(face, detection=replace(face.detection, box=_scaled(face.detection.box, *factors)))
        for face in faces
    ]
    return to_jpeg(draw_predictions(image, moved))


def _scaled(box: Box, x: float, y: float) -> Box:
    left, top = round(box.left * x), round(box.top * y)
    right, bottom = round(box.right * x), round(box.bottom * y)
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def face_picture(image: NDArray[np.uint8], box: Box) -> bytes:
    """Cuts a face out of a photo with a little around it."""
    return to_jpeg(shrunk(crop_face(image, box, MARGIN, square=True), FACE_SIDE))
