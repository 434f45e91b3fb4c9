"""Confidence against truth: the reliability diagram and the risk-coverage curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emotion.figures.canvas import COLOURS, new_figure, plain

WIDTH = 4.6  # inches: a page shows it as wide as a phone
FONT = 9
MARKERS = "os^Dv"


@dataclass(frozen=True)
class Point:
    """A bin of faces, all shares from 0 to 1.

    Attributes:
        confidence: mean confidence.
        accuracy: share of right answers.
        chance_low: least share that chance alone explains if confidences are true.
        chance_high: largest one.
    """

    confidence: float
    accuracy: float
    chance_low: float
    chance_high: float


@dataclass(frozen=True)
class Column:
    """How many faces have a confidence from `low` to `high`."""

    low: float
    high: float
    faces: int


@dataclass(frozen=True)
class Mark:
    """A place on the curve of the error: what a threshold does."""

    name: str
    coverage: float
    error: float


def draw_reliability(points: Sequence[Point], columns: Sequence[Column]) -> Figure:
    """Draws accuracy over confidence with the diagonal, and below it a histogram of confidences.

    Args:
        points: one or more.
        columns: of the histogram, one or more.
    """
    figure = new_figure(WIDTH, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    _draw_points(upper, points)
    for column in columns:
        width = column.high - column.low
        lower.bar(column.low, column.faces, width, align="edge", color="0.6", edgecolor="white")
    lower.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    lower.set_ylabel("faces", fontsize=FONT)
    lower.set_xlabel("confidence: probability of the answer", fontsize=FONT)
    for axes in (upper, lower):
        _finish(axes)
    return figure


def _draw_points(axes: Axes, points: Sequence[Point]) -> None:
    axes.plot([0, 1], [0, 1], color="0.4", linestyle="--", linewidth=1, label="as sure as right")
    sure = [point.confidence for point in points]
    axes.vlines(
        sure,
        [point.chance_low for point in points],
        [point.chance_high for point in points],
        color="0.82",
        linewidth=7,
        label="what chance explains",
    )
    accuracy = [point.accuracy for point in points]
    (line,) = axes.plot(sure, accuracy, "o-", color=COLOURS[0], linewidth=1, label="measured")
    line.set(clip_on=False, zorder=3)  # a bin of certain answers lies on the rim
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(_percent)
    axes.set_ylabel("right answers", fontsize=FONT)
    axes.legend(fontsize=FONT, loc="upper left", frameon=False)


def draw_risk_coverage(
    coverages: Sequence[float], errors: Sequence[float], marks: Sequence[Mark]
) -> Figure:
    """Draws the error among answered faces over the share that is answered.

    Args:
        coverages: rising shares, the last is 1.
        errors: share of wrong answers at each.
        marks: what thresholds do; may be empty.
    """
    figure = new_figure(WIDTH, 3.4)
    axes: Axes = figure.subplots()
    # One point, where all faces are equally sure, would not be seen as a line.
    marker = "." if len(coverages) == 1 else None
    axes.plot(coverages, errors, color=COLOURS[0], linewidth=1.5, marker=marker, clip_on=False)
    for number, mark in enumerate(marks):
        axes.plot(
            [mark.coverage],
            [mark.error],
            linestyle="none",
            marker=MARKERS[number % len(MARKERS)],
            markersize=8,
            color=COLOURS[1 + number % (len(COLOURS) - 1)],
            markeredgecolor="black",
            label=plain(mark.name),
            clip_on=False,
            zorder=3,
        )
    highest = max([*errors, *(mark.error for mark in marks)])
    axes.set_ylim(0, 1.08 * highest or 0.01)  # no answer may be wrong
    axes.yaxis.set_major_formatter(_percent)
    axes.set_ylabel("wrong answers among them", fontsize=FONT)
    axes.set_xlabel("faces that are answered, the surest first", fontsize=FONT)
    if marks:
        axes.legend(fontsize=FONT, frameon=False)
    _finish(axes)
    return figure


def _percent(share: float, _place: float) -> str:
    return f"{100 * share:g}%"


def _finish(axes: Axes) -> None:
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(_percent)
    axes.tick_params(labelsize=FONT)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
