import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.importers.photos import Refusal, SourceFace, number, part_of
from emotion.faces.boxes import Box


def test_without_corners_the_face_is_the_whole_picture() -> None:
    assert SourceFace("sad").box(40, 30) == Box(0, 0, 40, 30)


def test_corners_are_rounded_and_kept_where_the_source_has_them() -> None:
    assert SourceFace("sad", (1.4, 2.6, 50.4, 60.6)).box(40, 30) == Box(1, 3, 50, 61)
    assert SourceFace("sad", (-5, -6, 10, 10)).box(40, 30) == Box(-5, -6, 10, 10)


def test_fractions_are_of_width_and_height() -> None:
    assert SourceFace("sad", (0.1, 0.1, 0.5, 1.0), True).box(200, 100) == Box(20, 10, 100, 100)


@pytest.mark.parametrize("corners", [(5, 5, 5, 9), (5, 5, 9, 6), (9, 5, 5, 9), (0.2, 0, 0.4, 9)])
def test_a_box_without_area_is_no_box(corners: tuple[float, float, float, float]) -> None:
    assert "has no area" in str(SourceFace("sad", corners).box(40, 30))


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300, -2e9])
def test_a_corner_that_is_no_pixel_is_no_box(value: float) -> None:
    assert "not four numbers" in str(SourceFace("sad", (0, 0, 9, value)).box(40, 30))
    assert "not four numbers" in str(SourceFace("sad", (0, 0, 1, value), True).box(40, 30))


@given(st.tuples(*[st.floats()] * 4), st.booleans())
def test_any_four_numbers_are_a_box_or_a_reason(
    corners: tuple[float, float, float, float], relative: bool
) -> None:
    box = SourceFace("sad", corners, relative).box(40, 30)
    assert isinstance(box, Box | str)


def test_numbers_are_read_and_everything_else_is_none() -> None:
    assert number("   3.0000000e+00") == 3
    assert number(7) == 7
    for odd in ("", "three", None, True, [1], "9" * 5000, int("9" * 400)):
        value = number(odd)
        assert math.isnan(value) or math.isinf(value)


def test_parts_go_by_many_names() -> None:
    assert [part_of(name) for name in ("Train", "training", "train2017")] == ["train"] * 3
    assert [part_of(name) for name in ("val", "valid", "Validation", "val2017")] == ["val"] * 4
    assert [part_of(name) for name in (" test ", "testing")] == ["test"] * 2
    assert [part_of(name) for name in ("", "retrain", "happy")] == [None] * 3


def test_what_is_printed_of_a_source_has_no_control_characters() -> None:
    assert str(Refusal("a\x1b[31m.png", "b\nc")) == "a\ufffd[31m.png: b\ufffdc"
