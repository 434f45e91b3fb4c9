"""Which photos are trained on, and which choose the epoch.

Photos are split, not faces, so that two faces of one photo never stand on both sides.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotion.errors import ConfigError, DataError
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.samples import FaceSample, file_hashes


def split_photos(
    photos: Sequence[AnnotatedPhoto], val: int | float, train: int | None, seed: int, place: str
) -> tuple[list[AnnotatedPhoto], list[AnnotatedPhoto]]:
    """Splits photos into a training and a validation part, alike in their labels.

    The photos are ordered by the label of their first face, at random within a label, and every
    n-th, from a random start, goes to validation (systematic sampling): each label has its share
    there, to within one photo. The result depends on the names and the seed only, not on the order
    in which the photos come.

    Args:
        photos: all photos of the training folder.
        val: how many are for validation: a count, or a share between 0 and 1.
        train: how many are for training; None for all others.
        seed: for the order within a label; 0 is a seed like any other.
        place: names the data set in errors.

    Returns:
        The training and the validation photos, each sorted by the XML file's path.

    Raises:
        DataError: the counts do not add up to the photos there are, or a part would be empty.
    """
    count = _val_count(val, len(photos))
    if train is not None and train + count != len(photos):
        raise DataError(
            f"{place}: data.train={train} and data.val={val} ask for {train + count} photos, but"
            f" there are {len(photos)}; set data.train=null, and data.val to a share such as 0.2"
        )
    if not 0 < count < len(photos):
        raise DataError(
            f"{place}: data.val={val} leaves {count} of {len(photos)} photos for validation and"
            f" {len(photos) - count} for training; expected at least one in each"
        )
    ordered = sorted(photos, key=lambda photo: photo.annotation.as_posix())
    generator = np.random.default_rng(seed)
    rank = generator.permutation(len(ordered))
    start = int(generator.integers(len(ordered)))
    by_label = sorted(range(len(ordered)), key=lambda i: (_first_label(ordered[i]), rank[i]))
    chosen = {by_label[(k * len(ordered) + start) // count] for k in range(count)}
    kept = [photo for i, photo in enumerate(ordered) if i not in chosen]
    return kept, [ordered[i] for i in sorted(chosen)]


def _val_count(val: int | float, total: int) -> int:
    is_share = isinstance(val, float) and 0 < val < 1
    is_count = type(val) is int and val > 0
    if not is_share and not is_count:
        raise ConfigError(f"data.val: expected a count, or a share between 0 and 1, got {val}")
    return val if isinstance(val, int) else round(val * total)


def _first_label(photo: AnnotatedPhoto) -> str:
    return photo.faces[0].label if photo.faces else ""


def describe_split(parts: dict[str, Sequence[FaceSample]], root: Path) -> dict[str, Any]:
    """Says which files each part has, with their hashes, for the run folder."""
    return {
        "root": str(root),
        "hash": "sha256 of the XML file followed by its picture",
        "parts": {
            name: {"faces": len(samples), "files": file_hashes(samples)}
            for name, samples in parts.items()
        },
    }
