"""Rotation, scaling, shift, flip and cut of a training crop as one affine map.

Done one after another, each of them reads and writes every pixel. As one map they cost one
interpolation, and no pixel is interpolated twice.
"""

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError

# Without this, importing albumentations asks the network for a newer version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

from albumentations import ImageOnlyTransform

BORDERS = {
    "black": cv2.BORDER_CONSTANT,
    "reflect": cv2.BORDER_REFLECT_101,
    "replicate": cv2.BORDER_REPLICATE,
}


class Placement(NamedTuple):
    """One draw: what happens to a crop, in this order.

    Attributes:
        box_scale: width and height of the jittered box as shares of the crop's.
        box_shift: where its centre lies from the crop's, in pixels right and down; what the
            jittered box holds is stretched to the whole crop.
        scale: enlargement along the crop's width and height, about its centre.
        degrees: rotation about the centre, anticlockwise as one sees it.
        shift: pixels right and down.
        flip: whether left and right are swapped.
        corner: left and top of what is cut out, in pixels.
    """

    box_scale: tuple[float, float] = (1.0, 1.0)
    box_shift: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    flip: bool = False
    corner: tuple[int, int] = (0, 0)

    def source(self, height: int, width: int) -> NDArray[np.float64]:
        """Gives where the result's pixels come from.

        Args:
            height: of the crop in pixels.
            width: of the crop in pixels.

        Returns:
            2 x 3: (x, y, 1) of a pixel's centre in the result -> x and y in the crop. Plain
            numbers, since products of small arrays would take longer than the rest of a draw.
        """
        x, y = (width - 1) / 2, (height - 1) / 2
        turn = math.radians(self.degrees)
        right, down = self.box_scale[0] / self.scale[0], self.box_scale[1] / self.scale[1]
        a, b = right * math.cos(turn), -right * math.sin(turn)
        c, d = down * math.sin(turn), down * math.cos(turn)
        sign = -1 if self.flip else 1
        # The result's first pixel as seen from the centre, before shift and flip.
        u = sign * (self.corner[0] - x) - self.shift[0]
        v = self.corner[1] - y - self.shift[1]
        return np.array(
            (
                (sign * a, b, a * u + b * v + x + self.box_shift[0]),
                (sign * c, d, c * u + d * v + y + self.box_shift[1]),
            )
        )


class FaceWarp(ImageOnlyTransform):  # type: ignore[misc]
    """Moves a crop at random, as one affine map, and cuts out what the network takes.

    An albumentations transform. `FaceWarp(size, rotate=(-10, 10), flip=0.5)` draws what
    `Rotate((-10, 10), p=1)`, `HorizontalFlip(p=0.5)` and `RandomCrop(size, size)` draw one after
    another, and gives their pixels. All draws come from the generator that the composition sets.

    **Jitter** moves the box as detectors do, whose boxes are not the annotators' (one face of the
    original: annotated 280,27,680,394, found by dlib at 321,32,692,404). Four normal draws: the
    centre along each axis, in shares of that side, and the natural logarithm of each side. The
    strength is the standard deviation of all four. Between dlib's boxes and those of 28 faces that
    the original was trained on, the four are 0.08, 0.06, 0.11 and 0.13; that dlib's are also 10 %
    wider and 14 % lower on average is something that jitter does not mend.

    A side is that of the crop as it is kept, margin included. What lies outside it was never kept:
    a box that is jittered outwards shows the border, not the photo. A margin gives it something
    to show, and "reflect" looks less odd than "black".

    Args:
        size: side of the result in pixels; crops must be kept at this size or larger.
        rotate: lowest and highest angle in degrees, uniform.
        scale: lowest and highest enlargement, uniform, drawn for each axis.
        shift: lowest and highest shift as a share of the side, uniform, drawn for each axis.
        flip: probability of swapping left and right.
        jitter: strength of the box jitter; 0 turns it off, 0.1 is about what dlib does.
        border: what is seen outside the crop: "black", "reflect" or "replicate" (the last pixel).

    Raises:
        ConfigError: an argument is out of range.
    """

    def __init__(
        self,
        size: int,
        rotate: Sequence[float] = (0.0, 0.0),
        scale: Sequence[float] = (1.0, 1.0),
        shift: Sequence[float] = (0.0, 0.0),
        flip: float = 0.0,
        jitter: float = 0.0,
        border: str = "black",
    ) -> None:
        super().__init__(p=1.0)
        if type(size) is not int or size < 1:
            raise ConfigError(f"{_PLACE}.size: expected pixels, 1 or more, got {size!r}")
        self.size = size
        self.rotate = _pair("rotate", rotate, -180, 180)
        self.scale = _pair("scale", scale, 0.1, 10)
        self.shift = _pair("shift", shift, -1, 1)
        self.flip = _number("flip", flip, 1)
        self.jitter = _number("jitter", jitter, 0.5)
        if border not in BORDERS:
            raise ConfigError(f"{_PLACE}.border: expected {', '.join(BORDERS)}, got {border!r}")
        self.border = border

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Draws, as albumentations asks: "placement" and its "matrix" for a crop of "shape".

        Raises:
            ConfigError: the crop is smaller than what is to be cut out of it.
        """
        height, width = params["shape"][:2]
        if min(height, width) < self.size:
            raise ConfigError(
                f"{_PLACE} cuts {self.size} x {self.size} pixels, but crops are kept at"
                f" {width} x {height}; set data.oversize to 1 or more"
            )
        placement = self.draw(height, width)
        return {"placement": placement, "matrix": placement.source(height, width)}

    def draw(self, height: int, width: int) -> Placement:
        """Draws what happens to a crop of a height and a width in pixels."""
        draw = self.py_random
        jitter = [draw.gauss(0.0, self.jitter) for _ in range(4)] if self.jitter else (0.0,) * 4
        return Placement(
            box_scale=(math.exp(jitter[0]), math.exp(jitter[1])),
            box_shift=(jitter[2] * width, jitter[3] * height),
            scale=(draw.uniform(*self.scale), draw.uniform(*self.scale)),
            degrees=draw.uniform(*self.rotate),
            shift=(draw.uniform(*self.shift) * width, draw.uniform(*self.shift) * height),
            flip=draw.random() < self.flip,
            corner=(
                int((width - self.size + 1) * draw.random()),
                int((height - self.size + 1) * draw.random()),
            ),
        )

    def apply(
        self, img: NDArray[np.uint8], matrix: NDArray[np.float64], **params: Any
    ) -> NDArray[np.uint8]:
        """Moves one crop.

        Args:
            img: h x w x 3, uint8, RGB.
            matrix: as `Placement.source` gives it.
            params: what else was drawn; not needed.

        Returns:
            size x size x 3, uint8, RGB.
        """
        # OpenCV 5.0 moves four channels in a third of the time that three take, and gives the
        # same pixels; adding the fourth and removing it is nearly free.
        warped = cv2.warpAffine(
            cv2.cvtColor(img, cv2.COLOR_RGB2RGBA),
            matrix,
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=BORDERS[self.border],
        )
        return np.asarray(cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB), dtype=np.uint8)


_PLACE = "data.augmentation: FaceWarp"


def _pair(name: str, values: Sequence[float], low: float, high: float) -> tuple[float, float]:
    try:
        first, last = (float(value) for value in values)
    except (TypeError, ValueError):
        first, last = math.nan, math.nan
    if not low <= first <= last <= high:
        raise ConfigError(
            f"{_PLACE}.{name}: expected [lowest, highest] from {low} to {high}, got {values!r}"
        )
    return first, last


def _number(name: str, value: float, high: float) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= high:
        raise ConfigError(f"{_PLACE}.{name}: expected a number from 0 to {high}, got {value!r}")
    return float(value)
