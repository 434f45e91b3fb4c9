"""What an importer yields: photos with labelled faces, or what could not be used and why."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.errors import DataError
from emotion.faces.boxes import Box

FARTHEST = 1e9  # pixels; no picture is larger

_PARTS = {"train": "train", "val": "val", "test": "test"}
_PARTS |= {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


class LayoutError(DataError):
    """A source that is not laid out as its format has it."""


@dataclass(frozen=True, slots=True)
class SourceFace:
    """One face.

    Attributes:
        label: as it stands in the source, a name or a number.
        corners: left, top, right, bottom, half-open, in pixels; None for the whole picture.
        relative: the corners are fractions of the picture's width and height.
    """

    label: str
    corners: tuple[float, float, float, float] | None = None
    relative: bool = False

    def box(self, width: int, height: int) -> Box | str:
        """Gives the box in whole pixels in a picture of that size, or what is wrong with it."""
        if self.corners is None:
            return Box(0, 0, width, height)
        scale = (width, height) * 2 if self.relative else (1, 1, 1, 1)
        corners = [corner * factor for corner, factor in zip(self.corners, scale, strict=True)]
        listed = ", ".join(f"{corner:g}" for corner in corners)
        if not all(abs(corner) <= FARTHEST for corner in corners):  # not so for NaN
            return f"the box {listed} is not four numbers of pixels"
        left, top, right, bottom = (round(corner) for corner in corners)
        # A Pascal VOC box names its last pixel, so that of a single pixel has two equal corners.
        if right - left < 2 or bottom - top < 2:
            return f"the box {listed} (left, top, right, bottom) has no area"
        return Box(left, top, right, bottom)


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """One picture of a source.

    Attributes:
        part: "train", "val", "test", or "" where the source has no parts.
        path: of the picture in the source; with `pixels`, the name that it gets.
        faces: those in it.
        person: who it shows, where that is known.
        votes: number of raters for each label, where there are several.
        size: width and height that the source states, where it does.
        pixels: H x W, uint8, grey, where the source has no picture file.
    """

    part: str
    path: str
    faces: tuple[SourceFace, ...]
    person: str | None = None
    votes: Mapping[str, int] | None = None
    size: tuple[int, int] | None = None
    pixels: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What could not be used.

    Attributes:
        place: file in the source, and its line where there is one.
        reason: what was expected and what came.
    """

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{_printable(self.place)}: {_printable(self.reason)}"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def part_of(name: str) -> str | None:
    """Gives the part that a folder's name or a word in a column stands for, or None."""
    return _PARTS.get(re.sub(r"[0-9]+$", "", name.strip().casefold()))


def number(text: object) -> float:
    """Gives a number as a file has it, or NaN where it is none."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return math.nan
    try:
        return float(text)
    except (ValueError, OverflowError):  # an integer of a thousand digits
        return math.nan
