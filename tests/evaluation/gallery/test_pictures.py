"""Pictures in a page: bounded in weight, with the box, with heat where it is."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emotion.errors import PictureError
from emotion.evaluation.gallery.pictures import (
    HEAT_WEIGHT,
    PHOTO_WEIGHT,
    FacePicture,
    blend,
    heat_over_crop,
    name_within,
    not_shown,
    photo_with_box,
)
from emotion.faces.boxes import Box


def pixels_of(picture: FacePicture) -> NDArray[np.uint8]:
    content = base64.b64decode(picture.uri.removeprefix("data:image/jpeg;base64,"))
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    assert pixels.shape == (picture.height, picture.width, 3)
    return pixels


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_the_box_is_drawn_where_it_is() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    picture = photo_with_box(grey, Box(80, 60, 240, 180))
    pixels = pixels_of(picture).astype(int)
    marked = np.argwhere(np.abs(pixels - 128).max(axis=2) > 60)
    np.testing.assert_allclose(marked.min(axis=0), [60, 80], atol=3)
    np.testing.assert_allclose(marked.max(axis=0), [179, 239], atol=3)
    assert picture.notes == ()


def test_noise_weighs_no_more_than_a_picture_may() -> None:
    photo = photo_with_box(noise(600, 800, 3), Box(100, 100, 500, 500))
    assert len(photo.uri) <= PHOTO_WEIGHT
    assert pixels_of(photo).shape[1] >= 100
    heat = heat_over_crop(noise(256, 256, 3), np.zeros((256, 256), np.float32))
    assert len(heat.uri) <= HEAT_WEIGHT


def test_what_is_special_about_a_picture_is_said() -> None:
    image = noise(400, 600, 3)
    assert photo_with_box(image, Box(-20, 10, 300, 300)).notes == ("hatched: outside the picture",)
    near = photo_with_box(image, Box(10, 10, 20, 20))
    assert near.notes == ("a part of 600 × 400 pixels",)
    gone = photo_with_box(image, Box(700, 10, 720, 20))
    assert gone == FacePicture("", notes=("its box lies outside: the picture has changed",))
    assert heat_over_crop(noise(64, 64, 3), np.zeros((64, 64), np.float32)).notes


def test_heat_colours_a_grey_crop() -> None:
    crop = np.full((64, 64, 3), (200, 100, 50), np.uint8)
    heat = np.zeros((64, 64), np.float32)
    heat[:, 32:] = 1
    blended = blend(crop, heat)
    grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    np.testing.assert_allclose(blended[:, :32], grey, atol=0.51)
    expected = 0.3 * grey + 0.7 * np.array([252, 255, 164])
    np.testing.assert_allclose(blended[0, 63], expected, atol=0.51)
    assert blended.dtype == np.uint8


def test_more_heat_is_brighter_on_any_crop() -> None:
    heat = np.linspace(0.1, 1, 64, dtype=np.float32)[None].repeat(64, axis=0)
    for grey in (0, 60):
        crop = np.full((64, 64, 3), grey, np.uint8)
        brightness = blend(crop, heat).astype(float) @ [0.299, 0.587, 0.114]
        assert brightness[0, -1] > brightness[0, 40] > brightness[0, 20]


def test_a_small_crop_is_shown_as_it_is_and_a_large_one_smaller() -> None:
    heat = heat_over_crop(np.zeros((96, 96, 3), np.uint8), np.ones((96, 96), np.float32))
    assert (heat.width, heat.height, heat.notes) == (96, 96, ())
    large = heat_over_crop(np.zeros((512, 512, 3), np.uint8), np.ones((512, 512), np.float32))
    assert (large.width, large.height) == (160, 160)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PictureError(Path("a.jpg"), "picture_missing", "no such file"), "no such file"),
        (OSError(36, "File name too long"), "File name too long"),
        (OSError(), "cannot be opened"),
    ],
)
def test_a_picture_that_cannot_be_shown_says_why(
    error: PictureError | OSError, reason: str
) -> None:
    assert not_shown(error) == FacePicture("", notes=(reason,))


def test_names_are_told_within_the_data_set() -> None:
    assert name_within(Path("/data/train/img/a.jpg"), Path("/data")) == "train/img/a.jpg"
    assert name_within(Path("/other/a.jpg"), Path("/data")) == "a.jpg"
