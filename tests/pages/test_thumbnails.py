"""Small pictures: a box is where it belongs, and what leaves the picture is seen to leave it."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageColor

from emotion.pages.thumbnails import COLOURS, OUTSIDE, SIDE, Corners, data_uri, thumbnail

SIZES = st.integers(1, 400)
PLACES = st.integers(-1000, 1000) | st.integers(-(10**30), 10**30)


def blue(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), (0, 0, 255), np.uint8)


def where(image: NDArray[np.uint8], colour: str) -> Corners:
    """Gives the rectangle around all pixels of a colour."""
    rows, columns = np.nonzero((image == ImageColor.getrgb(colour)).all(axis=-1))
    return (
        int(columns.min()),
        int(rows.min()),
        int(columns.max()) + 1,
        int(rows.max()) + 1,
    )


@pytest.mark.parametrize(
    ("height", "width", "shape"),
    [
        (240, 320, (240, 320)),
        (3000, 4000, (240, 320)),
        (100, 2000, (16, 320)),
        (2000, 100, (320, 16)),
        (10, 10_000, (1, 320)),
        (48, 48, (288, 288)),  # six pixels each
        (1, 1, (320, 320)),
    ],
)
def test_the_longer_side_fits_and_the_shape_stays(
    height: int, width: int, shape: tuple[int, int]
) -> None:
    small = thumbnail(blue(height, width))
    assert small.image.shape == (*shape, 3)
    assert small.image.dtype == np.uint8
    assert (small.image == (0, 0, 255)).all()
    assert (small.padded, small.zoomed, small.missed) == (False, False, False)


def test_the_picture_is_not_written_to() -> None:
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    before = image.copy()
    image.flags.writeable = False
    small = thumbnail(image, [("1", (10, 10, 100, 100))])
    assert np.array_equal(image, before)
    assert not np.shares_memory(small.image, image)


def test_a_box_is_drawn_where_it_is() -> None:
    small = thumbnail(blue(480, 640), [("1", (100, 60, 300, 260))])
    assert where(small.image, COLOURS[0]) == (50, 30, 150, 130)
    assert tuple(small.image[80, 100]) == (0, 0, 255)  # the face itself stays visible
    assert (small.padded, small.zoomed, small.missed) == (False, False, False)


def test_a_box_around_the_whole_picture_is_seen() -> None:
    small = thumbnail(blue(240, 320), [("1", (0, 0, 320, 240))])
    assert where(small.image, COLOURS[0]) == (0, 0, 320, 240)
    assert not small.padded


@pytest.mark.parametrize(
    ("box", "beyond"),
    [
        ((-60, 50, 100, 150), (slice(100, 110), slice(0, 2))),
        ((50, -60, 150, 100), (slice(0, 2), slice(100, 110))),
        ((250, 50, 400, 150), (slice(100, 110), slice(-2, None))),
        ((50, 150, 150, 300), (slice(-2, None), slice(100, 110))),
        ((400, 300, 450, 350), (slice(-2, None), slice(0, 10))),
    ],
)
def test_a_box_that_leaves_is_shown_whole_on_hatched_ground(
    box: Corners, beyond: tuple[slice, slice]
) -> None:
    small = thumbnail(blue(240, 320), [("1", box)])
    assert small.padded
    assert not small.missed
    ground = (small.image[beyond] == ImageColor.getrgb(OUTSIDE)).all(axis=-1)
    assert ground.mean() > 0.5
    left, top, right, bottom = where(small.image, COLOURS[0])
    height, width = small.image.shape[:2]
    assert 0 < left < right < width
    assert 0 < top < bottom < height
    ratio = (right - left) / (bottom - top)
    assert ratio == pytest.approx((box[2] - box[0]) / (box[3] - box[1]), rel=0.05)


def test_a_box_far_away_is_missed_and_the_picture_still_seen() -> None:
    small = thumbnail(blue(240, 320), [("1", (10**9, 10, 10**9 + 50, 60))])
    assert small.padded
    assert small.missed
    assert (small.image == (0, 0, 255)).all(axis=-1).mean() == pytest.approx(0.5, abs=0.02)


def test_a_tiny_box_is_shown_from_near() -> None:
    image = blue(3000, 4000)
    image[1500:1516, 2000:2014] = 255
    small = thumbnail(image, [("1", (2000, 1500, 2014, 1516))])
    assert small.zoomed
    left, top, right, bottom = where(small.image, COLOURS[0])
    assert right - left >= SIDE // 10
    middle = small.image[(top + bottom) // 2, (left + right) // 2]
    assert tuple(middle) == (255, 255, 255)


def test_several_boxes_have_their_names_even_where_they_coincide() -> None:
    box = (100, 60, 200, 160)
    small = thumbnail(blue(240, 320), [("1", box), ("2", box)])
    alone = thumbnail(blue(240, 320), [("1", box)])
    for colour in COLOURS[:2]:
        assert (small.image == ImageColor.getrgb(colour)).all(axis=-1).sum() > 100
    assert (alone.image != small.image).any()


def test_corners_in_any_order_are_one_box() -> None:
    one = thumbnail(blue(240, 320), [("1", (10, 20, 110, 120))]).image
    other = thumbnail(blue(240, 320), [("1", (110, 120, 10, 20))]).image
    assert np.array_equal(one, other)


@given(SIZES, SIZES, st.lists(st.tuples(PLACES, PLACES, PLACES, PLACES), max_size=3))
def test_whatever_the_boxes_there_is_a_small_picture(
    height: int, width: int, boxes: list[Corners]
) -> None:
    named = [(str(number), box) for number, box in enumerate(boxes)]
    small = thumbnail(blue(height, width), named)
    assert max(small.image.shape[:2]) <= SIDE
    assert min(small.image.shape[:2]) >= 1
    assert np.array_equal(small.image, thumbnail(blue(height, width), named).image)


@pytest.mark.parametrize(("kind", "name"), [("jpeg", "JPEG"), ("png", "PNG")])
def test_an_address_holds_the_picture(kind: str, name: str) -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[:, 20:] = (200, 100, 50)
    uri = data_uri(image, "png") if kind == "png" else data_uri(image)
    head, _, body = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    with Image.open(io.BytesIO(base64.b64decode(body, validate=True))) as opened:
        assert opened.format == name
        assert np.abs(np.asarray(opened).astype(int) - image).max() <= (0 if kind == "png" else 12)
