"""Pictures to begin with: drawn faces, since a photo of a person is nobody's to give away."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from emotion.demo.looks import to_jpeg
from emotion.demo.photos import Photo
from emotion.sketches.scenes import draw_scene

# Seed of the drawing, and who is in it from left to right.
SCENES: Sequence[tuple[int, tuple[str, ...]]] = (
    (1, ("smile",)),
    (2, ("surprise", "anger")),
    (3, ("sad",)),
    (4, ("neutral", "smile", "anger")),
)
QUALITY = 95


@cache
def samples() -> tuple[Photo, ...]:
    """Draws the pictures, a quarter of a second each, once."""
    return tuple(_draw(seed, labels) for seed, labels in SCENES)


def _draw(seed: int, labels: Sequence[str]) -> Photo:
    scene = draw_scene(np.random.default_rng(seed), labels)
    return Photo(f"drawing-{seed}.jpg", to_jpeg(scene.image, QUALITY))
