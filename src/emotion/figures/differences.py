"""Differences of scores as dots with their intervals around zero."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.figures.canvas import COLOURS, new_figure, plain

WIDTH = 4.6  # inches: a page shows it as wide as a phone
_APART, _NOT = COLOURS[0], "0.35"


@dataclass(frozen=True)
class Gap:
    """A difference with its interval, all in one unit."""

    name: str
    value: float
    low: float
    high: float

    @property
    def apart(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def draw_differences(gaps: Sequence[Gap], unit: str) -> Figure:
    """Draws a row for each difference, the first at the top; a filled dot leaves out zero.

    Args:
        gaps: one or more.
        unit: what the axis is called.
    """
    figure = new_figure(WIDTH, 1.25 + 0.3 * len(gaps))
    axes: Axes = figure.subplots()
    axes.axvline(0, color="black", linewidth=1, zorder=1)
    for row, gap in enumerate(gaps):
        colour = _APART if gap.apart else _NOT
        axes.plot([gap.low, gap.high], [row, row], color=colour, linewidth=2, zorder=2)
        face = colour if gap.apart else "white"
        axes.plot(
            [gap.value],
            [row],
            marker="o",
            markersize=7,
            markeredgewidth=1.5,
            markeredgecolor=colour,
            markerfacecolor=face,
            zorder=3,
        )
    axes.set_yticks(range(len(gaps)), [plain(gap.name) for gap in gaps], fontsize=9)
    axes.set_ylim(len(gaps) - 0.4, -0.6)
    # Zero in the middle: neither side looks larger than it is.
    reach = 1.08 * float(np.max([[abs(gap.low), abs(gap.high)] for gap in gaps])) or 1.0
    axes.set_xlim(-reach, reach)
    axes.tick_params(axis="x", labelsize=9)
    axes.set_xlabel(plain(unit), fontsize=9)
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
