"""Drawing answers on a photo: a box, a name and five bars for each face."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emotion.faces.boxes import Box
from emotion.inference.pipeline import FacePrediction

# Okabe and Ito's palette, which colour-blind people can tell apart, by class.
COLOURS = ("#56B4E9", "#D55E00", "#F0E442", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#BBBBBB")
PANEL = (0, 0, 0, 170)  # dark and half transparent: readable on any background


def draw_predictions(
    image: NDArray[np.uint8], faces: Sequence[FacePrediction]
) -> NDArray[np.uint8]:
    """Draws the answers on a photo.

    Args:
        image: H x W x 3, uint8, RGB; it is not written to.
        faces: what was found in it.

    Returns:
        The same shape, uint8, RGB.
    """
    photo = Image.fromarray(image).convert("RGBA")
    layer = Image.new("RGBA", photo.size)
    draw = ImageDraw.Draw(layer)
    unit = max(max(photo.size) / 50, 11)  # height of a line of text in pixels
    taken = [face.detection.box for face in faces]
    for face in faces:
        _draw_face(draw, face, unit)
        panel = _place_panel(face.detection.box, photo.size, unit, len(face.probabilities), taken)
        taken.append(panel)
        _draw_panel(draw, face, panel, unit)
    drawn = Image.alpha_composite(photo, layer).convert("RGB")
    return np.asarray(drawn)


def _colour(face: FacePrediction, label: str) -> str:
    return COLOURS[list(face.probabilities).index(label) % len(COLOURS)]


def _draw_face(draw: ImageDraw.ImageDraw, face: FacePrediction, unit: float) -> None:
    box = face.detection.box
    width = max(round(unit / 5), 2)
    corners = (box.left, box.top, box.right - 1, box.bottom - 1)
    draw.rectangle(corners, outline="black", width=width + 2)
    draw.rectangle(corners, outline=_colour(face, face.emotion), width=width)


def _place_panel(
    box: Box, size: tuple[int, int], unit: float, classes: int, taken: Sequence[Box]
) -> Box:
    """Finds room for the panel: beside the face, where it covers least of what is there."""
    width, height = round(9.5 * unit), round((classes + 1.6) * unit * 1.15)
    gap = round(unit / 3)
    places = [
        (box.right + gap, box.top),
        (box.left - gap - width, box.top),
        (box.right + gap, box.bottom - height),
        (box.left - gap - width, box.bottom - height),
        (box.left, box.bottom + gap),
        (box.left, box.top - gap - height),
        (box.left, box.bottom - height),
    ]
    panels = [_moved_inside(left, top, width, height, size) for left, top in places]
    return min(panels, key=lambda panel: sum(_covered(panel, other) for other in taken))


def _moved_inside(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> Box:
    left = max(min(left, size[0] - width), 0)
    top = max(min(top, size[1] - height), 0)
    return Box(left, top, left + width, top + height)


def _covered(panel: Box, other: Box) -> int:
    common = panel.common_with(other)
    return common.area if common else 0


def _draw_panel(draw: ImageDraw.ImageDraw, face: FacePrediction, panel: Box, unit: float) -> None:
    draw.rectangle((panel.left, panel.top, panel.right, panel.bottom), fill=PANEL)
    title, small = ImageFont.load_default(unit * 1.1), ImageFont.load_default(unit * 0.85)
    left, top = panel.left + unit / 3, panel.top + unit / 5
    share = face.probabilities[face.emotion]
    draw.text((left, top), f"{face.emotion} {share:.0%}", font=title, fill="white")
    bar_left, bar_width = left + 4.6 * unit, panel.width - 5.2 * unit
    for row, (label, probability) in enumerate(face.probabilities.items()):
        line = top + unit * (1.5 + 1.15 * row)
        draw.text((left, line), label, font=small, fill="white")
        end = bar_left + max(bar_width * probability, 1)
        bar = (bar_left, line + unit * 0.15, end, line + unit * 0.85)
        draw.rectangle(bar, fill=_colour(face, label))
