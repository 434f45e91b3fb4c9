"""Bounded searching: what the detector sees, and boxes mapped back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.errors import ConfigError
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.faces.searching import BoundedSearch

Picture = NDArray[np.uint8]


class BrightDetector:
    """Finds the bright rectangle of a dark picture."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def detect(self, image: Picture) -> list[Detection]:
        self.seen.append(image.shape)
        bright = image[..., 0] > 127
        rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
        if not len(rows):
            return []
        return [Detection(Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), 2.0, "ahead")]


def picture(width: int, height: int, box: Box) -> Picture:
    image = np.zeros((height, width, 3), np.uint8)
    image[box.top : box.bottom, box.left : box.right] = 255
    return image


def test_a_small_picture_is_searched_as_it_is() -> None:
    detector, box = BrightDetector(), Box(10, 20, 50, 60)
    (found,) = BoundedSearch(detector, max_side=100).detect(picture(100, 80, box))
    assert (found.box, found.score, found.view) == (box, 2.0, "ahead")
    assert detector.seen == [(80, 100, 3)]


def test_a_large_picture_is_searched_at_the_bound() -> None:
    detector = BrightDetector()
    BoundedSearch(detector, max_side=100).detect(np.zeros((200, 1000, 3), np.uint8))
    BoundedSearch(detector, max_side=100).detect(np.zeros((1000, 2, 3), np.uint8))
    assert detector.seen == [(20, 100, 3), (100, 1, 3)]


@given(st.integers(300, 900), st.integers(300, 900), st.data())
def test_boxes_are_mapped_back(width: int, height: int, data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, width - 60)), data.draw(st.integers(0, height - 60))
    right = data.draw(st.integers(left + 50, width))
    bottom = data.draw(st.integers(top + 50, height))
    box = Box(left, top, right, bottom)
    (found,) = BoundedSearch(BrightDetector(), max_side=200).detect(picture(width, height, box))
    assert found.box.inside(width, height)
    step = max(width, height) / 200  # a pixel of what was searched
    for ours, true in zip(found.box.to_inclusive(), box.to_inclusive(), strict=True):
        assert abs(ours - true) <= 2 * step


@pytest.mark.parametrize(("least", "count"), [(0, 1), (40, 1), (41, 0)])
def test_small_faces_are_left_out_by_their_shorter_side(least: int, count: int) -> None:
    image = picture(300, 300, Box(10, 10, 50, 90))
    assert len(BoundedSearch(BrightDetector(), min_face=least).detect(image)) == count


@pytest.mark.parametrize(
    ("bounds", "text"),
    [((79, 0), "max-side: expected 80 pixels"), ((None, -1), "min-face: expected 0 pixels")],
)
def test_bounds_that_make_no_sense_are_refused(bounds: tuple[int | None, int], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        BoundedSearch(BrightDetector(), *bounds)
