"""What the summary page shows of a face, a photo and a video."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emotion.faces.crops import crop_face
from emotion.inference.predictions import FacePrediction
from emotion.pages.thumbnails import data_uri, file_uri

MARGIN = 0.25  # of a face's side that is shown around it
FACE_SIDE, PHOTO_SIDE = 128, 200  # pixels of a thumbnail, at most
TIMELINE_BYTES = 1_000_000  # a larger picture is only linked to


@dataclass(frozen=True)
class Shown:
    """A face or a photo on the page.

    Attributes:
        source: the picture's name.
        drawn: its drawn copy, or None.
        reason: why there is no face, or None.
        faces: how many faces the picture has.
        face: the prediction, or None where there is no face.
        uri: `data:` address of its thumbnail, or "".
        size: width and height of the thumbnail in pixels.
    """

    source: str
    drawn: Path | None
    reason: str | None = None
    faces: int = 0
    face: FacePrediction | None = None
    uri: str = ""
    size: tuple[int, int] = (0, 0)


@dataclass
class Video:
    """What is told of a video.

    Attributes:
        source: its name.
        frames: how many were searched.
        seconds: time of the last of them.
        numbers: of its faces.
        answers: how often each was given, in all frames.
        timeline: the picture of its timeline, or None.
        drawn: its drawn copy, or None.
        reason: why it, or some of it, could not be read; None where all could.
    """

    source: str
    frames: int = 0
    seconds: float = 0.0
    numbers: set[int] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    timeline: Path | None = None
    drawn: Path | None = None
    reason: str | None = None


def face_entry(shown: Shown, face: FacePrediction, image: NDArray[np.uint8] | None) -> Shown:
    """Adds a face, and its picture where there is one."""
    seen = None
    if image is not None and face.detection.box.clipped(image.shape[1], image.shape[0]):
        seen = crop_face(image, face.detection.box, MARGIN, square=True)
    return _with_picture(shown, face, seen, FACE_SIDE)


def photo_entry(shown: Shown, image: NDArray[np.uint8] | None) -> Shown:
    """Adds the picture of a photo where there is one."""
    return _with_picture(shown, None, image, PHOTO_SIDE)


def _with_picture(
    shown: Shown, face: FacePrediction | None, image: NDArray[np.uint8] | None, side: int
) -> Shown:
    shown = replace(shown, face=face)
    if image is None:
        return shown
    small = Image.fromarray(image)
    scale = side / max(small.size)
    size = (max(round(small.width * scale), 1), max(round(small.height * scale), 1))
    if scale < 1:
        small = small.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return replace(shown, uri=data_uri(np.asarray(small)), size=small.size)


def embedded(picture: Path | None) -> str:
    """Gives the `data:` address of a PNG; "" where there is none, or it is too large for a page."""
    try:
        content = b"" if picture is None else picture.read_bytes()
    except OSError:
        return ""
    return file_uri(content, "png") if 0 < len(content) <= TIMELINE_BYTES else ""
