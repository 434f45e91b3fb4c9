"""Ways to part faces into groups: by what they are like, and by what a user knows of them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from emotion.evaluation.slices.columns import stands_for_none
from emotion.faces.detectors import VIEWS
from emotion.faces.qualities import Qualities

# Limits of a face's side in pixels: doublings about the 80 from which dlib finds a face.
SIZES = (64, 128, 256)
SIZE_NAMES = ("below 64 px", "64–127 px", "128–255 px", "256 px and more")
NOT_FOUND = "not found"
THIRDS = "Each group is a third of the faces, or nearly so where values are equal."


@dataclass(frozen=True)
class Parting:
    """Which group each face is in.

    Attributes:
        name: what the faces are parted by.
        about: how that is measured; "" for a user's own column.
        groups: number of each face's group, n, int64.
        names: of the groups, in the order of their numbers; some may have no face.
    """

    name: str
    about: str
    groups: NDArray[np.int64]
    names: Sequence[str]


def by_quality(qualities: Sequence[Qualities]) -> list[Parting]:
    """Parts faces by size, sharpness, brightness, contrast, and whether the box is cut off.

    Args:
        qualities: of each face, one or more.
    """
    sizes = np.array([quality.size for quality in qualities])
    truncated = np.array([quality.truncated for quality in qualities])
    return [
        Parting(
            "face size",
            "Geometric mean of the sides of the annotated box, in pixels of the photo.",
            np.searchsorted(SIZES, sizes, side="right").astype(np.int64),
            SIZE_NAMES,
        ),
        by_thirds(
            "sharpness",
            "Variance of the Laplacian of the face, shown at 112 × 112 pixels: low where it is"
            f" blurred or has few pixels. {THIRDS}",
            ("least sharp", "in between", "sharpest"),
            [quality.sharpness for quality in qualities],
        ),
        by_thirds(
            "brightness",
            f"Mean grey value of the face, from 0 for black to 255 for white. {THIRDS}",
            ("darkest", "in between", "brightest"),
            [quality.brightness for quality in qualities],
        ),
        by_thirds(
            "contrast",
            f"Standard deviation of the face's grey values. {THIRDS}",
            ("least contrast", "in between", "most contrast"),
            [quality.contrast for quality in qualities],
        ),
        Parting(
            "box at the border",
            "A box that touches the picture's border or leaves it: the face may be cut off.",
            truncated.astype(np.int64),
            ("inside the picture", "at the border"),
        ),
    ]


def by_thirds(name: str, about: str, words: Sequence[str], values: Sequence[float]) -> Parting:
    """Parts faces into thirds; equal values stay together, so there may be fewer groups.

    Args:
        name: see `Parting`.
        about: likewise.
        words: for the lowest third, the middle one and the highest.
        values: of each face, one or more, finite.
    """
    exact = np.array(values)
    # Equal values share the mean of their ranks, and with it a third.
    thirds = (rankdata(exact) - 0.5) * 3 // len(exact)
    _, groups = np.unique(thirds, return_inverse=True)
    digits = _digits(float(np.ptp(exact)))
    names = []
    for number in range(int(groups.max()) + 1):
        ends = exact[groups == number]
        low, high = (f"{end:,.{digits}f}" for end in (ends.min(), ends.max()))
        names.append(low if low == high else f"{low} to {high}")
    chosen = {1: ("all alike",), 2: (words[0], words[-1])}.get(len(names), words)
    names = [f"{word}: {span}" for word, span in zip(chosen, names, strict=True)]
    return Parting(name, about, groups.astype(np.int64), names)


def _digits(span: float) -> int:
    """Gives as many decimals as a hundredth of a span needs."""
    return 0 if span == 0 else max(0, 2 - math.ceil(math.log10(span)))


def by_view(views: Sequence[str | None]) -> Parting:
    """Parts faces by how a detector saw them; None where it did not find the face."""
    names = [NOT_FOUND if view is None else view or "found" for view in views]
    others = sorted(set(names) - {*VIEWS, NOT_FOUND})
    order = [*VIEWS, *others, NOT_FOUND]
    return Parting(
        "head",
        "By which of its views the detector found the face. Left and right are those of the"
        " picture; tilted is a rotation towards a shoulder.",
        np.array([order.index(name) for name in names], np.int64),
        order,
    )


def by_value(name: str, values: Sequence[str]) -> Parting:
    """Parts faces by a user's column."""
    order = sorted(set(values), key=_natural)
    numbers = {value: i for i, value in enumerate(order)}
    return Parting(name, "", np.array([numbers[value] for value in values], np.int64), order)


def _natural(text: str) -> tuple[bool, list[tuple[int, int, str]], str]:
    """Orders texts as a reader would: "9" before "10", and what stands for no value last."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", text.casefold())
    key = [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]
    return stands_for_none(text), key, text
