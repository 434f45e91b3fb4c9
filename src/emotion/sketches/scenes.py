"""Draws photo-like scenes of one to three people whose faces show one of five expressions.

Promises: the given generator is the only source of chance, so the same generator state gives the
same bytes; faces lie wholly inside the scene and never overlap; a face's box is framed as a
frontal face detector frames it, from the middle of the forehead to the chin and without the ears.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.sketches.acting import PEAKS, act
from emotion.sketches.backgrounds import paint_background
from emotion.sketches.casting import cast_person
from emotion.sketches.easel import Plane
from emotion.sketches.portraits import paint_portrait
from emotion.sketches.traits import Pose

EXPRESSIONS = tuple(PEAKS)

# Painted at twice the size: reducing it again is what smooths every edge.
_OVERSIZE = 2
# The frame of a face in a sitter's coordinates: the middle's y and the side.
_FRAME_MIDDLE = 0.48
_FRAME_SIDE = 2.18


@dataclass(frozen=True)
class DrawnFace:
    """A face in a scene.

    Attributes:
        label: The expression, one of EXPRESSIONS.
        box: Left, top, right and bottom in pixels, half-open, inside the scene.
    """

    label: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Scene:
    """A drawn scene.

    Attributes:
        image: Height x width x 3, uint8, RGB.
        faces: The faces, from left to right.
    """

    image: NDArray[np.uint8]
    faces: tuple[DrawnFace, ...]


def draw_scene(generator: np.random.Generator, labels: Sequence[str] | None = None) -> Scene:
    """Draws a scene of people before a background.

    Args:
        generator: The only source of chance.
        labels: One expression per face, from left to right, one to three; None draws them.

    Returns:
        The scene, 480 x 360 to 640 x 480 pixels (width x height).

    Raises:
        ValueError: If there are no or more than three labels, or a label is unknown.
    """
    labels = _draw_labels(generator) if labels is None else tuple(labels)
    if not 1 <= len(labels) <= 3 or not set(labels) <= set(EXPRESSIONS):
        raise ValueError(f"a scene takes one to three of {EXPRESSIONS}, not {labels}")
    width = int(generator.integers(480, 641))
    height = width * 3 // 4
    boxes = _place_boxes(generator, len(labels), width, height)
    picture = paint_background(generator, _OVERSIZE * width, _OVERSIZE * height)
    light = generator.uniform(-1.0, 1.0)
    # Whoever sits lower is nearer and therefore painted later, over the others' shoulders.
    for index in sorted(range(len(labels)), key=lambda index: boxes[index][3]):
        _seat(generator, picture, labels[index], boxes[index], light)
    image = _reduce(picture, width, height)
    faces = tuple(DrawnFace(label, box) for label, box in zip(labels, boxes, strict=True))
    return Scene(_photograph(generator, image), faces)


def _draw_labels(generator: np.random.Generator) -> tuple[str, ...]:
    count = 1 + int(generator.choice(3, p=(0.7, 0.2, 0.1)))
    return tuple(EXPRESSIONS[index] for index in generator.integers(len(EXPRESSIONS), size=count))


def _place_boxes(
    generator: np.random.Generator, count: int, width: int, height: int
) -> list[tuple[int, int, int, int]]:
    """Gives each face a column of its own, wide enough for its hair."""
    column = width / count
    largest = min(0.46 * height, 0.66 * column)
    boxes = []
    for index in range(count):
        side = round(generator.uniform(max(92.0, 0.72 * largest), max(largest, 96.0)))
        slack = max(0.0, column - 1.45 * side) / 2
        x = (index + 0.5) * column + generator.uniform(-slack, slack)
        # Hair and hats need more room above the box than the neck needs below it.
        highest = 1.08 * side
        y = generator.uniform(highest, max(0.58 * height, highest))
        left, top = round(x - side / 2), round(y - side / 2)
        boxes.append((left, top, left + side, top + side))
    return boxes


def _seat(
    generator: np.random.Generator,
    picture: Sequence[Plane],
    label: str,
    box: tuple[int, int, int, int],
    light: float,
) -> None:
    """Casts a person and paints it so that its face fills the box."""
    left, top, right, bottom = (_OVERSIZE * edge for edge in box)
    unit = (right - left) / _FRAME_SIDE
    tilt = generator.uniform(-12.0, 12.0)
    # The head turns about the eyes, so the middle of the face swings out to one side.
    offset = unit * _FRAME_MIDDLE * np.array([np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
    pose = Pose(
        origin=((left + right) / 2 - float(offset[0]), (top + bottom) / 2 - float(offset[1])),
        unit=unit,
        tilt=tilt,
        gaze=(generator.uniform(-0.05, 0.05), generator.uniform(-0.015, 0.02)),
        light=light,
    )
    paint_portrait(picture, cast_person(generator), act(generator, label), pose, generator)


def _reduce(picture: Sequence[Plane], width: int, height: int) -> NDArray[np.float32]:
    planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in picture]
    return np.asarray(cv2.merge(planes), np.float32)


def _photograph(generator: np.random.Generator, image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Does to the painting what light and lens do: falloff, cast, blur, grain; uses it up."""
    height, width = image.shape[:2]
    slope = generator.uniform(-0.18, 0.18)
    warmth = generator.uniform(-0.07, 0.07)
    gain = generator.uniform(0.88, 1.03) * np.array((1 + warmth, 1.0, 1 - warmth))
    falloff = 1.0 + slope * np.linspace(-1, 1, width)
    image *= (falloff[:, None] * gain).astype(np.float32)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), generator.uniform(0.35, 0.8)), np.float32)
    grain = generator.standard_normal((height, width, 1), np.float32)
    # The half makes the cut to whole numbers a rounding.
    image += np.float32(generator.uniform(1.5, 4.5)) * grain + np.float32(0.5)
    return np.clip(image, 0, 255, out=image).astype(np.uint8)
