"""Hair of the face: beard, stubble and moustache."""

import numpy as np

from emotion.sketches.colours import shade, tint
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import Points, mirrored
from emotion.sketches.traits import Expression, Person


def paint_beard(
    easel: Easel,
    person: Person,
    expression: Expression,
    skull: Points,
    generator: np.random.Generator,
) -> None:
    """Paints a beard within the skull and a moustache, where the person has them."""
    hair = shade(person.hair, 0.8)
    if person.beard > 0.0:
        beard = _beard(person, expression)
        easel.fill(beard, hair, person.beard, 0.035, skull)
        _paint_stubble(easel, person, beard, generator)
    if person.moustache > 0.0:
        easel.fill(_moustache(expression), hair, person.moustache, 0.025)


def _beard(person: Person, expression: Expression) -> Points:
    edge = expression.mouth
    return mirrored(
        [
            (0, 1.12 + expression.jaw * 0.9),
            (edge * 0.6, 1.1),
            (edge + 0.08, 0.9),
            (0.7, 0.8),
            (0.9, 0.3),
            (1.02, 0.2),
            (0.95, 0.9),
            (0.6, 1.35),
            (0, 1.6 * person.face[1] + expression.jaw),
        ]
    )


def _moustache(expression: Expression) -> Points:
    top, edge = 0.79 - 0.03 * expression.cheeks, expression.mouth
    # The ends go with the corners of the mouth, or a moustache would hide every smile.
    end = 0.92 - 0.8 * expression.corners
    return mirrored(
        [
            (0, top - 0.03),
            (0.2, top - 0.03),
            (edge + 0.03, end),
            (edge + 0.01, end + 0.05),
            (0.2, top + 0.1),
            (0, top + 0.08),
        ]
    )


def _paint_stubble(
    easel: Easel, person: Person, beard: Points, generator: np.random.Generator
) -> None:
    starts = generator.uniform((-0.95, 0.4), (0.95, 1.65), (160, 2))
    hairs = [np.array([(x, y), (1.1 * x, y + 0.07)]) for x, y in starts]
    easel.stroke(hairs, tint(person.hair, 0.2), 0.012, 0.35 * person.beard, within=beard)
