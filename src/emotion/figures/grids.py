"""Many small pictures with captions on one sheet."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion.figures.canvas import new_figure, plain


def draw_grid(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], title: str, columns: int = 8
) -> Figure:
    """Draws pictures in rows.

    Args:
        pictures: each H x W x 3, uint8, RGB.
        captions: one for each, stands above it.
        title: stands above all.
        columns: pictures in a row.
    """
    columns = min(columns, max(len(pictures), 1))
    rows = -(-len(pictures) // columns)
    figure = new_figure(1.5 * columns, 1.75 * max(rows, 1) + 0.4)
    for position, (picture, caption) in enumerate(zip(pictures, captions, strict=True), 1):
        axes = figure.add_subplot(max(rows, 1), columns, position)
        axes.imshow(picture)
        axes.set_title(plain(caption), fontsize=9)
        axes.axis("off")
    figure.suptitle(title, fontsize=10)
    return figure
