"""Crops: numpy's own slices are the reference."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from emotion.faces.annotations import read_annotation
from emotion.faces.boxes import Box
from emotion.faces.crops import crop_face, resize_crop
from emotion.faces.images import read_image

Picture = NDArray[np.uint8]


def noise(height: int, width: int, seed: int = 0) -> Picture:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return values.astype(np.uint8)


def smooth(height: int, width: int) -> Picture:
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (np.stack([x, y, (x + y) / 2], axis=-1) * 255).astype(np.uint8)


IMAGE = noise(48, 64)


@given(st.data())
def test_a_crop_holds_the_first_and_the_last_pixels_of_the_annotation(data: st.DataObject) -> None:
    xmin, ymin = data.draw(st.integers(0, 63)), data.draw(st.integers(0, 47))
    xmax, ymax = data.draw(st.integers(xmin, 63)), data.draw(st.integers(ymin, 47))
    crop = crop_face(IMAGE, Box.from_inclusive(xmin, ymin, xmax, ymax))
    assert np.array_equal(crop, IMAGE[ymin : ymax + 1, xmin : xmax + 1])


@given(st.integers(-60, 63), st.integers(-40, 47), st.integers(61, 130), st.integers(41, 100))
def test_a_crop_ends_at_the_border(left: int, top: int, width: int, height: int) -> None:
    crop = crop_face(IMAGE, Box(left, top, left + width, top + height))
    assert np.array_equal(crop, IMAGE[max(top, 0) : top + height, max(left, 0) : left + width])


def test_a_margin_adds_pixels_on_each_side() -> None:
    crop = crop_face(IMAGE, Box(20, 10, 40, 20), margin=0.2)
    assert np.array_equal(crop, IMAGE[8:22, 16:44])


def test_a_square_is_widened_around_the_centre() -> None:
    crop = crop_face(IMAGE, Box(20, 10, 40, 20), square=True)
    assert np.array_equal(crop, IMAGE[5:25, 20:40])


def test_a_margin_is_added_to_the_square() -> None:
    crop = crop_face(IMAGE, Box(20, 14, 30, 34), margin=0.1, square=True)
    assert np.array_equal(crop, IMAGE[12:36, 13:37])


def test_a_square_at_the_border_is_cut_there() -> None:
    crop = crop_face(IMAGE, Box(0, 0, 4, 20), square=True)
    assert np.array_equal(crop, IMAGE[0:20, 0:12])


@pytest.mark.parametrize("edges", [(64, 0, 70, 10), (0, 48, 9, 60), (-9, 0, 0, 9), (0, -9, 9, 0)])
def test_a_box_outside_the_picture_is_refused(edges: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"Box\(.*\) lies outside a picture of 64 x 48$"):
        crop_face(IMAGE, Box(*edges))


@settings(max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 90))
def test_a_resized_crop_is_a_square_of_that_size(height: int, width: int, size: int) -> None:
    resized = resize_crop(np.full((height, width, 3), (10, 20, 30), np.uint8), size)
    assert resized.shape == (size, size, 3)
    assert resized.dtype == np.uint8
    assert resized.flags.c_contiguous
    assert (resized == (10, 20, 30)).all()  # one colour stays that colour


@given(st.integers(1, 48))
def test_a_crop_of_that_size_already_stays_as_it_is(size: int) -> None:
    assert np.array_equal(resize_crop(IMAGE[:size, :size], size), IMAGE[:size, :size])


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 3), (2, 4), (5, 1)])
def test_shrinking_by_whole_numbers_averages_blocks(rows: int, columns: int) -> None:
    crop = noise(32 * rows, 32 * columns)
    means = crop.reshape(32, rows, 32, columns, 3).mean(axis=(1, 3))
    assert np.abs(resize_crop(crop, 32) - means).max() <= 0.51  # a rounding


def test_fine_stripes_shrink_to_grey_and_not_to_stripes() -> None:
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:, ::2] = 255
    resized = resize_crop(stripes, 64).astype(float)
    assert resized.std() < 25
    assert abs(resized.mean() - 127.5) < 2


@pytest.mark.parametrize(("height", "width"), [(20, 30), (50, 40), (1, 64)])
def test_growing_interpolates_as_pillow_does(height: int, width: int) -> None:
    crop = noise(height, width)
    expected = np.asarray(Image.fromarray(crop).resize((96, 96), Image.Resampling.BILINEAR))
    assert np.abs(resize_crop(crop, 96).astype(int) - expected).max() <= 2


def test_shrinking_is_near_pillows_box_filter() -> None:
    crop = smooth(181, 203)
    expected = np.asarray(Image.fromarray(crop).resize((64, 64), Image.Resampling.BOX))
    assert np.abs(resize_crop(crop, 64).astype(int) - expected).max() <= 3


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 150), st.integers(0, 9))
def test_resizing_is_opencvs_to_a_grey_level(height: int, width: int, size: int, seed: int) -> None:
    crop = noise(height, width, seed)
    method = cv2.INTER_AREA if min(height, width) >= size else cv2.INTER_LINEAR
    expected = cv2.resize(crop, (size, size), interpolation=method)
    assert np.abs(resize_crop(crop, size).astype(int) - expected).max() <= 1


def test_a_grey_crop_is_resized_as_each_colour_is() -> None:
    crop = noise(70, 90)
    expected = resize_crop(crop, 40)[..., 1]
    assert np.array_equal(resize_crop(crop[..., 1], 40), expected)


def test_a_view_is_resized_like_its_copy() -> None:
    view = IMAGE[::-1, ::-1][3:40, 5:50]
    assert not view.flags.c_contiguous
    assert np.array_equal(resize_crop(view, 32), resize_crop(view.copy(), 32))


@pytest.fixture(scope="module")
def originals(shared: Path) -> tuple[Picture, Box, Picture]:
    """The photo 1.1.jpg, its annotated box, and the original project's own crop of it."""
    photo = read_image(shared / "data/nota24/img/1.1.jpg")
    (face,) = read_annotation(shared / "data/nota24/annotations/1.1.xml").faces
    return photo, face.box, read_image(shared / "data/original/face_1.1.jpg")


@pytest.mark.slow
def test_our_crop_is_the_originals_crop(originals: tuple[Picture, Box, Picture]) -> None:
    photo, box, expected = originals
    crop = crop_face(photo, box)
    assert crop.shape == expected.shape == (368, 401, 3)
    assert np.abs(crop.astype(float) - expected).mean() < 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "shift", [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]
)
def test_a_crop_that_is_off_by_one_pixel_is_another(
    originals: tuple[Picture, Box, Picture], shift: tuple[int, int]
) -> None:
    photo, box, expected = originals
    x, y = shift
    shifted = Box(box.left + x, box.top + y, box.right + x, box.bottom + y)
    assert np.abs(crop_face(photo, shifted).astype(float) - expected).mean() >= 1.4
