"""Outlines and lines: rows of points, n x 2, float64, each point x and y.

Points are in a sitter's coordinates: the origin lies midway between the eyes, x grows to the right
of the picture, y grows downwards, and one unit is half the width of the face.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# The weights of four neighbouring knots on the eight steps of a Catmull-Rom curve between the
# middle two.
_STEPS = np.linspace(0.0, 1.0, 8, endpoint=False)[:, None] ** np.arange(4)
_KNOT_WEIGHTS = _STEPS @ (
    0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
)
_CIRCLE = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 28, endpoint=False)])


def curve(points: Sequence[tuple[float, float]] | Points, closed: bool = False) -> Points:
    """Runs a Catmull-Rom curve through points, eight steps from one to the next.

    Args:
        points: n x 2, the knots.
        closed: Whether the curve returns from the last knot to the first.

    Returns:
        8n x 2 for a closed curve, (8n - 7) x 2 for an open one, which ends on its last knot.
    """
    knots = np.asarray(points, np.float64)
    ends = (knots[-1:], knots[:2]) if closed else (knots[:1], knots[-1:])
    knots = np.concatenate([ends[0], knots, ends[1]])
    neighbours = np.stack([knots[k : len(knots) - 3 + k] for k in range(4)], axis=1)
    path = (_KNOT_WEIGHTS @ neighbours).reshape(-1, 2)
    return path if closed else np.concatenate([path, knots[-1:]])


def mirrored(right: Sequence[tuple[float, float]]) -> Points:
    """Closes a symmetric curve from its right half, n knots from top to bottom on the axis."""
    half = np.array(right, np.float64)
    return curve(np.concatenate([half, half[-2:0:-1] * (-1, 1)]), closed=True)


def moved(points: Points, x: float, y: float) -> Points:
    """Gives n x 2 points moved to the right by x and down by y."""
    return np.asarray(points + np.array((x, y)), np.float64)


def ellipse(x: float, y: float, width: float, height: float) -> Points:
    """Gives an ellipse, 28 x 2, from its middle and half its width and height."""
    return moved(_CIRCLE * (width, height), x, y)
