"""Eyes and brows."""

import numpy as np

from emotion.sketches.colours import Colour, mix, shade
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import Points, curve, ellipse, moved
from emotion.sketches.traits import Expression, Person, Pose

# How far the middle of each eye lies from the axis of the face.
_APART = 0.43


def paint_eye(easel: Easel, person: Person, expression: Expression, pose: Pose, side: int) -> None:
    """Paints the eye of one side of the picture, -1 left or 1 right."""
    x, skin = side * _APART, person.skin
    upper, lower = _lids(person, expression, side)
    opening = np.concatenate([upper, lower])
    easel.fill(opening, mix((236, 232, 228), skin, 0.12))
    y = -0.02 + pose.gaze[1] + 0.3 * max(expression.droop, 0.0)
    _paint_iris(easel, person.iris, (x + pose.gaze[0], y), pose.light, opening)
    easel.stroke([moved(upper, 0, 0.03)], (60, 45, 45), 0.05, 0.4, 0.02, opening)
    easel.stroke([upper - (0, 0.005)], shade(skin, 0.2), 0.04, 0.9, 0.008)
    easel.stroke([lower], shade(skin, 0.4), 0.02, 0.6, 0.01)
    crease = upper[3:-2] - (0, 0.075 + 0.02 * expression.upper_lid)
    easel.stroke([crease], shade(skin, 0.35), 0.025, 0.55, 0.014)
    easel.fill(ellipse(x - side * 0.2, 0.03, 0.025, 0.02), (196, 120, 110), 0.6, 0.01)


def paint_brow(
    easel: Easel, person: Person, expression: Expression, side: int, generator: np.random.Generator
) -> None:
    """Paints the brow of one side of the picture, -1 left or 1 right."""
    spine = _brow_spine(expression)
    along = np.linspace(0.0, 1.0, len(spine))
    half = person.brow * 0.052 * (0.75 + along) * (1.0 - along**2.5) ** 0.7 + 0.004
    spine = spine * (side, 1)
    rise = np.stack([np.zeros_like(half), half], axis=1)
    outline = np.concatenate([spine - rise, (spine + rise)[::-1]])
    # Brows are darker than the hair of the head, but never lost against the skin.
    colour = shade(mix(person.hair, (40, 30, 26), 0.45), 0.8)
    easel.fill(outline, colour, 0.82, 0.018)
    picks = generator.integers(0, len(spine) - 4, 22)
    hairs = [np.array([spine[k] + 0.5 * rise[k], spine[k + 3] - 0.7 * rise[k]]) for k in picks]
    easel.stroke(hairs, shade(colour, 0.5), 0.012, 0.5)


def _lids(person: Person, expression: Expression, side: int) -> tuple[Points, Points]:
    """Gives the upper lid's edge from the nose outwards and the lower lid's edge back."""
    size, droop = person.eye, expression.droop
    high, low = max(expression.upper_lid, 0.04) * size, max(expression.lower_lid, 0.02) * size
    inner, outer = (-0.205, 0.025), (0.21, -0.02 + 0.6 * droop)
    upper = [
        inner,
        (-0.11, -0.75 * high - 0.5 * droop),
        (0.01, -high),
        (0.12, -0.72 * high + 0.7 * droop),
        outer,
    ]
    lower = [outer, (0.1, low * 0.8 + 0.3 * droop), (-0.05, low), inner]
    scale, shift = np.array([side * size, 1.0]), np.array([side * _APART, 0.0])
    return curve(np.array(upper) * scale + shift), curve(np.array(lower) * scale + shift)


def _paint_iris(
    easel: Easel, iris: Colour, middle: tuple[float, float], light: float, opening: Points
) -> None:
    x, y = middle
    easel.fill(ellipse(x, y, 0.112, 0.112), shade(iris, 0.4), 1.0, 0.006, opening)
    easel.fill(ellipse(x, y + 0.01, 0.092, 0.092), iris, 0.9, 0.012, opening)
    easel.fill(ellipse(x, y, 0.05, 0.05), (12, 10, 10), 1.0, 0.006, opening)
    glint = ellipse(x + 0.04 * light, y - 0.04, 0.025, 0.025)
    easel.fill(glint, (255, 255, 255), 0.9, 0.005, opening)


def _brow_spine(expression: Expression) -> Points:
    """Gives the line along the right brow, from the nose outwards."""
    inner, outer = expression.inner_brow, expression.outer_brow
    return curve(
        [
            (0.17 - expression.pinch, -0.33 - inner),
            (0.34, -0.385 - 0.68 * inner - 0.32 * outer),
            (0.55, -0.405 - 0.3 * inner - 0.7 * outer),
            (0.76, -0.31 - outer),
        ]
    )
