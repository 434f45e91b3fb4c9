"""Paints one head and shoulders with a facial expression, as an illustrator would: layer on layer.

Promises: only the place of single hairs and freckles is left to chance, and all chance comes from
the given generator. Nothing here knows of scenes, cameras or detectors.
"""

from collections.abc import Sequence

import numpy as np

from emotion.sketches.beards import paint_beard
from emotion.sketches.body import paint_body
from emotion.sketches.easel import Easel, Plane
from emotion.sketches.eyes import paint_brow, paint_eye
from emotion.sketches.features import paint_mouth, paint_nose
from emotion.sketches.hair import paint_back_hair, paint_front_hair
from emotion.sketches.skin import (
    outline_skull,
    paint_freckles,
    paint_head,
    paint_relief,
    paint_wrinkles,
)
from emotion.sketches.traits import Expression, Person, Pose
from emotion.sketches.wear import paint_beanie, paint_glasses


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
    skull = outline_skull(person, expression)
    paint_back_hair(head, person, generator)
    paint_body(body, head, person, pose.light)
    paint_head(head, person, skull, pose.light)
    paint_relief(head, person, expression, skull, pose.light)
    paint_freckles(head, person, generator)
    paint_nose(head, person, expression, pose.light)
    paint_wrinkles(head, person, expression)
    paint_beard(head, person, expression, skull, generator)
    for side in (-1, 1):
        paint_eye(head, person, expression, pose, side)
        paint_brow(head, person, expression, side, generator)
    paint_mouth(head, person, expression)
    paint_front_hair(head, person, generator)
    paint_beanie(head, person)
    paint_glasses(head, person)
