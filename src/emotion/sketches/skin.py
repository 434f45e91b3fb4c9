"""The head without eyes, mouth and hair: its form, its relief in the light, its spots and lines."""

import numpy as np

from emotion.sketches.colours import gloss, mix, shade
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import Points, curve, ellipse, mirrored, moved
from emotion.sketches.traits import Expression, Person

_FROWN = [curve([(s * 0.07, -0.5), (s * 0.055, -0.35), (s * 0.075, -0.2)]) for s in (-1, 1)]
_FOREHEAD = [
    curve([(-0.55, y + 0.03), (-0.25, y - 0.02), (0, y), (0.25, y - 0.02), (0.55, y + 0.03)])
    for y in (-0.92, -0.8)
]
_BAG = curve([(0.24, 0.14), (0.42, 0.2), (0.62, 0.12)])


def outline_skull(person: Person, expression: Expression) -> Points:
    """Gives the outline of the head without ears, 128 x 2, which an open mouth makes longer."""
    jaw, length = person.face
    drop = expression.jaw
    cheek = 0.88 * (1 + jaw) / 2 + 0.03 * expression.cheeks
    return mirrored(
        [
            (0, -1.38),
            (0.55, -1.24),
            (0.88, -0.85),
            (1, -0.2),
            (0.97, 0.3),
            (cheek, 0.8 + 0.3 * drop),
            (0.68 * jaw, 1.18 * length + 0.7 * drop),
            (0.36 * jaw, 1.46 * length + drop),
            (0, 1.54 * length + drop),
        ]
    )


def paint_head(easel: Easel, person: Person, skull: Points, light: float) -> None:
    """Paints ears and skull, round and lit from the light's side, -1 to 1."""
    skin = person.skin
    dark = shade(skin, 0.45)
    for side in (-1, 1):
        ear = ellipse(side * 1.02, 0.12, 0.13, 0.3)
        easel.fill(ear, shade(skin, 0.9))
        easel.fill(ellipse(side * 1.04, 0.12, 0.06, 0.2), shade(skin, 0.5), 0.6, 0.03, ear)
    easel.fill(skull, skin)
    # The face turns away from the viewer at its outline and away from the light on one side.
    easel.rim(skull, moved(skull * (0.88, 0.95), 0.1 * light, 0), dark, 0.75, 0.13)
    easel.fill(ellipse(-1.1 * light, 0.3, 0.75, 1.7), dark, 0.5 * abs(light), 0.28, skull)


def paint_relief(
    easel: Easel, person: Person, expression: Expression, skull: Points, light: float
) -> None:
    """Paints the hollows and heights of brow, cheeks and chin within the skull."""
    skin, lit = person.skin, gloss(person.skin)
    dark = shade(skin, 0.42)
    # Dark skin shows its form by shine, light skin by shadow.
    shine = 0.3 + 0.12 * (1.0 - sum(skin) / 765.0)
    blush = mix(skin, (214, 78, 62), 0.5)
    easel.fill(ellipse(0.15 * light, -0.75, 0.45, 0.2), lit, shine, 0.16, skull)
    lift = 0.08 * expression.cheeks
    for side in (-1, 1):
        easel.fill(ellipse(side * 0.42, -0.13, 0.28, 0.17), dark, 0.5, 0.08)
        easel.fill(ellipse(side * 0.24, -0.08, 0.09, 0.12), dark, 0.45, 0.06)
        easel.fill(ellipse(side * 0.6, 0.55 - lift, 0.22, 0.16), blush, 0.36, 0.12, skull)
        easel.fill(ellipse(side * 0.58, 0.38 - lift, 0.2, 0.1), lit, shine, 0.08, skull)
        easel.fill(ellipse(side * 0.72, 0.95, 0.14, 0.3), dark, 0.22, 0.12, skull)
    chin = 1.3 * person.face[1] + expression.jaw
    easel.fill(ellipse(0, chin + 0.02, 0.2, 0.08), lit, shine * 0.8, 0.08, skull)
    easel.fill(ellipse(0, 1.16 + expression.jaw * 0.9, 0.22, 0.05), dark, 0.45, 0.05, skull)


def paint_freckles(easel: Easel, person: Person, generator: np.random.Generator) -> None:
    """Paints freckles across the nose and the cheeks, or only takes its draws."""
    spots = generator.normal(0.0, 1.0, (45, 2)) * (0.35, 0.13)
    dots = [np.array([(x, y + 0.38), (x + 0.012, y + 0.38)]) for x, y in spots]
    easel.stroke(dots, shade(person.skin, 0.6), 0.022, person.freckles, 0.006)


def paint_wrinkles(easel: Easel, person: Person, expression: Expression) -> None:
    """Paints the lines that age draws and that the expression deepens."""
    dark, age = shade(person.skin, 0.4), person.age
    frown, smile = max(expression.frown, 0.0), max(expression.cheeks, 0.0)
    brow = 0.15 * age + 0.45 * max(expression.forehead, 0.0)
    fold = 0.2 * age + 0.5 * smile + 0.3 * frown
    trail = max(-3 * expression.corners, 0.0)
    bag = 0.1 + 0.2 * age + 0.3 * smile
    easel.stroke(_FROWN, dark, 0.03, 0.7 * min(frown, 1.0), 0.018)
    easel.stroke(_FOREHEAD, dark, 0.025, min(brow, 0.5), 0.015)
    edge, ends = expression.mouth, 0.95 - expression.corners
    from_nose = curve([(0.26, 0.55), (0.42, 0.72), (edge + 0.1, ends)])
    from_mouth = curve([(edge + 0.02, ends), (edge + 0.08, ends + 0.16)])
    for side in (-1, 1):
        easel.stroke([from_nose * (side, 1)], dark, 0.035, min(fold, 0.7), 0.025)
        easel.stroke([from_mouth * (side, 1)], dark, 0.04, min(trail, 0.55), 0.025)
        easel.stroke([_BAG * (side, 1)], dark, 0.03, min(bag, 0.5), 0.025)
