"""Nose, lips and teeth."""

import numpy as np

from emotion.sketches.colours import gloss, mix, shade, tint
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import Points, curve, ellipse, moved
from emotion.sketches.traits import Expression, Person

_GAPS = np.arange(-0.4, 0.41, 0.1)


def paint_nose(easel: Easel, person: Person, expression: Expression, light: float) -> None:
    """Paints the nose, its flank darker on the side away from the light, -1 to 1."""
    skin = person.skin
    dark, lit = shade(skin, 0.38), gloss(skin)
    flare = person.nose * (1.0 + 0.1 * expression.frown + 0.05 * expression.cheeks)
    flank, wing = _flank(flare), _wing(flare)
    for side in (-1, 1):
        away = 0.5 - 0.3 * side * light
        easel.fill(flank * (side, 1), dark, 0.42 * away + 0.1, 0.06)
        easel.stroke([wing * (side, 1)], dark, 0.035, 0.6, 0.015)
    easel.fill(ellipse(0.02 * light, 0.2, 0.05, 0.3), lit, 0.4, 0.04)
    easel.fill(ellipse(0.03 * light, 0.5, 0.08, 0.07), lit, 0.5, 0.04)
    easel.fill(ellipse(0, 0.69, 0.22 * flare, 0.05), dark, 0.6, 0.04)
    for side in (-1, 1):
        nostril = ellipse(side * 0.105 * flare, 0.645, 0.06 * flare, 0.035)
        easel.fill(nostril, shade(skin, 0.16), 0.9, 0.012)


def _flank(flare: float) -> Points:
    return curve(
        [(0.1, -0.1), (0.1, 0.25), (0.2 * flare, 0.55), (0.27 * flare, 0.5), (0.2, 0.15)],
        closed=True,
    )


def _wing(flare: float) -> Points:
    return curve(
        [(0.17 * flare, 0.46), (0.24 * flare, 0.55), (0.21 * flare, 0.65), (0.14 * flare, 0.66)]
    )


def paint_mouth(easel: Easel, person: Person, expression: Expression) -> None:
    """Paints the lips and, where they are apart, what is between them."""
    skin = person.skin
    upper, lower, top, bottom = _lip_lines(person, expression)
    lip = mix(shade(skin, 0.8), (176, 62, 66), person.lipstick)
    easel.fill(np.concatenate([top, upper[::-1]]), shade(lip, 0.82), 0.95, 0.012)
    easel.fill(np.concatenate([lower, bottom[::-1]]), lip, 0.95, 0.012)
    shine = 0.5 * (lower + bottom)[9:22]
    easel.stroke([shine], tint(lip, 0.5), 0.04, 0.4, 0.025)
    easel.stroke([moved(bottom[5:26], 0, 0.03)], shade(skin, 0.4), 0.05, 0.4, 0.03)
    if expression.opening > 0.06:
        _paint_inner_mouth(easel, expression, upper, lower)
    easel.stroke([upper], shade(lip, 0.25), 0.03, 0.9, 0.008)
    easel.stroke([upper[:3], upper[-3:]], shade(skin, 0.3), 0.05, 0.6, 0.02)


def _lip_lines(person: Person, expression: Expression) -> tuple[Points, Points, Points, Points]:
    """Gives the inner edge of the upper and of the lower lip, then the outer edges, all 31 x 2."""
    t = np.linspace(-1.0, 1.0, 31)
    opening = max(expression.opening, 0.0)
    arch = np.clip(1.0 - t**2, 0.0, 1.0)
    bulge = arch ** (1.0 - 0.65 * np.clip(expression.squareness, 0.0, 1.0))
    middle = 0.96 + 0.35 * expression.corners + 0.08 * (opening > 0.3) - expression.corners * t**2
    thick = person.lips * expression.lips
    bow = 1.0 - 0.28 * np.exp(-((t / 0.13) ** 2))
    upper = middle - 0.35 * opening * bulge
    lower = middle + 0.65 * opening * bulge + 0.005
    top = upper - 0.095 * thick * arch**0.8 * bow
    bottom = lower + 0.125 * thick * arch**0.7
    x = expression.mouth * t
    first, second, third, fourth = (np.stack([x, y], axis=1) for y in (upper, lower, top, bottom))
    return first, second, third, fourth


def _paint_inner_mouth(easel: Easel, expression: Expression, upper: Points, lower: Points) -> None:
    hole = np.concatenate([upper, lower[::-1]])
    easel.fill(hole, (52, 18, 20))
    if expression.opening > 0.3:
        tongue = ellipse(0, hole[:, 1].max(), 0.16, 0.12)
        easel.fill(tongue, (170, 76, 78), 0.8, 0.03, hole)
    if expression.teeth >= 0.05:
        _paint_teeth(easel, expression, upper, hole)


def _paint_teeth(easel: Easel, expression: Expression, upper: Points, hole: Points) -> None:
    depth = 0.75 * expression.opening * min(expression.teeth, 1.0) + 0.02
    row = np.concatenate([upper, moved(upper[::-1], 0, depth)])
    easel.fill(row, (236, 230, 220), 0.95, 0.008, hole)
    if expression.squareness > 0.5 and expression.teeth > 0.5:
        # Clenched teeth: the lower row shows too, and where both rows meet is a line.
        easel.fill(hole, (228, 222, 212), 0.9, 0.008, hole)
        bite = moved(upper, 0, 0.5 * expression.opening)
        easel.stroke([bite], (70, 40, 40), 0.025, 0.8, 0.006, hole)
    centre = hole[:, 1].mean()
    gaps = [np.array([(x, centre - 0.3), (x, centre + 0.3)]) for x in _GAPS]
    easel.stroke(gaps, (120, 100, 96), 0.01, 0.3, 0.0, row)
    easel.stroke([moved(upper, 0, 0.02)], (60, 26, 26), 0.04, 0.5, 0.02, hole)
