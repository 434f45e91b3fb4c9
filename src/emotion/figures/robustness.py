"""Accuracy by strength of corruption, a line for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from emotion.figures.canvas import COLOURS, new_figure, plain

WIDTH = 4.6  # inches: a page shows it as wide as a phone
FONT = 9
MARKERS = "os^Dv<>P"


@dataclass(frozen=True)
class Line:
    """One corruption.

    Attributes:
        name: what it is called.
        accuracies: at strength 1, 2 and so on, 0 to 1; one or more.
    """

    name: str
    accuracies: Sequence[float]


def draw_robustness(lines: Sequence[Line], clean: float, guess: float) -> Figure:
    """Draws accuracy over strength; all lines begin at the clean faces.

    Args:
        lines: one or more.
        clean: accuracy without corruption, 0 to 1.
        guess: accuracy of the best constant guess.
    """
    figure = new_figure(WIDTH, 3.6 + 0.22 * (len(lines) // 2 + 1))
    axes: Axes = figure.subplots()
    for number, line in enumerate(lines):
        axes.plot(
            range(len(line.accuracies) + 1),
            [clean, *line.accuracies],
            marker=MARKERS[number % len(MARKERS)],
            color=COLOURS[number % len(COLOURS)],
            linestyle="-" if number < len(COLOURS) else "--",
            linewidth=1.5,
            markersize=6,
            label=plain(line.name),
            clip_on=False,
            zorder=3,
        )
    axes.axhline(guess, color="0.4", linestyle="--", linewidth=1, label="best constant guess")
    _finish(axes, max(len(line.accuracies) for line in lines))
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        fontsize=FONT,
        frameon=False,
    )
    return figure


def _finish(axes: Axes, strengths: int) -> None:
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylabel("right answers", fontsize=FONT)
    names = ["clean", *(str(strength) for strength in range(1, strengths + 1))]
    axes.set_xticks(range(strengths + 1), names)
    axes.set_xlabel("strength of the corruption", fontsize=FONT)
    axes.tick_params(labelsize=FONT)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
