"""Boxes: the laws of rectangles, checked against painted pixels."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion.faces.boxes import Box

FIELD = 40  # pixels; where boxes are painted to count them


@st.composite
def boxes(draw: st.DrawFn, low: int = -(10**6), high: int = 10**6) -> Box:
    left, top = draw(st.integers(low, high - 1)), draw(st.integers(low, high - 1))
    return Box(left, top, draw(st.integers(left + 1, high)), draw(st.integers(top + 1, high)))


def small() -> st.SearchStrategy[Box]:
    return boxes(0, FIELD)


def painted(box: Box | None) -> NDArray[np.bool_]:
    field = np.zeros((FIELD, FIELD), bool)
    if box is not None:
        field[box.top : box.bottom, box.left : box.right] = True
    return field


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and outer.right >= inner.right
        and outer.bottom >= inner.bottom
    )


@pytest.mark.parametrize("edges", [(5, 0, 5, 9), (6, 0, 5, 9), (0, 5, 9, 5), (0, 6, 9, 5)])
def test_a_box_without_an_area_is_refused(edges: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected a box with an area, got Box\(left="):
        Box(*edges)


def test_inclusive_corners_hold_the_last_pixels() -> None:
    box = Box.from_inclusive(280, 27, 680, 394)
    assert (box.left, box.top, box.right, box.bottom) == (280, 27, 681, 395)
    assert (box.width, box.height) == (401, 368)


def test_equal_inclusive_corners_are_one_pixel() -> None:
    assert Box.from_inclusive(7, 8, 7, 8).area == 1


@given(boxes())
def test_inclusive_corners_come_back(box: Box) -> None:
    assert Box.from_inclusive(*box.to_inclusive()) == box
    xmin, ymin, xmax, ymax = box.to_inclusive()
    assert (xmax - xmin + 1, ymax - ymin + 1) == (box.width, box.height)


@given(small())
def test_width_height_and_area_count_pixels(box: Box) -> None:
    pixels = painted(box)
    assert box.area == pixels.sum()
    assert box.width == pixels.any(axis=0).sum()
    assert box.height == pixels.any(axis=1).sum()


@given(boxes(-FIELD, 2 * FIELD), st.integers(1, FIELD), st.integers(1, FIELD))
def test_a_clipped_box_lies_inside_and_clipping_again_changes_nothing(
    box: Box, width: int, height: int
) -> None:
    clipped = box.clipped(width, height)
    if clipped is None:
        assert box.right <= 0 or box.bottom <= 0 or box.left >= width or box.top >= height
    else:
        assert clipped.inside(width, height)
        assert clipped.clipped(width, height) == clipped
        assert holds(box, clipped)


@given(small(), st.integers(1, FIELD), st.integers(1, FIELD))
def test_clipping_keeps_exactly_the_pixels_of_the_picture(
    box: Box, width: int, height: int
) -> None:
    kept = painted(box)
    kept[:, width:] = kept[height:] = False
    assert np.array_equal(painted(box.clipped(width, height)), kept)


@given(boxes(-5, FIELD + 5))
def test_a_box_is_inside_where_no_edge_is_out(box: Box) -> None:
    is_inside = box.left >= 0 and box.top >= 0 and box.right <= FIELD and box.bottom <= FIELD
    assert box.inside(FIELD, FIELD) == is_inside


@given(small(), small())
def test_the_common_part_and_iou_count_pixels(first: Box, second: Box) -> None:
    both, either = painted(first) & painted(second), painted(first) | painted(second)
    assert np.array_equal(painted(first.common_with(second)), both)
    assert first.iou(second) == both.sum() / either.sum()


@given(boxes(), boxes())
def test_iou_is_symmetric_and_a_share(first: Box, second: Box) -> None:
    assert first.iou(second) == second.iou(first)
    assert 0 <= first.iou(second) <= 1


@given(boxes(), boxes())
def test_iou_is_one_for_the_same_box_alone(first: Box, second: Box) -> None:
    assert first.iou(first) == 1
    assume(first != second)
    assert first.iou(second) < 1


def test_boxes_that_touch_share_nothing() -> None:
    assert Box(0, 0, 10, 10).common_with(Box(10, 0, 20, 10)) is None
    assert Box(0, 0, 10, 10).iou(Box(0, 10, 10, 20)) == 0


@given(boxes())
def test_a_squared_box_is_the_smallest_square_and_holds_the_box(box: Box) -> None:
    square = box.squared()
    assert square.width == square.height == max(box.width, box.height)
    assert holds(square, box)
    assert square.squared() == square


@given(boxes())
def test_a_squared_box_keeps_its_centre_to_half_a_pixel(box: Box) -> None:
    square = box.squared()
    assert abs((square.left + square.right) - (box.left + box.right)) <= 1
    assert abs((square.top + square.bottom) - (box.top + box.bottom)) <= 1


def test_a_margin_is_a_share_of_width_and_of_height() -> None:
    assert Box(100, 100, 200, 300).grown(0.1) == Box(90, 80, 210, 320)


@given(boxes(), st.floats(0, 2))
def test_a_margin_grows_all_sides_and_keeps_the_centre(box: Box, margin: float) -> None:
    grown = box.grown(margin)
    assert holds(grown, box)
    assert grown.left + grown.right == box.left + box.right
    assert grown.top + grown.bottom == box.top + box.bottom
    assert abs(grown.width - box.width * (1 + 2 * margin)) <= 1.001
    assert abs(grown.height - box.height * (1 + 2 * margin)) <= 1.001


@given(boxes())
def test_no_margin_changes_nothing(box: Box) -> None:
    assert box.grown(0) == box


def test_boxes_sort_from_left_to_right() -> None:
    assert sorted([Box(5, 0, 9, 9), Box(1, 8, 9, 9)])[0].left == 1
