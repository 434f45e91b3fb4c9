"""Draws photo-like scenes of one to three people whose faces show one of five expressions.

Promises: the given generator is the only source of chance, so the same generator state gives the
same bytes; faces lie wholly inside the scene and never overlap; a face's box is framed as a
frontal face detector frames it, from the middle of the forehead to the chin and without the ears.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.data.portraits import (
    Colour,
    Expression,
    Hairstyle,
    Person,
    Plane,
    Pose,
    paint_portrait,
)

EXPRESSIONS = ("neutral", "anger", "surprise", "smile", "sad")

Image = NDArray[np.float32]

# Painted at twice the size: reducing it again is what smooths every edge.
OVERSIZE = 2
# The frame of a face in a sitter's coordinates: the middle's y and the side.
FRAME_MIDDLE = 0.48
FRAME_SIDE = 2.18


# Light to dark, after the Monk skin tone scale but as warm as skin is under a lamp.
SKINS: tuple[Colour, ...] = (
    (244, 206, 184),
    (238, 196, 168),
    (234, 188, 150),
    (216, 170, 132),
    (200, 150, 112),
    (176, 128, 92),
    (148, 102, 72),
    (120, 80, 57),
    (98, 64, 45),
    (80, 52, 37),
)
HAIRS: tuple[Colour, ...] = (
    (28, 24, 24),
    (46, 33, 27),
    (78, 52, 36),
    (112, 76, 46),
    (150, 104, 60),
    (196, 158, 100),
    (150, 66, 34),
    (150, 148, 146),
    (206, 202, 196),
)
CLOTHES: tuple[Colour, ...] = (
    (52, 66, 96),
    (150, 54, 52),
    (64, 98, 74),
    (214, 206, 192),
    (58, 58, 62),
    (196, 150, 72),
    (108, 134, 164),
    (122, 84, 120),
    (226, 228, 232),
)
IRISES: tuple[Colour, ...] = ((62, 40, 26), (86, 58, 34), (98, 104, 66), (84, 116, 140))
# Bald (None), shaven, side parting, fringe, curls, bob, long, long curls, afro, receding, bun.
HAIRSTYLES: tuple[Hairstyle | None, ...] = (
    None,
    Hairstyle(0.05, 0.02, 0.0, -0.97, -0.25, 0.0, 0.0),
    Hairstyle(0.20, 0.06, 0.01, -0.98, -0.10, 0.4, 0.0),
    Hairstyle(0.26, 0.08, 0.01, -0.84, -0.15, -0.3, 0.0),
    Hairstyle(0.24, 0.14, 0.05, -0.90, -0.15, 0.1, 0.0),
    Hairstyle(0.16, 0.14, 0.01, -0.88, 1.12, 0.3, 1.25),
    Hairstyle(0.18, 0.14, 0.01, -1.02, 2.1, 0.0, 2.5),
    Hairstyle(0.20, 0.22, 0.05, -0.94, 1.8, -0.3, 2.3),
    Hairstyle(0.40, 0.34, 0.06, -0.92, -0.05, 0.0, 0.35),
    Hairstyle(0.08, 0.04, 0.0, -1.14, -0.10, 0.0, 0.0),
    Hairstyle(0.10, 0.03, 0.0, -1.02, -0.05, 0.0, 0.0, 0.34),
)

# Each expression at its peak; where there are two, people show the one or the other.
# fmt: off
PEAKS: dict[str, tuple[Expression, ...]] = {
    "neutral": (Expression(),),
    "anger": (
        Expression(inner_brow=-0.17, outer_brow=0.06, pinch=0.07, frown=1.0, upper_lid=0.085,
                   lower_lid=0.05, droop=-0.055, mouth=0.33, corners=-0.085, lips=0.6),
        Expression(inner_brow=-0.17, outer_brow=0.06, pinch=0.07, frown=1.0, upper_lid=0.095,
                   lower_lid=0.05, droop=-0.055, mouth=0.36, corners=-0.05, lips=0.75,
                   opening=0.2, squareness=0.8, teeth=1.0, jaw=0.08, cheeks=0.15),
    ),
    "surprise": (
        Expression(inner_brow=0.23, outer_brow=0.21, forehead=1.0, upper_lid=0.215,
                   lower_lid=0.125, mouth=0.23, lips=0.9, opening=0.42, squareness=0.4,
                   teeth=0.15, jaw=0.2),
    ),
    "smile": (
        Expression(inner_brow=0.03, outer_brow=0.03, upper_lid=0.105, lower_lid=0.045,
                   droop=0.01, mouth=0.50, corners=0.17, lips=0.8, opening=0.19, teeth=0.9,
                   jaw=0.02, cheeks=1.0),
        Expression(inner_brow=0.03, outer_brow=0.03, upper_lid=0.105, lower_lid=0.05,
                   droop=0.01, mouth=0.49, corners=0.16, lips=0.8, cheeks=0.9),
    ),
    "sad": (
        Expression(inner_brow=0.16, outer_brow=-0.09, pinch=0.03, frown=0.25, forehead=0.4,
                   upper_lid=0.085, lower_lid=0.07, droop=0.06, mouth=0.33, corners=-0.15,
                   lips=0.95),
    ),
}
# fmt: on


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
    picture = _paint_background(generator, width, height)
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
    left, top, right, bottom = (OVERSIZE * edge for edge in box)
    unit = (right - left) / FRAME_SIDE
    tilt = generator.uniform(-12.0, 12.0)
    # The head turns about the eyes, so the middle of the face swings out to one side.
    offset = unit * FRAME_MIDDLE * np.array([np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
    pose = Pose(
        origin=((left + right) / 2 - float(offset[0]), (top + bottom) / 2 - float(offset[1])),
        unit=unit,
        tilt=tilt,
        gaze=(generator.uniform(-0.05, 0.05), generator.uniform(-0.015, 0.02)),
        light=light,
    )
    paint_portrait(picture, _cast_person(generator), _act(generator, label), pose, generator)


def _cast_person(generator: np.random.Generator) -> Person:
    """Draws a person at random, every skin tone as likely as every other."""
    chance = generator.uniform
    tone = int(generator.integers(len(SKINS)))
    dark, age = tone >= 5, float(chance())
    hair = HAIRS[generator.integers(3 if dark else len(HAIRS) - 2)]
    if age > 0.85:
        hair = HAIRS[-int(generator.integers(1, 3))]
    beanie = _pick(generator, CLOTHES) if chance() < 0.07 else None
    style = HAIRSTYLES[generator.integers(len(HAIRSTYLES))]
    if beanie is not None and style is not None:
        style = replace(style, crown=0.0, sides=min(style.sides, 0.06), bun=0.0)
    bearded = (style is None or max(style.length, style.bun * 3) < 1.0) and chance() < 0.4
    return Person(
        skin=_varied(generator, SKINS[tone], 0.05),
        hair=_varied(generator, hair, 0.15),
        style=style,
        clothes=_varied(generator, _pick(generator, CLOTHES), 0.15),
        stripes=_pick(generator, CLOTHES) if chance() < 0.2 else None,
        collar=bool(chance() < 0.3),
        iris=_pick(generator, IRISES[:2] if dark else IRISES),
        face=(chance(0.90, 1.08), chance(0.95, 1.06)),
        eye=chance(0.92, 1.1),
        nose=chance(0.88, 1.15) * (1.1 if dark else 1.0),
        lips=chance(0.8, 1.2) * (1.15 if dark else 1.0),
        lipstick=chance(0.28, 0.55),
        brow=chance(0.75, 1.25),
        neck=chance(0.78, 0.9) if style is not None and style.length > 1.0 else chance(0.85, 1.0),
        age=age,
        freckles=chance(0.2, 0.45) if tone < 4 and chance() < 0.2 else 0.0,
        beard=chance(0.35, 0.85) if bearded else 0.0,
        moustache=chance(0.4, 0.9) if bearded and chance() < 0.8 else 0.0,
        glasses=chance(0.3, 1.0) if chance() < 0.2 else 0.0,
        beanie=beanie,
    )


def _act(generator: np.random.Generator, label: str) -> Expression:
    """Draws an expression: between the relaxed face and one of the label's peaks, never exact."""
    peak = PEAKS[label][generator.integers(len(PEAKS[label]))]
    intensity = generator.uniform(0.78, 1.12)
    relaxed, full = np.array(astuple(Expression())), np.array(astuple(peak))
    mixed = relaxed + intensity * (full - relaxed)
    mixed *= generator.uniform(0.92, 1.08, mixed.size)
    mixed += generator.uniform(-0.012, 0.012, mixed.size)
    return Expression(*(float(value) for value in mixed))


def _pick(generator: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    return colours[int(generator.integers(len(colours)))]


def _varied(generator: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Varies a colour by a share of itself, the lightness more than the hue."""
    factors = generator.uniform(1 - spread, 1 + spread) * generator.uniform(0.98, 1.02, 3)
    red, green, blue = np.clip(np.array(colour) * factors, 0, 255)
    return (float(red), float(green), float(blue))


def _paint_background(generator: np.random.Generator, width: int, height: int) -> tuple[Plane, ...]:
    """Paints an out-of-focus background small and enlarges it: blur costs nothing that way."""
    small = np.empty((height // 4, width // 4, 3), np.float32)
    _wash(generator, small)
    painters: tuple[Callable[[np.random.Generator, Image], None], ...]
    painters = (_hang_clouds, _furnish_room, _plant_park, _build_street)
    painters[int(generator.integers(len(painters)))](generator, small)
    blurred = cv2.GaussianBlur(small, (0, 0), generator.uniform(1.2, 3.5))
    size = (OVERSIZE * width, OVERSIZE * height)
    return tuple(np.asarray(cv2.resize(plane, size), np.float32) for plane in cv2.split(blurred))


def _reduce(picture: Sequence[Plane], width: int, height: int) -> Image:
    planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in picture]
    return np.asarray(cv2.merge(planes), np.float32)


def _wash(generator: np.random.Generator, image: Image) -> None:
    first, second = _hue(generator, 0.35), _hue(generator, 0.35)
    height, width = image.shape[:2]
    angle = generator.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-0.7, 0.7, width), np.linspace(-0.7, 0.7, height))
    blend = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    image[:] = first + (second - first) * blend


def _hue(generator: np.random.Generator, saturation: float) -> NDArray[np.float64]:
    value = generator.uniform(70, 215)
    return np.asarray(value * (1.0 - saturation * generator.random(3)))


def _hang_clouds(generator: np.random.Generator, image: Image) -> None:
    """Mottles the wall like a photographer's backdrop."""
    height, width = image.shape[:2]
    coarse = generator.normal(0.0, 22.0, (6, 8)).astype(np.float32)
    image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]


def _furnish_room(generator: np.random.Generator, image: Image) -> None:
    """Puts pictures, shelves and a window on the wall."""
    height, width = image.shape[:2]
    for _ in range(generator.integers(3, 8)):
        left, top = (int(value) for value in generator.uniform((-20, -10), (width, height * 0.7)))
        right = left + int(generator.integers(12, 50))
        bottom = top + int(generator.integers(8, 70))
        cv2.rectangle(image, (left, top), (right, bottom), _hue(generator, 0.6).tolist(), -1)


def _plant_park(generator: np.random.Generator, image: Image) -> None:
    """Sets foliage under a bright sky, with the sun coming through as discs."""
    height, width = image.shape[:2]
    image *= np.array((0.82, 0.95, 0.72), np.float32)
    for _ in range(45):
        x, y = generator.integers((0, height // 5), (width, height))
        green = generator.uniform((50, 76, 38), (128, 158, 92)).tolist()
        cv2.circle(image, (int(x), int(y)), int(generator.integers(4, 16)), green, -1)
    _scatter_lights(generator, image, (250, 245, 190))


def _build_street(generator: np.random.Generator, image: Image) -> None:
    """Lines up house fronts and the lights of a street."""
    height, width = image.shape[:2]
    left = 0
    while left < width:
        right = left + int(generator.integers(14, 46))
        top = int(generator.integers(0, height // 2))
        cv2.rectangle(image, (left, top), (right, height), _hue(generator, 0.4).tolist(), -1)
        left = right
    _scatter_lights(generator, image, (255, 205, 140))


def _scatter_lights(
    generator: np.random.Generator, image: Image, colour: tuple[int, int, int]
) -> None:
    height, width = image.shape[:2]
    lights = np.zeros_like(image)
    for _ in range(generator.integers(6, 18)):
        x, y = generator.integers((0, 0), (width, height * 2 // 3))
        cv2.circle(lights, (int(x), int(y)), int(generator.integers(2, 7)), colour, -1)
    image += generator.uniform(0.2, 0.5) * lights


def _photograph(generator: np.random.Generator, image: Image) -> NDArray[np.uint8]:
    """Does to the painting what light and lens do, in place: falloff, cast, blur and grain."""
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
