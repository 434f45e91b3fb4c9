"""Boxes: where a face is in a picture.

In the code every box is half-open, in whole pixels, from the top left corner of the picture:
`image[box.top:box.bottom, box.left:box.right]` is its crop. Pascal VOC files and dlib name the last
pixel that still belongs to the face; `from_inclusive` and `to_inclusive` are the only border.
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, order=True)
class Box:
    """A half-open rectangle with an area: left and top belong to it, right and bottom do not.

    Raises:
        ValueError: the rectangle has no area.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError(f"expected a box with an area, got {self}")

    @classmethod
    def from_inclusive(cls, xmin: int, ymin: int, xmax: int, ymax: int) -> Self:
        """Makes a box from its first and last pixels, as Pascal VOC files and dlib name them."""
        return cls(xmin, ymin, xmax + 1, ymax + 1)

    def to_inclusive(self) -> tuple[int, int, int, int]:
        """Gives (xmin, ymin, xmax, ymax), the last pixels included."""
        return self.left, self.top, self.right - 1, self.bottom - 1

    @property
    def width(self) -> int:
        """Width in pixels, at least 1."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels, at least 1."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Area in pixels, at least 1."""
        return self.width * self.height

    def clipped(self, width: int, height: int) -> Self | None:
        """Gives the part inside a picture of that size, or None where there is none."""
        return self.common_with(Box(0, 0, width, height))

    def inside(self, width: int, height: int) -> bool:
        """Tells whether the whole box lies in a picture of that size."""
        return self.clipped(width, height) == self

    def grown(self, margin: float) -> Self:
        """Gives the box with `margin` times its width added left and right, likewise for height."""
        x, y = round(self.width * margin), round(self.height * margin)
        return type(self)(self.left - x, self.top - y, self.right + x, self.bottom + y)

    def squared(self) -> Self:
        """Gives the smallest square around the box's centre that holds it."""
        side = max(self.width, self.height)
        left = self.left - (side - self.width) // 2
        top = self.top - (side - self.height) // 2
        return type(self)(left, top, left + side, top + side)

    def common_with(self, other: "Box") -> Self | None:
        """Gives the part that also lies in another box, or None where there is none."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        if left >= right or top >= bottom:
            return None
        return type(self)(left, top, right, bottom)

    def iou(self, other: "Box") -> float:
        """Gives intersection over union, 0 to 1."""
        common = self.common_with(other)
        if common is None:
            return 0.0
        return common.area / (self.area + other.area - common.area)
