"""Scores by setting: every seed a point, with mean and spread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from emotion.figures.canvas import COLOURS, new_figure, plain

MOST = 40  # rows of one panel; several share them, each has FEWEST; what is worse is only counted
FEWEST = 12
TICKS = 8  # up to so many settings, each has a tick of its own
FAR = 5.0  # values that span more than this many times are drawn on a logarithmic axis
_POINT, _MEAN = COLOURS[0], COLOURS[1]


@dataclass(frozen=True)
class Mark:
    """A setting and its scores.

    Attributes:
        name: what it is called.
        scores: one for each run; one or more.
        mean: of the seeds.
        deviation: standard deviation of the seeds; None for one.
        place: the setting as a number, where all have one.
    """

    name: str
    scores: Sequence[float]
    mean: float
    deviation: float | None
    place: float | None = None


@dataclass(frozen=True)
class Panel:
    """The settings that are measured by one score.

    Attributes:
        score: its name, one of validation.
        mode: "min" where less is better, else "max".
        marks: the best first.
        axis: name of the one setting that is swept, where it is a number; None for a list.
    """

    score: str
    mode: str
    marks: Sequence[Mark]
    axis: str | None = None


def draw_leaderboard(panels: Sequence[Panel]) -> Figure:
    """Draws scores by setting, one panel a score.

    Args:
        panels: may be empty; each with one mark or more.
    """
    if not panels:
        figure = new_figure(8, 1.2)
        figure.text(0.5, 0.5, "no run is finished", ha="center", va="center", fontsize=10)
        return figure
    most = max(MOST // len(panels), FEWEST)
    heights = [_height(panel, most) for panel in panels]
    figure = new_figure(9, sum(heights))
    all_axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(all_axes, panels, strict=True):
        if panel.axis is None:
            _draw_list(axes, panel, most)
        else:
            _draw_axis(axes, panel)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _height(panel: Panel, most: int) -> float:
    return 4.6 if panel.axis is not None else 1.7 + 0.26 * min(len(panel.marks), most)


def _title(panel: Panel, most: int | None = None) -> str:
    which = "lower" if panel.mode == "min" else "higher"
    spread = any(mark.deviation is not None for mark in panel.marks)
    what = "seeds, mean ± standard deviation" if spread else "one point a run"
    lines = [f"{panel.score} (validation, not test)", f"{which} is better; {what}"]
    if most is not None and len(panel.marks) > most:
        lines.append(f"the best {most} of {len(panel.marks)} settings are shown")
    return plain("\n".join(lines))


def _draw_axis(axes: Axes, panel: Panel) -> None:
    """Draws scores over a setting that is a number."""
    assert panel.axis is not None
    marks = sorted(panel.marks, key=lambda mark: _place(mark))
    places = [_place(mark) for mark in marks]
    _set_scale(axes, places)
    for mark in marks:
        axes.plot([_place(mark)] * len(mark.scores), mark.scores, **_dots())
    means = [mark.mean for mark in marks]
    axes.plot(places, means, color=_MEAN, linewidth=1.2, zorder=2)
    if _several(marks):
        _draw_spread(axes, marks, places, means, upright=True)
    best = panel.marks[0]
    axes.annotate(
        plain(f"{best.mean:.4f}"),
        (_place(best), best.mean),
        textcoords="offset points",
        xytext=(8, 8 if panel.mode == "max" else -14),
        fontsize=9,
        weight="bold",
    )
    axes.set_xlabel(plain(panel.axis))
    axes.set_ylabel(plain(panel.score))
    axes.margins(x=0.12, y=0.08)  # the best score stands to the right of its mark
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.set_title(_title(panel), loc="left", fontsize=10)


def _place(mark: Mark) -> float:
    assert mark.place is not None
    return mark.place


def _set_scale(axes: Axes, places: Sequence[float]) -> None:
    above = [place for place in places if place > 0]
    if above and max(above) > FAR * min(above) and min(places) >= 0:
        if min(places) > 0:
            axes.set_xscale("log")
        else:  # nought has no logarithm: it stands one step below the smallest
            axes.set_xscale("symlog", linthresh=min(above), linscale=0.5)
    values = sorted(set(places))
    if len(values) <= TICKS and _far_apart(axes, values):
        axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xticks(values, [f"{value:g}" for value in values])


def _far_apart(axes: Axes, values: Sequence[float]) -> bool:
    """Tells whether a label fits below each value."""
    drawn = axes.xaxis.get_transform().transform(np.asarray(values))
    gaps = np.diff(drawn)
    return len(values) < 2 or bool(gaps.min() >= (drawn[-1] - drawn[0]) / TICKS)


def _several(marks: Sequence[Mark]) -> bool:
    return any(len(mark.scores) > 1 for mark in marks)


def _draw_list(axes: Axes, panel: Panel, most: int) -> None:
    """Draws a row for each setting, the best at the top."""
    marks = panel.marks[:most]
    rows = list(range(len(marks)))
    for row, mark in zip(rows, marks, strict=True):
        axes.plot(mark.scores, [row] * len(mark.scores), **_dots())
    means = [mark.mean for mark in marks]
    if _several(marks):
        _draw_spread(axes, marks, means, rows, upright=False)
    axes.set_yticks(rows, [plain(mark.name) for mark in marks], fontsize=9)
    axes.set_ylim(len(marks) - 0.4, -0.6)
    axes.margins(x=0.06)
    for row, mark in zip(rows, marks, strict=True):
        spread = "" if mark.deviation is None else f" ± {mark.deviation:.4f}"
        axes.text(
            *(1.01, row, f"{mark.mean:.4f}{spread}"),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
        )
    axes.set_xlabel(plain(panel.score))
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.set_title(_title(panel, most), loc="left", fontsize=10)


def _dots() -> dict[str, Any]:
    return {
        **{"linestyle": "none", "marker": "o", "markersize": 6.5, "alpha": 0.85},
        **{"markerfacecolor": _POINT, "markeredgecolor": "white", "zorder": 5},
    }


def _draw_spread(
    axes: Axes, marks: Sequence[Mark], x: Sequence[float], y: Sequence[float], upright: bool
) -> None:
    spread = [math.nan if mark.deviation is None else mark.deviation for mark in marks]
    axes.errorbar(
        x,
        y,
        yerr=spread if upright else None,
        xerr=None if upright else spread,
        fmt="D",
        color=_MEAN,
        markersize=10,
        markerfacecolor="white",
        markeredgewidth=1.5,
        elinewidth=1.5,
        capsize=7,
        zorder=4,
    )
