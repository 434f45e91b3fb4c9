"""Paints one head and shoulders with a facial expression, as an illustrator would: layer on layer.

Promises: only the place of single hairs and freckles is left to chance, and all chance comes from
the given generator. Nothing here knows of scenes, cameras or detectors.

A sitter has a coordinate system of its own: the origin lies midway between the eyes, x grows to
the right of the picture, y grows downwards, and one unit is half the width of the face. All sizes
below that carry no other unit are in that unit. Colours are RGB, 0 to 255.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Plane = NDArray[np.float32]
Colour = tuple[float, float, float]
Window = tuple[int, int, int, int]

# The weights of four neighbouring knots on the eight steps of a Catmull-Rom curve between the
# middle two.
_STEPS = np.linspace(0.0, 1.0, 8, endpoint=False)[:, None] ** np.arange(4)
_KNOT_WEIGHTS = _STEPS @ (
    0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
)


@dataclass(frozen=True)
class Hairstyle:
    """How hair lies about a skull.

    Attributes:
        crown: How far it stands off the skull on top.
        sides: How far it stands off the skull at the sides.
        curl: How far its outer edge waves; above 0.03 the hairs curl too.
        hairline: Height of its edge on the forehead.
        sideburn: Height of its lower end in front of the ears.
        parting: Where the hairline is highest, to the left or right of the middle.
        length: Height of its lower end behind the head, 0 if the head hides it.
        bun: Radius of a bun on top, 0 for none.
    """

    crown: float
    sides: float
    curl: float
    hairline: float
    sideburn: float
    parting: float
    length: float
    bun: float = 0.0


@dataclass(frozen=True)
class Expression:
    """Where the movable parts of a face are; as it stands, a relaxed face.

    Attributes:
        inner_brow: How far the brows' inner ends are raised.
        outer_brow: How far the brows' outer ends are raised.
        pinch: How far each brow is drawn towards the other.
        upper_lid: How far the upper lid is open, from the axis of the eye.
        lower_lid: How far the lower lid is open, from the axis of the eye.
        droop: How far the outer ends of the lids hang; negative, the inner ends.
        mouth: Half the width of the mouth.
        corners: How far the corners of the mouth are raised.
        opening: How far the lips are apart.
        squareness: Shape of the opening, from 0, an arc, to 1, nearly square.
        teeth: Share of the opening that the upper teeth fill.
        lips: Factor on the thickness of the lips.
        jaw: How far the chin drops.
        cheeks: How far the cheeks are bunched by a smile, 0 to 1.
        frown: Depth of the upright lines between the brows, 0 to 1.
        forehead: Depth of the lines across the forehead, 0 to 1.
    """

    inner_brow: float = 0.0
    outer_brow: float = 0.0
    pinch: float = 0.0
    upper_lid: float = 0.118
    lower_lid: float = 0.08
    droop: float = 0.0
    mouth: float = 0.37
    corners: float = 0.0
    opening: float = 0.0
    squareness: float = 0.0
    teeth: float = 0.0
    lips: float = 1.0
    jaw: float = 0.0
    cheeks: float = 0.0
    frown: float = 0.0
    forehead: float = 0.0


@dataclass(frozen=True)
class Person:
    """What stays with a person whatever the face does."""

    skin: Colour
    hair: Colour
    style: Hairstyle | None
    clothes: Colour
    iris: Colour
    face: tuple[float, float]  # factors on the width of the jaw and on the length of the chin
    eye: float  # factor on the size of the eyes
    nose: float  # factor on the width of the nose
    lips: float  # factor on the thickness of the lips
    brow: float  # factor on the thickness of the brows
    beard: float  # opacity, 0 for none
    moustache: float  # opacity, 0 for none
    glasses: float  # roundness of the lenses, 0 for no glasses
    beanie: Colour | None
    lipstick: float  # how red the lips are, 0 to 1
    neck: float  # factor on the width of the neck
    age: float  # depth of lines, 0 to 1
    freckles: float  # opacity, 0 for none
    stripes: Colour | None
    collar: bool


@dataclass(frozen=True)
class Pose:
    """Where a sitter is in the picture, in pixels, degrees and, for the light, -1 to 1."""

    origin: tuple[float, float]
    unit: float
    tilt: float
    gaze: tuple[float, float]
    light: float


def paint_portrait(
    picture: Sequence[Plane],
    person: Person,
    expression: Expression,
    pose: Pose,
    generator: np.random.Generator,
) -> None:
    """Paints a person into a picture, in place.

    Args:
        picture: The red, green and blue plane, each height x width, float32, 0 to 255.
        person: Who sits.
        expression: What the face does.
        pose: Where the sitter is.
        generator: Decides where single hairs and freckles lie.
    """
    # People tilt the head much further than the shoulders.
    body = Easel(picture, pose.origin, pose.unit, pose.tilt * 0.25)
    head = Easel(picture, pose.origin, pose.unit, pose.tilt)
    skull = _skull(person, expression)
    _paint_back_hair(head, person, generator)
    _paint_body(body, head, person, pose.light)
    _paint_head(head, person, skull, pose.light)
    _paint_relief(head, person, expression, skull, pose.light)
    _paint_freckles(head, person, generator)
    _paint_nose(head, person, expression, pose.light)
    _paint_wrinkles(head, person, expression)
    _paint_beard(head, person, expression, skull, generator)
    for side in (-1, 1):
        _paint_eye(head, person, expression, pose, side)
        _paint_brow(head, person, expression, side, generator)
    _paint_mouth(head, person, expression)
    _paint_front_hair(head, person, generator)
    _paint_beanie(head, person)
    _paint_glasses(head, person)


class Easel:
    """Holds a picture and lays soft, half-transparent shapes on it, in a sitter's coordinates."""

    def __init__(
        self, picture: Sequence[Plane], origin: tuple[float, float], unit: float, tilt: float
    ) -> None:
        """Sets the sitter's coordinates: origin and unit in pixels, tilt in degrees."""
        self._picture = picture
        self._origin = np.array(origin)
        self._unit = unit
        cosine, sine = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
        self._turn = unit * np.array([[cosine, sine], [-sine, cosine]])

    def fill(
        self,
        outline: Points,
        colour: Colour,
        opacity: float = 1.0,
        softness: float = 0.0,
        within: Points | None = None,
    ) -> None:
        """Fills an outline; softness is the blur of its edge, within cuts it off sharply."""
        self._lay([outline], colour, opacity, softness, 0.0, within)

    def stroke(
        self,
        lines: Sequence[Points],
        colour: Colour,
        width: float,
        opacity: float = 1.0,
        softness: float = 0.0,
        within: Points | None = None,
    ) -> None:
        """Draws open lines of one width as a single layer."""
        self._lay(lines, colour, opacity, softness, width, within)

    def rim(
        self, outline: Points, core: Points, colour: Colour, opacity: float, softness: float
    ) -> None:
        """Colours what lies inside an outline but outside a soft core: how round things turn."""
        edge = [self._pixels(outline)]
        window = self._window(edge, 0.0)
        if window is not None:
            lit = self._cover([self._pixels(core)], window, softness, 0.0)
            self._blend(window, self._cover(edge, window, 0.0, 0.0) * (1.0 - lit), colour, opacity)

    def _lay(
        self,
        shapes: Sequence[Points],
        colour: Colour,
        opacity: float,
        softness: float,
        width: float,
        within: Points | None,
    ) -> None:
        if opacity <= 0.0:
            return
        drawn = [self._pixels(shape) for shape in shapes]
        clip = [] if within is None else [self._pixels(within)]
        window = self._window(drawn, 2.5 * softness + width, clip)
        if window is None:
            return
        cover = self._cover(drawn, window, softness, width)
        if clip:
            cover = cover * self._cover(clip, window, 0.0, 0.0)
        self._blend(window, cover, colour, opacity)

    def _pixels(self, points: Points) -> Points:
        return np.asarray(points @ self._turn.T + self._origin, np.float64)

    def _window(
        self, shapes: Sequence[Points], margin: float, clip: Sequence[Points] = ()
    ) -> Window | None:
        """Gives the part of the picture that can change: the less of it, the faster."""
        points, reach = np.concatenate(shapes), margin * self._unit + 2
        height, width = self._picture[0].shape
        low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
        for bound in clip:
            low = np.maximum(low, bound.min(axis=0) - 2)
            high = np.minimum(high, bound.max(axis=0) + 2)
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        right, bottom = min(int(high[0]) + 1, width), min(int(high[1]) + 1, height)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _cover(
        self, shapes: Sequence[Points], window: Window, softness: float, width: float
    ) -> Plane:
        """Gives how much of each pixel of a window the shapes cover, 0 to 1."""
        left, top, right, bottom = window
        blur = softness * self._unit
        # A strong blur has no detail left, so it is drawn small: that is where the time goes.
        shrink = 4 if blur > 6 else 1
        mask = np.zeros((-(-(bottom - top) // shrink), -(-(right - left) // shrink)), np.uint8)
        # OpenCV takes sixteenths of a pixel as whole numbers.
        drawn = [((shape - (left, top)) * (16 / shrink)).astype(np.int32) for shape in shapes]
        if width > 0.0:
            thick = max(1, round(width * self._unit / shrink))
            cv2.polylines(mask, drawn, False, 255, thick, cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(mask, drawn, 255, cv2.LINE_AA, 4)
        cover: cv2.typing.MatLike = np.multiply(mask, np.float32(1 / 255), dtype=np.float32)
        if blur > 0.5:
            cover = cv2.GaussianBlur(cover, (0, 0), blur / shrink)
        if shrink > 1:
            cover = cv2.resize(cover, (right - left, bottom - top))
        return np.asarray(cover, np.float32)

    def _blend(self, window: Window, cover: Plane, colour: Colour, opacity: float) -> None:
        left, top, right, bottom = window
        cover = cover * np.float32(opacity)
        for plane, value in zip(self._picture, colour, strict=True):
            region = plane[top:bottom, left:right]
            region += cover * (np.float32(value) - region)


def _shade(colour: Colour, factor: float) -> Colour:
    # Shadows on skin and hair lose blue first: light that went through them is warm.
    red, green, blue = (
        min(value * factor**power, 255.0)
        for value, power in zip(colour, (1.0, 1.2, 1.32), strict=True)
    )
    return (red, green, blue)


def _tint(colour: Colour, amount: float) -> Colour:
    red, green, blue = (
        value + (light - value) * amount
        for value, light in zip(colour, (255, 246, 232), strict=True)
    )
    return (red, green, blue)


def _gloss(skin: Colour) -> Colour:
    red, green, blue = (min(value * 1.3, 255.0) for value in skin)
    return _tint((red, green, blue), 0.28)


def _mix(first: Colour, second: Colour, amount: float) -> Colour:
    red, green, blue = (a + (b - a) * amount for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def _curve(points: Sequence[tuple[float, float]] | Points, closed: bool = False) -> Points:
    """Runs a Catmull-Rom curve through the points, eight steps from one to the next."""
    knots = np.asarray(points, np.float64)
    ends = (knots[-1:], knots[:2]) if closed else (knots[:1], knots[-1:])
    knots = np.concatenate([ends[0], knots, ends[1]])
    neighbours = np.stack([knots[k : len(knots) - 3 + k] for k in range(4)], axis=1)
    path = (_KNOT_WEIGHTS @ neighbours).reshape(-1, 2)
    return path if closed else np.concatenate([path, knots[-1:]])


def _mirrored(right: Sequence[tuple[float, float]]) -> Points:
    """Closes a symmetric outline from its right half, given from top to bottom on the axis."""
    half = np.array(right, np.float64)
    return _curve(np.concatenate([half, half[-2:0:-1] * (-1, 1)]), closed=True)


def _moved(points: Points, x: float, y: float) -> Points:
    return np.asarray(points + np.array((x, y)), np.float64)


_CIRCLE = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 28, endpoint=False)])


def _ellipse(x: float, y: float, width: float, height: float) -> Points:
    return _moved(_CIRCLE * (width, height), x, y)


# fmt: off
# From here on outlines are rows of points; one number per line would hide their shape.


def _skull(person: Person, expression: Expression) -> Points:
    jaw, length = person.face
    drop = expression.jaw
    cheek = 0.88 * (1 + jaw) / 2 + 0.03 * expression.cheeks
    return _mirrored([(0, -1.38), (0.55, -1.24), (0.88, -0.85), (1, -0.2), (0.97, 0.3),
                      (cheek, 0.8 + 0.3 * drop), (0.68 * jaw, 1.18 * length + 0.7 * drop),
                      (0.36 * jaw, 1.46 * length + drop), (0, 1.54 * length + drop)])


def _paint_back_hair(easel: Easel, person: Person, generator: np.random.Generator) -> None:
    style = person.style
    if style is None:
        return
    if style.bun > 0.0:
        knot = _ellipse(0, -1.5, style.bun * 1.15, style.bun)
        easel.fill(knot, person.hair)
        easel.rim(knot, _moved(knot, 0, -0.05), _shade(person.hair, 0.4), 0.7, 0.08)
    if style.length == 0.0:
        return
    wide, end = 1.0 + style.sides, style.length
    outline = _mirrored(
        [(0, -1.4 - style.crown), (0.7 * wide, -1.2 - style.crown), (wide + 0.05, -0.5),
         (wide + 0.08, 0.2), (wide + 0.02, end * 0.75), (wide * 0.8, end), (0, end + 0.05)]
    )
    outline = _curled(outline, style.curl, generator)
    easel.fill(outline, _shade(person.hair, 0.7))
    _paint_strands(easel, person, outline, generator, 26)


def _curled(outline: Points, curl: float, generator: np.random.Generator) -> Points:
    """Waves the outer edge of hair; the edge on the face stays where it is."""
    closed = np.concatenate([outline, outline[:1]])
    outline = np.concatenate([closed[:-1], (closed[:-1] + closed[1:]) / 2], axis=1).reshape(-1, 2)
    reach = np.linalg.norm(outline, axis=1)
    angle = np.arctan2(outline[:, 1], outline[:, 0])
    wave = np.abs(np.sin(angle * 9 + generator.uniform(0, 6)))
    wave += 0.6 * np.abs(np.sin(angle * 17 + generator.uniform(0, 6))) - 0.8
    loose = np.clip((reach - 1.05) * 4, 0.0, 1.0)
    return np.asarray(outline * (1.0 + 1.6 * curl * loose * wave / reach)[:, None])


def _paint_strands(
    easel: Easel, person: Person, outline: Points, generator: np.random.Generator, count: int
) -> None:
    curly = person.style is not None and person.style.curl > 0.03
    comb = _curls if curly else _straight_strands
    for colour in (_shade(person.hair, 0.45), _tint(_shade(person.hair, 1.15), 0.14)):
        lines = comb(outline, generator, count)
        easel.stroke(lines, colour, 0.022, 0.5, 0.015, within=outline)


def _straight_strands(
    outline: Points, generator: np.random.Generator, count: int
) -> list[Points]:
    top, end = outline[:, 1].min(), outline[:, 1].max()
    return [
        _curve([(start * 0.25, top), (start * 0.8 + bend, top + 0.35),
                (start * 1.15, top + 1.1), (start * 1.2 + bend, end)])
        for start, bend in generator.uniform((-1.1, -0.1), (1.1, 0.1), (count, 2))
    ]


def _curls(outline: Points, generator: np.random.Generator, count: int) -> list[Points]:
    spots = generator.uniform(outline.min(axis=0), outline.max(axis=0), (5 * count, 2))
    turns = generator.integers(0, 28, 5 * count)
    return [
        np.roll(_ellipse(x, y, 0.075, 0.065), int(turn), axis=0)[:19]
        for (x, y), turn in zip(spots, turns, strict=True)
    ]


def _paint_body(body: Easel, head: Easel, person: Person, light: float) -> None:
    clothes, skin = person.clothes, person.skin
    torso = _mirrored([(0, 1.98), (0.5, 1.98), (0.95, 2.16), (1.8, 2.38), (2.4, 2.85),
                       (2.65, 4), (2.8, 9), (0, 9)])
    neck = _mirrored([(0, 0.7), (0.6, 0.8), (0.58, 1.6), (0.72, 2.05), (0.3, 2.3), (0, 2.36)])
    neck = neck * (person.neck, 1)
    body.fill(torso, clothes)
    if person.stripes is not None:
        hoops = [np.array([(-3, y), (3, y)]) for y in np.arange(2.5, 6, 0.42)]
        body.stroke(hoops, person.stripes, 0.17, 0.8, 0.01, torso)
    folds = [_curve([(s * 1.65, 3.1), (s * 1.78, 3.7), (s * 1.8, 6)]) for s in (-1, 1)]
    body.stroke(folds, _shade(clothes, 0.5), 0.08, 0.5, 0.08, torso)
    body.rim(torso, _moved(torso * (0.86, 1), 0.22 * light, 0.22), _shade(clothes, 0.5), 0.7, 0.22)
    body.fill(neck, skin)
    body.rim(neck, _moved(neck * (0.7, 1), 0.1 * light, 0), _shade(skin, 0.5), 0.7, 0.12)
    # The chin's shadow on the neck is the strongest edge below the mouth.
    head.fill(_ellipse(0, 1.42, 0.62 * person.neck, 0.42), _shade(skin, 0.38), 0.75, 0.1)
    _paint_neckline(body, person)


def _paint_neckline(body: Easel, person: Person) -> None:
    clothes = person.clothes
    if not person.collar:
        neckline = _curve([(-0.7, 1.98), (-0.4, 2.3), (0, 2.42), (0.4, 2.3), (0.7, 1.98)])
        body.stroke([neckline], _shade(clothes, 0.62), 0.1, 0.9, 0.02)
        return
    for side in (-1, 1):
        flap = np.array([(0.7, 1.86), (0.04, 2.38), (0.34, 2.78), (0.92, 2.16)]) * (side, 1)
        body.fill(_moved(flap, 0, 0.05), _shade(clothes, 0.4), 0.6, 0.04)
        body.fill(flap, _tint(clothes, 0.12))
        body.stroke([flap], _shade(clothes, 0.6), 0.02, 0.7, 0.01)


def _paint_head(easel: Easel, person: Person, skull: Points, light: float) -> None:
    skin = person.skin
    for side in (-1, 1):
        ear = _ellipse(side * 1.02, 0.12, 0.13, 0.3)
        easel.fill(ear, _shade(skin, 0.9))
        easel.fill(_ellipse(side * 1.04, 0.12, 0.06, 0.2), _shade(skin, 0.5), 0.6, 0.03, ear)
    easel.fill(skull, skin)
    # The face turns away from the viewer at its outline and away from the light on one side.
    easel.rim(skull, _moved(skull * (0.88, 0.95), 0.1 * light, 0), _shade(skin, 0.45), 0.75, 0.13)
    easel.fill(_ellipse(-1.1 * light, 0.3, 0.75, 1.7), _shade(skin, 0.45),
               0.5 * abs(light), 0.28, skull)


def _paint_relief(
    easel: Easel, person: Person, expression: Expression, skull: Points, light: float
) -> None:
    skin, lit = person.skin, _gloss(person.skin)
    dark = _shade(skin, 0.42)
    # Dark skin shows its form by shine, light skin by shadow.
    shine = 0.3 + 0.12 * (1.0 - sum(skin) / 765.0)
    blush = _mix(skin, (214, 78, 62), 0.5)
    easel.fill(_ellipse(0.15 * light, -0.75, 0.45, 0.2), lit, shine, 0.16, skull)
    lift = 0.08 * expression.cheeks
    for side in (-1, 1):
        easel.fill(_ellipse(side * 0.42, -0.13, 0.28, 0.17), dark, 0.5, 0.08)
        easel.fill(_ellipse(side * 0.24, -0.08, 0.09, 0.12), dark, 0.45, 0.06)
        easel.fill(_ellipse(side * 0.6, 0.55 - lift, 0.22, 0.16), blush, 0.36, 0.12, skull)
        easel.fill(_ellipse(side * 0.58, 0.38 - lift, 0.2, 0.1), lit, shine, 0.08, skull)
        easel.fill(_ellipse(side * 0.72, 0.95, 0.14, 0.3), dark, 0.22, 0.12, skull)
    chin = 1.3 * person.face[1] + expression.jaw
    easel.fill(_ellipse(0, chin + 0.02, 0.2, 0.08), lit, shine * 0.8, 0.08, skull)
    easel.fill(_ellipse(0, 1.16 + expression.jaw * 0.9, 0.22, 0.05), dark, 0.45, 0.05, skull)


def _paint_freckles(easel: Easel, person: Person, generator: np.random.Generator) -> None:
    spots = generator.normal(0.0, 1.0, (45, 2)) * (0.35, 0.13)
    dots = [np.array([(x, y + 0.38), (x + 0.012, y + 0.38)]) for x, y in spots]
    easel.stroke(dots, _shade(person.skin, 0.6), 0.022, person.freckles, 0.006)


def _paint_nose(easel: Easel, person: Person, expression: Expression, light: float) -> None:
    skin, wide = person.skin, person.nose
    dark, lit = _shade(skin, 0.38), _gloss(skin)
    flare = wide * (1.0 + 0.1 * expression.frown + 0.05 * expression.cheeks)
    for side in (-1, 1):
        away = 0.5 - 0.3 * side * light
        flank = _curve([(side * 0.1, -0.1), (side * 0.1, 0.25), (side * 0.2 * flare, 0.55),
                        (side * 0.27 * flare, 0.5), (side * 0.2, 0.15)], closed=True)
        easel.fill(flank, dark, 0.42 * away + 0.1, 0.06)
        wing = _curve([(side * 0.17 * flare, 0.46), (side * 0.24 * flare, 0.55),
                       (side * 0.21 * flare, 0.65), (side * 0.14 * flare, 0.66)])
        easel.stroke([wing], dark, 0.035, 0.6, 0.015)
    easel.fill(_ellipse(0.02 * light, 0.2, 0.05, 0.3), lit, 0.4, 0.04)
    easel.fill(_ellipse(0.03 * light, 0.5, 0.08, 0.07), lit, 0.5, 0.04)
    easel.fill(_ellipse(0, 0.69, 0.22 * flare, 0.05), dark, 0.6, 0.04)
    for side in (-1, 1):
        nostril = _ellipse(side * 0.105 * flare, 0.645, 0.06 * flare, 0.035)
        easel.fill(nostril, _shade(skin, 0.16), 0.9, 0.012)


def _paint_wrinkles(easel: Easel, person: Person, expression: Expression) -> None:
    dark, age = _shade(person.skin, 0.4), person.age
    frown, smile = max(expression.frown, 0.0), max(expression.cheeks, 0.0)
    between = [_curve([(s * 0.07, -0.5), (s * 0.055, -0.35), (s * 0.075, -0.2)]) for s in (-1, 1)]
    easel.stroke(between, dark, 0.03, 0.7 * min(frown, 1.0), 0.018)
    rows = [_curve([(-0.55, y + 0.03), (-0.25, y - 0.02), (0, y), (0.25, y - 0.02),
                    (0.55, y + 0.03)]) for y in (-0.92, -0.8)]
    depth = 0.15 * age + 0.45 * max(expression.forehead, 0.0)
    easel.stroke(rows, dark, 0.025, min(depth, 0.5), 0.015)
    edge, ends = expression.mouth, 0.95 - expression.corners
    for s in (-1, 1):
        fold = _curve([(s * 0.26, 0.55), (s * 0.42, 0.72), (s * (edge + 0.1), ends)])
        depth = 0.2 * age + 0.5 * smile + 0.3 * frown
        easel.stroke([fold], dark, 0.035, min(depth, 0.7), 0.025)
        trail = _curve([(s * (edge + 0.02), ends), (s * (edge + 0.08), ends + 0.16)])
        easel.stroke([trail], dark, 0.04, min(max(-3 * expression.corners, 0.0), 0.55), 0.025)
        bag = _curve([(s * 0.24, 0.14), (s * 0.42, 0.2), (s * 0.62, 0.12)])
        easel.stroke([bag], dark, 0.03, min(0.1 + 0.2 * age + 0.3 * smile, 0.5), 0.025)


def _paint_beard(
    easel: Easel,
    person: Person,
    expression: Expression,
    skull: Points,
    generator: np.random.Generator,
) -> None:
    hair = _shade(person.hair, 0.8)
    top, edge = 0.79 - 0.03 * expression.cheeks, expression.mouth
    if person.beard > 0.0:
        low = 1.6 * person.face[1] + expression.jaw
        beard = _mirrored([(0, 1.12 + expression.jaw * 0.9), (edge * 0.6, 1.1), (edge + 0.08, 0.9),
                           (0.7, 0.8), (0.9, 0.3), (1.02, 0.2), (0.95, 0.9), (0.6, 1.35), (0, low)])
        easel.fill(beard, hair, person.beard, 0.035, skull)
        _paint_stubble(easel, person, beard, generator)
    if person.moustache > 0.0:
        # The ends go with the corners of the mouth, or a moustache would hide every smile.
        end = 0.92 - 0.8 * expression.corners
        moustache = _mirrored([(0, top - 0.03), (0.2, top - 0.03), (edge + 0.03, end),
                               (edge + 0.01, end + 0.05), (0.2, top + 0.1), (0, top + 0.08)])
        easel.fill(moustache, hair, person.moustache, 0.025)


def _paint_stubble(
    easel: Easel, person: Person, beard: Points, generator: np.random.Generator
) -> None:
    starts = generator.uniform((-0.95, 0.4), (0.95, 1.65), (160, 2))
    hairs = [np.array([(x, y), (1.1 * x, y + 0.07)]) for x, y in starts]
    easel.stroke(hairs, _tint(person.hair, 0.2), 0.012, 0.35 * person.beard, within=beard)


def _paint_eye(
    easel: Easel, person: Person, expression: Expression, pose: Pose, side: int
) -> None:
    x, skin = side * 0.43, person.skin
    lids = _lids(person, expression, side)
    opening = np.concatenate(lids)
    dark = _shade(skin, 0.2)
    easel.fill(opening, _mix((236, 232, 228), skin, 0.12))
    _paint_iris(easel, person, expression, pose, side, opening)
    upper, lower = lids
    easel.stroke([_moved(upper, 0, 0.03)], (60, 45, 45), 0.05, 0.4, 0.02, opening)
    easel.stroke([upper - (0, 0.005)], dark, 0.04, 0.9, 0.008)
    easel.stroke([lower], _shade(skin, 0.4), 0.02, 0.6, 0.01)
    crease = upper[3:-2] - (0, 0.075 + 0.02 * expression.upper_lid)
    easel.stroke([crease], _shade(skin, 0.35), 0.025, 0.55, 0.014)
    easel.fill(_ellipse(x - side * 0.2, 0.03, 0.025, 0.02), (196, 120, 110), 0.6, 0.01)


def _lids(person: Person, expression: Expression, side: int) -> tuple[Points, Points]:
    """Gives the upper lid's edge from the nose outwards and the lower lid's edge back."""
    size, droop = person.eye, expression.droop
    high, low = max(expression.upper_lid, 0.04) * size, max(expression.lower_lid, 0.02) * size
    upper = [(-0.205, 0.025), (-0.11, -0.75 * high - 0.5 * droop), (0.01, -high),
             (0.12, -0.72 * high + 0.7 * droop), (0.21, -0.02 + 0.6 * droop)]
    lower = [(0.21, -0.02 + 0.6 * droop), (0.1, low * 0.8 + 0.3 * droop), (-0.05, low),
             (-0.205, 0.025)]
    scale, shift = np.array([side * size, 1.0]), np.array([side * 0.43, 0.0])
    return _curve(np.array(upper) * scale + shift), _curve(np.array(lower) * scale + shift)


def _paint_iris(
    easel: Easel,
    person: Person,
    expression: Expression,
    pose: Pose,
    side: int,
    opening: Points,
) -> None:
    x = side * 0.43 + pose.gaze[0]
    y = -0.02 + pose.gaze[1] + 0.3 * expression.droop * (expression.droop > 0)
    easel.fill(_ellipse(x, y, 0.112, 0.112), _shade(person.iris, 0.4), 1.0, 0.006, opening)
    easel.fill(_ellipse(x, y + 0.01, 0.092, 0.092), person.iris, 0.9, 0.012, opening)
    easel.fill(_ellipse(x, y, 0.05, 0.05), (12, 10, 10), 1.0, 0.006, opening)
    easel.fill(_ellipse(x + 0.04 * (pose.light or 1), y - 0.04, 0.025, 0.025),
               (255, 255, 255), 0.9, 0.005, opening)


def _paint_brow(
    easel: Easel, person: Person, expression: Expression, side: int, generator: np.random.Generator
) -> None:
    inner, outer, thick = expression.inner_brow, expression.outer_brow, person.brow
    spine = _curve([(0.17 - expression.pinch, -0.33 - inner),
                    (0.34, -0.385 - 0.68 * inner - 0.32 * outer),
                    (0.55, -0.405 - 0.3 * inner - 0.7 * outer), (0.76, -0.31 - outer)])
    along = np.linspace(0.0, 1.0, len(spine))
    half = thick * 0.052 * (0.75 + along) * (1.0 - along**2.5) ** 0.7 + 0.004
    spine = spine * (side, 1)
    outline = np.concatenate([spine - np.stack([0 * half, half], 1),
                              (spine + np.stack([0 * half, half], 1))[::-1]])
    # Brows are darker than the hair of the head, but never lost against the skin.
    colour = _shade(_mix(person.hair, (40, 30, 26), 0.45), 0.8)
    easel.fill(outline, colour, 0.82, 0.018)
    picks = generator.integers(0, len(spine) - 4, 22)
    hairs = [np.array([_moved(spine[k], 0, 0.5 * half[k]), spine[k + 3] - (0, 0.7 * half[k])])
             for k in picks]
    easel.stroke(hairs, _shade(colour, 0.5), 0.012, 0.5)


def _paint_mouth(easel: Easel, person: Person, expression: Expression) -> None:
    skin = person.skin
    t = np.linspace(-1.0, 1.0, 31)
    upper, lower, top, bottom = _lip_lines(person, expression, t)
    lip = _mix(_shade(skin, 0.8), (176, 62, 66), person.lipstick)
    hole = np.concatenate([upper, lower[::-1]])
    easel.fill(np.concatenate([top, upper[::-1]]), _shade(lip, 0.82), 0.95, 0.012)
    easel.fill(np.concatenate([lower, bottom[::-1]]), lip, 0.95, 0.012)
    shine = 0.5 * (lower + bottom)[9:22]
    easel.stroke([shine], _tint(lip, 0.5), 0.04, 0.4, 0.025)
    easel.stroke([_moved(bottom[5:26], 0, 0.03)], _shade(skin, 0.4), 0.05, 0.4, 0.03)
    if expression.opening > 0.06:
        _paint_inner_mouth(easel, expression, hole)
    easel.stroke([upper], _shade(lip, 0.25), 0.03, 0.9, 0.008)
    corners = [upper[:3], upper[-3:]]
    easel.stroke(corners, _shade(skin, 0.3), 0.05, 0.6, 0.02)


def _lip_lines(
    person: Person, expression: Expression, t: NDArray[np.float64]
) -> tuple[Points, Points, Points, Points]:
    """Gives the inner edge of the upper and of the lower lip, then the outer edges."""
    wide, opening = expression.mouth, max(expression.opening, 0.0)
    arch = np.clip(1.0 - t**2, 0.0, 1.0)
    bulge = arch ** (1.0 - 0.65 * np.clip(expression.squareness, 0.0, 1.0))
    middle = 0.96 + 0.35 * expression.corners + 0.08 * (opening > 0.3) - expression.corners * t**2
    thick = person.lips * expression.lips
    bow = 1.0 - 0.28 * np.exp(-((t / 0.13) ** 2))
    upper = middle - 0.35 * opening * bulge
    lower = middle + 0.65 * opening * bulge + 0.005
    top = upper - 0.095 * thick * arch**0.8 * bow
    bottom = lower + 0.125 * thick * arch**0.7
    x = wide * t
    edges = (np.stack([x, y], axis=1) for y in (upper, lower, top, bottom))
    first, second, third, fourth = edges
    return first, second, third, fourth


def _paint_inner_mouth(easel: Easel, expression: Expression, hole: Points) -> None:
    easel.fill(hole, (52, 18, 20))
    centre, low = hole[:, 1].mean(), hole[:, 1].max()
    if expression.opening > 0.3:
        easel.fill(_ellipse(0, low, 0.16, 0.12), (170, 76, 78), 0.8, 0.03, hole)
    if expression.teeth < 0.05:
        return
    high = hole[:31]
    depth = 0.75 * expression.opening * min(expression.teeth, 1.0) + 0.02
    row = np.concatenate([high, _moved(high[::-1], 0, depth)])
    easel.fill(row, (236, 230, 220), 0.95, 0.008, hole)
    if expression.squareness > 0.5 and expression.teeth > 0.5:
        easel.fill(hole, (228, 222, 212), 0.9, 0.008, hole)
        bite = _moved(high, 0, 0.5 * expression.opening)
        easel.stroke([bite], (70, 40, 40), 0.025, 0.8, 0.006, hole)
    gaps = [np.array([(x, centre - 0.3), (x, centre + 0.3)]) for x in np.arange(-0.4, 0.41, 0.1)]
    easel.stroke(gaps, (120, 100, 96), 0.01, 0.3, 0.0, row)
    easel.stroke([_moved(high, 0, 0.02)], (60, 26, 26), 0.04, 0.5, 0.02, hole)


def _paint_front_hair(easel: Easel, person: Person, generator: np.random.Generator) -> None:
    style = person.style
    if style is None:
        easel.fill(_ellipse(0.1, -1.1, 0.4, 0.12), _tint(person.skin, 0.7), 0.3, 0.12)
        return
    outline = _curled(_hair_cap(style), style.curl, generator)
    easel.fill(_moved(outline, 0, 0.06), _shade(person.skin, 0.35), 0.4, 0.05)
    easel.fill(outline, person.hair, 1.0, 0.008)
    easel.rim(outline, outline * (0.9, 0.95) - (0, 0.02), _shade(person.hair, 0.5), 0.6, 0.08)
    _paint_strands(easel, person, outline, generator, 34)
    if style.curl < 0.03:
        gloss = _curve([(-0.7, -1.05), (-0.3, -1.26), (0.2, -1.28), (0.65, -1.1)])
        easel.stroke([gloss], _tint(person.hair, 0.5), 0.1, 0.3, 0.06, outline)


def _hair_cap(style: Hairstyle) -> Points:
    wide, crown, line, low = 1.0 + style.sides, style.crown, style.hairline, style.sideburn
    part = style.parting
    # Hair longer than the ears covers them and frames the cheeks.
    foot, cheek = (wide + 0.02, 0.9) if low > 0.3 else (0.99, 0.95)
    outer = [(foot, low), (wide + 0.03, min(low, 0.2) - 0.1), (wide, -0.75),
             (0.68 * wide, -1.22 - crown * 0.8)]
    temple = [(cheek, low - 0.1), (cheek - 0.02, -0.45), (0.74, -0.86)]
    brow = [(part + 0.28, line - 0.06), (part, line - 0.14), (part - 0.28, line + 0.02)]
    left = [(-x, y) for x, y in outer]
    knots = [*left, (0, -1.4 - crown), *outer[::-1], *temple, *brow]
    return _curve([*knots, *((-x, y) for x, y in temple[::-1])], closed=True)


def _paint_beanie(easel: Easel, person: Person) -> None:
    if person.beanie is None:
        return
    wool = person.beanie
    dome = _mirrored([(0, -1.72), (0.72, -1.52), (1.1, -1.0), (1.1, -0.72), (0, -0.86)])
    band = _mirrored([(0, -1.16), (0.8, -1.08), (1.13, -0.98), (1.13, -0.7), (0.6, -0.8),
                      (0, -0.86)])
    easel.fill(_moved(dome, 0, 0.08), _shade(person.skin, 0.3), 0.4, 0.05)
    easel.fill(dome, wool)
    easel.rim(dome, dome * (0.88, 0.95), _shade(wool, 0.45), 0.7, 0.12)
    ribs = [np.array([(x, -1.2), (x * 1.02, -0.6)]) for x in np.arange(-1.0, 1.01, 0.1)]
    easel.fill(band, _shade(wool, 0.85))
    easel.stroke(ribs, _shade(wool, 0.5), 0.03, 0.5, 0.01, band)


def _paint_glasses(easel: Easel, person: Person) -> None:
    if person.glasses == 0.0:
        return
    frame: Colour = (34, 28, 30)
    angle = np.linspace(0.0, 2 * np.pi, 41)
    # A superellipse: exponent 1 is round, smaller is squarer.
    power = 0.4 + 0.6 * person.glasses
    ring = np.stack([0.34 * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power,
                     0.26 * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power], axis=1)
    for side in (-1, 1):
        lens = _moved(ring, side * 0.44, 0.03)
        easel.fill(lens, (235, 240, 245), 0.07, 0.0)
        glint = np.array([(side * 0.44 - 0.2, 0.12), (side * 0.44 - 0.05, -0.15)])
        easel.stroke([glint], (255, 255, 255), 0.05, 0.16, 0.015, lens)
        easel.stroke([lens, _curve([(side * 0.78, -0.02), (side * 1.0, -0.06)])], frame, 0.035, 0.9)
    easel.stroke([_curve([(-0.11, 0.0), (0, -0.05), (0.11, 0.0)])], frame, 0.035, 0.9)
