"""Small pictures with boxes drawn on them, written into a page as text."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 320  # longer side in pixels
ROOM = 32  # pixels around a picture that may always be shown
ZOOM = 10  # a box smaller than this part of its picture is shown from near
# From Okabe and Ito's palette; black around each makes it stand out on any photo.
COLOURS = ("#E69F00", "#56B4E9", "#F0E442", "#CC79A7")
LINE = 3  # pixels
TAG = 18  # side of a name's field in pixels
OUTSIDE, HATCH = "#D8D8D8", "#B4B4B4"
JPEG_QUALITY = 80

# Left, top, right, bottom in pixels of the picture; right and bottom do not belong to it.
Corners = tuple[int, int, int, int]


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Attributes:
        image: H x W x 3, uint8, RGB; the longer side has at most `SIDE` pixels.
        padded: what lies beyond the picture is shown too, hatched, since a box leaves it.
        zoomed: a part of the picture is shown, since the box is very small.
        missed: a box lies so far away that it is not shown.
    """

    image: NDArray[np.uint8]
    padded: bool = False
    zoomed: bool = False
    missed: bool = False


def thumbnail(image: NDArray[np.uint8], boxes: Sequence[tuple[str, Corners]] = ()) -> Thumbnail:
    """Makes a picture small and draws boxes around its faces.

    Args:
        image: H x W x 3, uint8, RGB; it is not written to.
        boxes: each with its name; names are drawn where there is more than one.
    """
    height, width = image.shape[:2]
    corners = [_ordered(box) for _, box in boxes]
    view = _view(width, height, corners)
    canvas, scale = _canvas(image, view)
    drawn = [_scaled(box, view, scale) for box in corners]
    for place, box in enumerate(drawn):
        _draw_box(canvas, box, COLOURS[place % len(COLOURS)])
    for place, ((name, _), box) in enumerate(zip(boxes, drawn, strict=True)):
        if len(boxes) > 1:
            _draw_name(canvas, box, name, place)
    return Thumbnail(
        np.asarray(canvas),
        padded=_common(view, (0, 0, width, height)) != view,
        zoomed=view[2] - view[0] < width or view[3] - view[1] < height,
        missed=any(_common(box, view) is None for box in corners),
    )


def data_uri(image: NDArray[np.uint8], kind: Literal["jpeg", "png"] = "jpeg") -> str:
    """Writes a picture as a `data:` address, which needs no file beside the page.

    Args:
        image: H x W x 3, uint8, RGB.
        kind: "jpeg" for photos, "png" where every pixel counts.
    """
    stream = io.BytesIO()
    if kind == "jpeg":
        # Colour at full resolution: halved, it frays thin lines.
        Image.fromarray(image).save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        Image.fromarray(image).save(stream, "PNG", optimize=True)
    return file_uri(stream.getvalue(), kind)


def file_uri(content: bytes, kind: Literal["jpeg", "png"]) -> str:
    """Writes the bytes of a picture's file as a `data:` address."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _ordered(box: Corners) -> Corners:
    left, right = sorted((box[0], box[2]))
    top, bottom = sorted((box[1], box[3]))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _common(one: Corners, other: Corners) -> Corners | None:
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _view(width: int, height: int, boxes: Sequence[Corners]) -> Corners:
    """Chooses what is shown: the picture, more of its surroundings, or a part of it."""
    whole = (0, 0, width, height)
    if not boxes:
        return whole
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    around = (left, top, right, bottom)
    if _common(around, whole) == around:
        reach = 2 * max(right - left, bottom - top)
        if ZOOM * reach >= 2 * max(width, height):
            return whole
        near = (left - reach, top - reach, right + reach, bottom + reach)
        return _common(near, whole) or whole
    # A little more than the box, so that its line does not coincide with the rim.
    room = max(width, height, ROOM)
    gap = max(room // 20, 1)
    return (
        max(left - gap, -room) if left < 0 else 0,
        max(top - gap, -room) if top < 0 else 0,
        min(right + gap, width + room) if right > width else width,
        min(bottom + gap, height + room) if bottom > height else height,
    )


def _canvas(image: NDArray[np.uint8], view: Corners) -> tuple[Image.Image, float]:
    """Draws the view on hatched ground; gives it with its pixels a pixel of the picture."""
    height, width = image.shape[:2]
    size = (view[2] - view[0], view[3] - view[1])
    scale = SIDE / max(size)
    if scale > 1:  # small pictures show their pixels
        scale = max(SIDE // max(size), 1)
    canvas = _hatched((max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)))
    part = _common(view, (0, 0, width, height))
    if part is not None:
        left, top, right, bottom = _scaled(part, view, scale)
        small = Image.fromarray(image[part[1] : part[3], part[0] : part[2]]).resize(
            (max(right - left, 1), max(bottom - top, 1)),
            Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST,
            reducing_gap=2.0,
        )
        canvas.paste(small, (left, top))
    return canvas, scale


def _hatched(size: tuple[int, int]) -> Image.Image:
    canvas = Image.new("RGB", size, OUTSIDE)
    draw = ImageDraw.Draw(canvas)
    for start in range(-size[1], size[0], 8):
        draw.line((start, size[1], start + size[1], 0), fill=HATCH)
    return canvas


def _scaled(box: Corners, view: Corners, scale: float) -> Corners:
    """Gives a box in pixels of the canvas; far outside it ends just beyond the rim."""
    sides = (view[2] - view[0], view[3] - view[1])
    left, top, right, bottom = (
        # Whole numbers are compared first: a box may be farther away than a float reaches.
        round(scale * min(max(value - view[axis], -sides[axis]), 2 * sides[axis]))
        for value, axis in zip(box, (0, 1, 0, 1), strict=True)
    )
    return left, top, right, bottom


def _draw_box(canvas: Image.Image, box: Corners, colour: str) -> None:
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = box[0], box[1], max(box[2] - 1, box[0]), max(box[3] - 1, box[1])
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="black", width=LINE + 2)
    draw.rectangle((left, top, right, bottom), outline=colour, width=LINE)


def _draw_name(canvas: Image.Image, box: Corners, name: str, place: int) -> None:
    draw = ImageDraw.Draw(canvas)
    # Boxes may coincide: each name has a place of its own along the upper edge.
    left, top = max(box[0], 0) + place * TAG, max(box[1] - TAG, 0)
    colour = COLOURS[place % len(COLOURS)]
    draw.rectangle((left, top, left + TAG, top + TAG), fill=colour, outline="black")
    font = ImageFont.load_default(13)
    draw.text((left + TAG / 2, top + TAG / 2), name[:2], font=font, fill="black", anchor="mm")
