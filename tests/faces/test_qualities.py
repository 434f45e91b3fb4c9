"""Qualities of a face's picture: hand-made pictures, and what blur, light and size do to them."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, laplace

from emotion.faces.boxes import Box
from emotion.faces.qualities import SIDE, Qualities, measure_qualities

Picture = NDArray[np.uint8]
RNG = np.random.default_rng(0)
GREY = gaussian_filter(RNG.normal(size=(300, 400)), 2)
GREY = (128 + 50 * GREY / GREY.std()).clip(0, 255)
PHOTO: Picture = np.repeat(GREY.astype(np.uint8)[..., None], 3, axis=2)
FACE = Box(40, 30, 40 + 2 * SIDE, 30 + 2 * SIDE)


def test_size_is_the_geometric_mean_of_the_sides_in_pixels_of_the_photo() -> None:
    assert measure_qualities(PHOTO, Box(10, 10, 100, 50)).size == pytest.approx(60)
    # What lies outside belongs to the face too.
    assert measure_qualities(PHOTO, Box(-50, 10, 40, 50)).size == pytest.approx(60)


def test_values_are_those_of_numpy_and_scipy() -> None:
    # At exactly 112 x 112 pixels nothing is resized; all channels are equal, so grey is as they.
    found = measure_qualities(PHOTO, Box(40, 30, 40 + SIDE, 30 + SIDE))
    pixels = PHOTO[30 : 30 + SIDE, 40 : 40 + SIDE, 0].astype(np.float64)
    assert found.brightness == pytest.approx(pixels.mean())
    assert found.contrast == pytest.approx(pixels.std())
    assert found.sharpness == pytest.approx(laplace(pixels, mode="mirror").var())


def test_grey_is_what_the_eye_sees_of_red_green_and_blue() -> None:
    for colour, luma in (((255, 0, 0), 0.299), ((0, 255, 0), 0.587), ((0, 0, 255), 0.114)):
        plain = np.full((50, 50, 3), colour, np.uint8)
        found = measure_qualities(plain, Box(5, 5, 45, 45))
        assert found.brightness == pytest.approx(255 * luma, abs=0.6)
        assert (found.sharpness, found.contrast) == (0, 0)


def test_only_what_lies_in_the_box_counts() -> None:
    other = 255 - PHOTO
    other[30 : 30 + 2 * SIDE, 40 : 40 + 2 * SIDE] = PHOTO[30 : 30 + 2 * SIDE, 40 : 40 + 2 * SIDE]
    assert measure_qualities(other, FACE) == measure_qualities(PHOTO, FACE)


def test_blur_takes_sharpness_and_light_takes_brightness() -> None:
    values = [
        measure_qualities(np.asarray(cv2.GaussianBlur(PHOTO, (0, 0), sigma)), FACE).sharpness
        for sigma in (1, 2, 4, 8)
    ]
    values.insert(0, measure_qualities(PHOTO, FACE).sharpness)
    assert all(after < 0.8 * before for before, after in pairwise(values))
    dark, light = measure_qualities(PHOTO // 2, FACE), measure_qualities(PHOTO, FACE)
    assert dark.brightness == pytest.approx(light.brightness / 2, abs=0.6)
    assert dark.contrast == pytest.approx(light.contrast / 2, abs=0.6)


def test_a_sharp_face_that_fills_more_pixels_is_no_sharper() -> None:
    # Both hold more pixels than are looked at, and show the same.
    size = (3 * PHOTO.shape[1], 3 * PHOTO.shape[0])
    large = np.asarray(cv2.resize(PHOTO, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    box = Box(*(3 * edge for edge in (FACE.left, FACE.top, FACE.right, FACE.bottom)))
    one, other = measure_qualities(PHOTO, FACE), measure_qualities(large, box)
    assert other.sharpness == pytest.approx(one.sharpness, rel=0.05)
    assert (one.size, other.size) == (2 * SIDE, 6 * SIDE)


@pytest.mark.parametrize(
    ("box", "truncated"),
    [
        (Box(1, 1, 399, 299), False),
        (Box(0, 1, 50, 50), True),
        (Box(1, 0, 50, 50), True),
        (Box(300, 200, 400, 299), True),
        (Box(300, 200, 399, 300), True),
        (Box(-5, 10, 50, 50), True),
        (Box(350, 250, 420, 330), True),
        (Box(0, 0, 400, 300), True),
    ],
)
def test_a_box_at_the_border_or_beyond_it_is_truncated(box: Box, truncated: bool) -> None:
    assert measure_qualities(PHOTO, box).truncated is truncated


def test_a_box_outside_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="lies outside a picture of 400 x 300"):
        measure_qualities(PHOTO, Box(400, 0, 420, 20))


@given(
    left=st.integers(-20, 19),
    top=st.integers(-20, 19),
    sides=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 99),
)
def test_any_face_has_finite_qualities(
    left: int, top: int, sides: tuple[int, int], seed: int
) -> None:
    box = Box(left, top, left + sides[0], top + sides[1])
    if box.clipped(20, 20) is None:
        return
    image = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    found = measure_qualities(image, box)
    assert isinstance(found, Qualities)
    assert 0 <= found.brightness <= 255
    assert 0 <= found.contrast <= 127.5
    assert 0 <= found.sharpness < np.inf
    assert found.truncated is (not box.grown(0).inside(20, 20) or _touches(box, 20))


def _touches(box: Box, side: int) -> bool:
    return box.left == 0 or box.top == 0 or box.right == side or box.bottom == side
