"""An easel: a picture that takes soft, half-transparent shapes in a sitter's coordinates."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.sketches.colours import Colour
from emotion.sketches.shapes import Points

# One colour of a picture: height x width, float32, 0 to 255.
Plane = NDArray[np.float32]
# Left, top, right and bottom in pixels, half-open.
Window = tuple[int, int, int, int]


class Easel:
    """Holds a picture and lays soft, half-transparent shapes on it, in a sitter's coordinates."""

    def __init__(
        self, picture: Sequence[Plane], origin: tuple[float, float], unit: float, tilt: float
    ) -> None:
        """Sets the sitter's coordinates: origin and unit in pixels, tilt in degrees."""
        self._picture = picture
        self._origin = np.array(origin)
        self._unit = unit
        cosine, sine = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
        self._turn = unit * np.array([[cosine, sine], [-sine, cosine]])

    def fill(
        self,
        outline: Points,
        colour: Colour,
        opacity: float = 1.0,
        softness: float = 0.0,
        within: Points | None = None,
    ) -> None:
        """Fills an outline; softness is the blur of its edge, within cuts it off sharply."""
        self._lay([outline], colour, opacity, softness, 0.0, within)

    def stroke(
        self,
        lines: Sequence[Points],
        colour: Colour,
        width: float,
        opacity: float = 1.0,
        softness: float = 0.0,
        within: Points | None = None,
    ) -> None:
        """Draws open lines of one width as a single layer."""
        self._lay(lines, colour, opacity, softness, width, within)

    def rim(
        self, outline: Points, core: Points, colour: Colour, opacity: float, softness: float
    ) -> None:
        """Colours what lies inside an outline but outside a soft core: how round things turn."""
        edge = [self._pixels(outline)]
        window = self._window(edge, 0.0)
        if window is not None:
            lit = self._cover([self._pixels(core)], window, softness, 0.0)
            self._blend(window, self._cover(edge, window, 0.0, 0.0) * (1.0 - lit), colour, opacity)

    def _lay(
        self,
        shapes: Sequence[Points],
        colour: Colour,
        opacity: float,
        softness: float,
        width: float,
        within: Points | None,
    ) -> None:
        if opacity <= 0.0:
            return
        drawn = [self._pixels(shape) for shape in shapes]
        clip = [] if within is None else [self._pixels(within)]
        window = self._window(drawn, 2.5 * softness + width, clip)
        if window is None:
            return
        cover = self._cover(drawn, window, softness, width)
        if clip:
            cover = cover * self._cover(clip, window, 0.0, 0.0)
        self._blend(window, cover, colour, opacity)

    def _pixels(self, points: Points) -> Points:
        return np.asarray(points @ self._turn.T + self._origin, np.float64)

    def _window(
        self, shapes: Sequence[Points], margin: float, clip: Sequence[Points] = ()
    ) -> Window | None:
        """Gives the part of the picture that can change: the less of it, the faster."""
        points, reach = np.concatenate(shapes), margin * self._unit + 2
        height, width = self._picture[0].shape
        low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
        for bound in clip:
            low = np.maximum(low, bound.min(axis=0) - 2)
            high = np.minimum(high, bound.max(axis=0) + 2)
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        right, bottom = min(int(high[0]) + 1, width), min(int(high[1]) + 1, height)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _cover(
        self, shapes: Sequence[Points], window: Window, softness: float, width: float
    ) -> Plane:
        """Gives how much of each pixel of a window the shapes cover, 0 to 1."""
        left, top, right, bottom = window
        blur = softness * self._unit
        # A strong blur has no detail left, so it is drawn small: that is where the time goes.
        shrink = 4 if blur > 6 else 1
        mask = np.zeros((-(-(bottom - top) // shrink), -(-(right - left) // shrink)), np.uint8)
        # OpenCV takes sixteenths of a pixel as whole numbers.
        drawn = [((shape - (left, top)) * (16 / shrink)).astype(np.int32) for shape in shapes]
        if width > 0.0:
            thick = max(1, round(width * self._unit / shrink))
            cv2.polylines(mask, drawn, False, 255, thick, cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(mask, drawn, 255, cv2.LINE_AA, 4)
        cover: cv2.typing.MatLike = np.multiply(mask, np.float32(1 / 255), dtype=np.float32)
        if blur > 0.5:
            cover = cv2.GaussianBlur(cover, (0, 0), blur / shrink)
        if shrink > 1:
            cover = cv2.resize(cover, (right - left, bottom - top))
        return np.asarray(cover, np.float32)

    def _blend(self, window: Window, cover: Plane, colour: Colour, opacity: float) -> None:
        left, top, right, bottom = window
        cover = cover * np.float32(opacity)
        for plane, value in zip(self._picture, colour, strict=True):
            region = plane[top:bottom, left:right]
            region += cover * (np.float32(value) - region)
