"""Neck, shoulders and clothes."""

import numpy as np

from emotion.sketches.colours import shade, tint
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import curve, ellipse, mirrored, moved
from emotion.sketches.traits import Person

_TORSO = mirrored(
    [(0, 1.98), (0.5, 1.98), (0.95, 2.16), (1.8, 2.38), (2.4, 2.85), (2.65, 4), (2.8, 9), (0, 9)]
)
_NECK = mirrored([(0, 0.7), (0.6, 0.8), (0.58, 1.6), (0.72, 2.05), (0.3, 2.3), (0, 2.36)])
_HOOPS = [np.array([(-3, y), (3, y)]) for y in np.arange(2.5, 6, 0.42)]
_FOLDS = [curve([(s * 1.65, 3.1), (s * 1.78, 3.7), (s * 1.8, 6)]) for s in (-1, 1)]
_NECKLINE = curve([(-0.7, 1.98), (-0.4, 2.3), (0, 2.42), (0.4, 2.3), (0.7, 1.98)])
_FLAP = np.array([(0.7, 1.86), (0.04, 2.38), (0.34, 2.78), (0.92, 2.16)])


def paint_body(body: Easel, head: Easel, person: Person, light: float) -> None:
    """Paints the neck and the clothed shoulders.

    Args:
        body: The picture in the coordinates of the shoulders.
        head: The same picture in the coordinates of the head, which throws a shadow on the neck.
        person: Who sits.
        light: Side of the light, -1 to 1.
    """
    clothes, skin = person.clothes, person.skin
    neck = _NECK * (person.neck, 1)
    body.fill(_TORSO, clothes)
    if person.stripes is not None:
        body.stroke(_HOOPS, person.stripes, 0.17, 0.8, 0.01, _TORSO)
    body.stroke(_FOLDS, shade(clothes, 0.5), 0.08, 0.5, 0.08, _TORSO)
    lit = moved(_TORSO * (0.86, 1), 0.22 * light, 0.22)
    body.rim(_TORSO, lit, shade(clothes, 0.5), 0.7, 0.22)
    body.fill(neck, skin)
    body.rim(neck, moved(neck * (0.7, 1), 0.1 * light, 0), shade(skin, 0.5), 0.7, 0.12)
    # The chin's shadow on the neck is the strongest edge below the mouth.
    head.fill(ellipse(0, 1.42, 0.62 * person.neck, 0.42), shade(skin, 0.38), 0.75, 0.1)
    _paint_neckline(body, person)


def _paint_neckline(body: Easel, person: Person) -> None:
    clothes = person.clothes
    if not person.collar:
        body.stroke([_NECKLINE], shade(clothes, 0.62), 0.1, 0.9, 0.02)
        return
    for side in (-1, 1):
        flap = _FLAP * (side, 1)
        body.fill(moved(flap, 0, 0.05), shade(clothes, 0.4), 0.6, 0.04)
        body.fill(flap, tint(clothes, 0.12))
        body.stroke([flap], shade(clothes, 0.6), 0.02, 0.7, 0.01)
