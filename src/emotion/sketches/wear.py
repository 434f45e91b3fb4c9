"""What people wear on the head: a beanie and glasses."""

import numpy as np

from emotion.sketches.colours import Colour, shade
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import Points, curve, mirrored, moved
from emotion.sketches.traits import Person

_DOME = mirrored([(0, -1.72), (0.72, -1.52), (1.1, -1.0), (1.1, -0.72), (0, -0.86)])
_BAND = mirrored([(0, -1.16), (0.8, -1.08), (1.13, -0.98), (1.13, -0.7), (0.6, -0.8), (0, -0.86)])
_RIBS = [np.array([(x, -1.2), (x * 1.02, -0.6)]) for x in np.arange(-1.0, 1.01, 0.1)]

_FRAME: Colour = (34, 28, 30)
_BRIDGE = curve([(-0.11, 0.0), (0, -0.05), (0.11, 0.0)])
_TEMPLE = curve([(0.78, -0.02), (1.0, -0.06)])
_GLINT = np.array([(-0.2, 0.12), (-0.05, -0.15)])


def paint_beanie(easel: Easel, person: Person) -> None:
    """Paints a knitted hat over the hair, if the person wears one."""
    if person.beanie is None:
        return
    wool = person.beanie
    easel.fill(moved(_DOME, 0, 0.08), shade(person.skin, 0.3), 0.4, 0.05)
    easel.fill(_DOME, wool)
    easel.rim(_DOME, _DOME * (0.88, 0.95), shade(wool, 0.45), 0.7, 0.12)
    easel.fill(_BAND, shade(wool, 0.85))
    easel.stroke(_RIBS, shade(wool, 0.5), 0.03, 0.5, 0.01, _BAND)


def paint_glasses(easel: Easel, person: Person) -> None:
    """Paints glasses over the eyes, if the person wears them."""
    if person.glasses == 0.0:
        return
    rim = _rim(person.glasses)
    for side in (-1, 1):
        lens = moved(rim, side * 0.44, 0.03)
        easel.fill(lens, (235, 240, 245), 0.07)
        # Both lenses mirror the same lamp, so the glint leans the same way on both.
        easel.stroke([moved(_GLINT, side * 0.44, 0.0)], (255, 255, 255), 0.05, 0.16, 0.015, lens)
        easel.stroke([lens, _TEMPLE * (side, 1)], _FRAME, 0.035, 0.9)
    easel.stroke([_BRIDGE], _FRAME, 0.035, 0.9)


def _rim(roundness: float) -> Points:
    """Outlines a lens about its middle."""
    angle = np.linspace(0.0, 2 * np.pi, 41)
    # A superellipse: exponent 1 is round, smaller is squarer.
    power = 0.4 + 0.6 * roundness
    x, y = (np.sign(part) * np.abs(part) ** power for part in (np.cos(angle), np.sin(angle)))
    return np.stack([0.34 * x, 0.26 * y], axis=1)
