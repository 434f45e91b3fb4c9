"""Drawing answers on a picture: a box, a name and a bar for each class, beside each face.

Only the pixels beneath boxes and panels are touched, so that a video frame takes milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from emotion.faces.boxes import Box
from emotion.inference.drawn.captions import (
    SMALLEST,
    TINY,
    label_of,
    names_width,
    number_width,
    panel_size,
    small,
    title_of,
)
from emotion.inference.drawn.fonts import fitted, shown_name, text_mask, text_width
from emotion.inference.drawn.panels import Arrangement, Layout, Size, arrange, text_height
from emotion.inference.drawn.strokes import Colour, blend_text, draw_frame
from emotion.inference.predictions import FacePrediction

__all__ = ["COLOURS", "UNSURE_COLOUR", "Layout", "draw_predictions"]

# Okabe and Ito's palette, which colour-blind people can tell apart, by class.
COLOURS = ("#56B4E9", "#D55E00", "#F0E442", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#BBBBBB")
UNSURE_COLOUR = "#DDDDDD"  # dashed, since a class may be grey too
DIM = 6  # beneath a panel a pixel keeps a sixth of its light: white text is readable on it
TRACK = (72, 72, 72)  # behind a bar, as long as certainty
TEXT = 255  # white

MOST_PANELS = 12  # faces; more have labels of one line
SCALES = (1.0, 0.8, 0.64)  # of the text in panels, tried one after the other: details 0, 1, 2
LABELS, NAMES = 3, 4  # the details after them: with percentage, and without
COVERED, LABEL_COVERED = 0.12, 0.3  # largest share of a face beneath a panel, beneath a label
LABEL_EDGE = 0.6  # lines: the coloured edge of a label, and as much room on both sides of its text
CROWDED = 0.3  # largest share of the picture beneath panels


@dataclass(frozen=True)
class _Plan:
    """How much is shown of each face, how large, and where; lines are the texts of labels."""

    detail: int
    unit: int
    numbered: bool
    texts: list[Box]
    lines: list[str]


def draw_predictions(
    image: NDArray[np.uint8],
    faces: Sequence[FacePrediction],
    numbered: bool = False,
    layout: Layout | None = None,
) -> NDArray[np.uint8]:
    """Draws the answers on a picture.

    Where panels with bars would hide faces, or do not fit, each face has a label of one line.
    A face whose answer is "unsure" has a grey dashed box.

    Args:
        image: H x W x 3, uint8, RGB; it is not written to.
        faces: what was found in it.
        numbered: show the number of a single face too; several are always numbered.
        layout: of the frames before, in a video; it is changed.

    Returns:
        The same shape, uint8, RGB.
    """
    drawn = np.array(image, order="C")
    size = image.shape[1], image.shape[0]
    seen = [(face, box) for face in faces if (box := face.detection.box.clipped(*size))]
    if not seen:
        return drawn
    shown, boxes = [face for face, _ in seen], [box for _, box in seen]
    numbered = numbered or len(faces) > 1
    plan = _plan(shown, boxes, size, numbered, layout or Layout())
    for face, box in seen:
        _draw_box(drawn, face, box, plan.unit)
    for number, (face, box) in enumerate(seen):
        if plan.detail >= LABELS:
            _draw_label(drawn, face, plan.texts[number], plan.lines[number], plan.unit)
            continue
        if numbered:
            _draw_number_at_box(drawn, face, box, [*boxes, *plan.texts], plan.unit)
        _draw_panel(drawn, face, plan.texts[number], plan.unit, numbered)
    return drawn


def _plan(
    faces: Sequence[FacePrediction],
    boxes: Sequence[Box],
    size: Size,
    numbered: bool,
    layout: Layout,
) -> _Plan:
    """Shows as much as can be shown without hiding faces."""
    smallest = SMALLEST if min(size) >= 100 else TINY
    largest = max(round(min(max(size) / 50, min(size) / 20)), smallest)
    last = [layout.places.get(face.number) for face in faces]
    for detail in range(NAMES + 1):
        lines: list[str] = []
        if detail < LABELS:
            unit = max(round(largest * SCALES[detail]), smallest)
            sizes = [panel_size(face, unit, numbered) for face in faces]
            if not _panels_fit(sizes, size):
                continue
        else:
            unit = text_height(boxes, largest, smallest)
            lines = [
                _line(face, box, size, unit, detail, numbered)
                for face, box in zip(faces, boxes, strict=True)
            ]
            sizes = [_label_size(line, unit, size) for line in lines]
        found = arrange(boxes, sizes, size, last, flat=detail >= LABELS)
        if _good_enough(found, detail, layout.detail):
            break
    layout.detail = detail
    layout.places = {face.number: place for face, place in zip(faces, found.places, strict=True)}
    return _Plan(detail, unit, numbered, found.texts, lines)


def _panels_fit(sizes: Sequence[Size], picture: Size) -> bool:
    total = sum(width * height for width, height in sizes)
    inside = all(width <= picture[0] and height <= picture[1] for width, height in sizes)
    return len(sizes) <= MOST_PANELS and inside and total <= CROWDED * picture[0] * picture[1]


def _good_enough(found: Arrangement, detail: int, last: int | None) -> bool:
    # What was good enough in the last frame is so a little longer: otherwise it would flicker.
    ease = 1.0 if last is None else 1.8 if detail == last else 0.5 if detail < last else 1.0
    limits = {LABELS: LABEL_COVERED, NAMES: float("inf")}
    return found.worst <= ease * limits.get(detail, COVERED)


def _colour(face: FacePrediction, label: str) -> Colour:
    return ImageColor.getrgb(COLOURS[list(face.probabilities).index(label) % len(COLOURS)])


def _answer_colour(face: FacePrediction) -> Colour:
    sure = face.answer == face.emotion
    return _colour(face, face.emotion) if sure else ImageColor.getrgb(UNSURE_COLOUR)


def _draw_box(image: NDArray[np.uint8], face: FacePrediction, box: Box, unit: int) -> None:
    """Draws a frame just inside the box; black beside the colour makes it stand out anywhere."""
    shorter = min(box.width, box.height)
    line = max(min(round(unit / 5), shorter // 16), 2 if shorter >= 24 else 1)
    if shorter > 4 * line:
        draw_frame(image, box, line + max(line // 2, 1), (0, 0, 0))
    dash = 0 if face.answer == face.emotion else max(3 * line, 3)
    draw_frame(image, box, line, _answer_colour(face), dash)


def _draw_panel(
    image: NDArray[np.uint8], face: FacePrediction, panel: Box, unit: int, numbered: bool
) -> None:
    ground = image[panel.top : panel.bottom, panel.left : panel.right]
    ground //= DIM
    labels = tuple(face.probabilities)
    left, column = unit // 2, names_width(labels, unit)
    start = left
    if numbered:
        _draw_number(ground, face, unit)
        start += number_width(face.number, unit)
    _write(ground, (start, unit // 5), title_of(face), unit, panel.width - start - unit // 4)
    for row, label in enumerate(labels):
        name, line = shown_name(label, row), round((1.45 + 1.15 * row) * unit)
        _write(ground, (left, line), name, small(unit), column - unit // 3)
    full = panel.width - left - column - unit // 2
    for row, label in enumerate(labels):
        top = round((1.6 + 1.15 * row) * unit)
        bar = ground[top : top + max(round(0.7 * unit), 3), left + column :]
        bar[:, :full] = TRACK
        bar[:, : max(round(full * face.probabilities[label]), 1)] = _colour(face, label)


def _draw_number_at_box(
    image: NDArray[np.uint8], face: FacePrediction, box: Box, taken: Sequence[Box], unit: int
) -> None:
    """Draws the number above or below the box, or in its corner where others are there."""
    width, height = number_width(face.number, unit), round(1.3 * unit)
    corners = [(box.left, box.top - height), (box.left, box.bottom), (box.left, box.top)]
    fields = [Box(left, top, left + width, top + height) for left, top in corners]
    free = [
        field
        for field in fields
        if field.inside(image.shape[1], image.shape[0])
        and not any(field.common_with(other) for other in taken)
    ]
    if not free and min(box.width / width, box.height / height) < 3:  # it would hide the face
        return
    field = [*free, fields[-1]][0]
    ground = image[field.top : field.bottom, field.left : field.right]
    _draw_number(ground, face, unit)


def _draw_number(ground: NDArray[np.uint8], face: FacePrediction, unit: int) -> None:
    """Draws a field in the colour of the answer with the face's number into the upper corner."""
    colour = _answer_colour(face)
    field = ground[: round(1.3 * unit), : number_width(face.number, unit)]
    field[:] = colour
    # The brightness above which black has the stronger contrast lies about here for this palette.
    bright = sum(weight * value for weight, value in zip((2, 7, 1), colour, strict=True)) > 1100
    mask = text_mask(str(face.number), unit, trimmed=True)
    top, left = (field.shape[0] - mask.shape[0]) // 2, (field.shape[1] - mask.shape[1]) // 2
    blend_text(field[max(top, 0) :, max(left, 0) :], mask, 0 if bright else 255)


def _line(
    face: FacePrediction, box: Box, picture: Size, unit: int, detail: int, numbered: bool
) -> str:
    # Names alone are for crowds: there a label is hardly wider than its face.
    widest = picture[0] if detail == LABELS else max(box.width, 4 * unit)
    width = min(widest, picture[0]) - LABEL_EDGE * unit
    return label_of(face, unit, round(width), detail == NAMES, numbered)


def _label_size(line: str, unit: int, picture: Size) -> Size:
    width = text_width(line, unit) + round(LABEL_EDGE * unit) if line else 1
    height = round(1.35 * unit) if line else 1
    return min(width, picture[0]), min(height, picture[1])


def _draw_label(
    image: NDArray[np.uint8], face: FacePrediction, label: Box, line: str, unit: int
) -> None:
    """Draws one line on a dark field that begins with the colour of the answer."""
    if not line:
        return
    ground = image[label.top : label.bottom, label.left : label.right]
    ground //= DIM
    edge = max(round(LABEL_EDGE * unit / 3), 1)
    _write(ground, (2 * edge, 0), line, unit, label.width - 2 * edge)
    ground[:, :edge] = _answer_colour(face)


def _write(
    ground: NDArray[np.uint8], corner: tuple[int, int], text: str, size: int, width: int
) -> None:
    mask = text_mask(fitted(text, size, width), size)
    blend_text(ground[corner[1] :, corner[0] :], mask, TEXT)
