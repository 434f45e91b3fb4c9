"""A confusion matrix as a picture: the counts, coloured by the share of their row."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion.figures.canvas import new_figure, short


def draw_confusion(table: NDArray[np.int64], labels: Sequence[str], title: str) -> Figure:
    """Draws a table of truth (rows) by answer (columns).

    Args:
        table: classes x classes counts.
        labels: class names in that order.
        title: stands above.
    """
    side = 2.2 + 0.9 * len(labels)
    figure = new_figure(side + 0.6, side)
    axes: Axes = figure.subplots()
    rates = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(rates, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if rates[row, column] > 0.55 else "black"
        text = f"{count}\n{rates[row, column]:.0%}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    names = [short(label) for label in labels]
    axes.set_xticks(range(len(labels)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(labels)), names)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    axes.set_title(title, loc="left", fontsize=10)
    return figure
