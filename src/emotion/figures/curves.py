"""Training curves with the epoch that was kept."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emotion.figures.canvas import COLOURS, new_figure

SPARSE = 30  # up to so many epochs, each is marked with a point
WIDE = 8.0  # inches
LETTERS = 11  # of a title that fit into an inch


@dataclass(frozen=True)
class Curve:
    """One score over the epochs, counted from 1.

    Attributes:
        name: what the score is called.
        train: the score of each epoch on the training part; may be empty.
        val: likewise on validation.
        no_better_from: epoch from which validation never got better again, or None.
    """

    name: str
    train: Sequence[float]
    val: Sequence[float]
    no_better_from: int | None


def draw_curves(curves: Sequence[Curve], kept: int, rule: str, width: float = WIDE) -> Figure:
    """Draws scores over the epochs, one below the other.

    Args:
        curves: one or more, of equally many epochs.
        kept: epoch that is kept.
        rule: why; stands above.
        width: of the figure in inches; where it is narrow the legend stands below each panel.
    """
    figure = new_figure(width, 1.2 + 3.3 * len(curves))
    panels = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, curve in zip(panels, curves, strict=True):
        _draw_curve(axes, curve, kept)
        _add_legend(axes, below=width < WIDE)
    title = textwrap.fill(f"epoch {kept} is kept: {rule}", int(LETTERS * width))
    panels[0].set_title(title, loc="left", fontsize=10)
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _draw_curve(axes: Axes, curve: Curve, kept: int) -> None:
    marker = "." if len(curve.val) <= SPARSE else None
    parts = ((curve.train, "train", COLOURS[0]), (curve.val, "validation", COLOURS[1]))
    for values, part, colour in parts:
        if values:
            axes.plot(range(1, len(values) + 1), values, marker=marker, color=colour, label=part)
    if curve.no_better_from is not None:
        end = max(len(curve.val), curve.no_better_from + 0.2)
        label = f"validation no better from epoch {curve.no_better_from}"
        axes.axvspan(curve.no_better_from, end, color="0.92", label=label)
    axes.axvline(kept, color="0.4", linestyle="--", linewidth=1)
    score = curve.val[kept - 1]
    if not math.isnan(score):
        label = f"epoch {kept}: {score:.4f}"
        axes.plot([kept], [score], "o", markersize=9, mfc="none", mec="black", mew=1.5, label=label)
    axes.set_ylabel(curve.name)
    axes.spines[["top", "right"]].set_visible(False)


def _add_legend(axes: Axes, below: bool) -> None:
    place: dict[str, Any] = {}
    if below:  # beside the curves is no room
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 2, "fontsize": 9}
    # The area of a curve may lie beneath.
    axes.legend(facecolor="white", edgecolor="none", framealpha=0.9, **place)
