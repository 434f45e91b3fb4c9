"""The sample data set: drawn scenes with their XML, in the original's layout."""

import tempfile
from pathlib import Path

import numpy as np

from emotion.errors import ConfigError, DataError
from emotion.faces.annotations import write_annotation
from emotion.faces.boxes import Box
from emotion.faces.images import write_image
from emotion.sketches.scenes import draw_scene
from emotion.terminal import tracked
from emotion.threads import map_in_order

EVERY = 5  # each fifth scene is for the test part


def write_sample(root: Path, images: int, seed: int) -> dict[str, int]:
    """Draws scenes into `root/train` and `root/test`, each with `img/` and `annotations/`.

    Scene k depends on (seed, k) alone: more scenes leave the first ones as they were.

    Args:
        root: a folder that is empty or does not exist.
        images: number of scenes in all, at least 5; a fifth of them is for the test part.
        seed: any non-negative integer.

    Returns:
        Number of faces in each part.

    Raises:
        DataError: the folder has something in it.
        ConfigError: too few scenes, or a negative seed.
    """
    if images < EVERY:
        raise ConfigError(f"--images: expected {EVERY} or more, got {images}")
    if seed < 0:
        raise ConfigError(f"--seed: expected 0 or more, got {seed}")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root}: is not an empty folder; name another, or remove it first")
    root.parent.mkdir(parents=True, exist_ok=True)
    # Drawn beside it and renamed at the end, so that half a data set is never taken for a whole.
    with tempfile.TemporaryDirectory(prefix=".drawing-", dir=root.parent) as folder:
        faces = _draw_all(Path(folder) / "data", images, seed)
        (Path(folder) / "data").replace(root)
    return faces


def _draw_all(root: Path, images: int, seed: int) -> dict[str, int]:
    faces = {"train": 0, "test": 0}
    scenes = map_in_order(lambda number: _write_scene(root, number, seed), range(images))
    for part, count in tracked(scenes, "drawing", images):
        faces[part] += count
    return faces


def _write_scene(root: Path, number: int, seed: int) -> tuple[str, int]:
    scene = draw_scene(np.random.default_rng([seed, number]))
    part = "test" if number % EVERY == EVERY - 1 else "train"
    name = f"scene_{number + 1:05d}"
    write_image(root / part / "img" / f"{name}.jpg", scene.image)
    height, width = scene.image.shape[:2]
    faces = [(face.label, Box(*face.box)) for face in scene.faces]
    path = root / part / "annotations" / f"{name}.xml"
    write_annotation(path, f"{name}.jpg", (width, height), faces)
    return part, len(faces)
