"""Training curves with the epoch that was kept."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emotion.figures.canvas import COLOURS, new_figure

SPARSE = 30  # up to so many epochs, each is marked with a point


def draw_curves(
    train: Sequence[float], val: Sequence[float], name: str, kept: int, no_better_from: int | None
) -> Figure:
    """Draws one score over the epochs, counted from 1.

    Args:
        train: the score of each epoch on the training part; may be empty.
        val: likewise on validation.
        name: what the score is called.
        kept: epoch that is kept.
        no_better_from: epoch from which validation never got better again, or None.
    """
    figure = new_figure(8, 4.5)
    axes: Axes = figure.subplots()
    marker = "." if len(val) <= SPARSE else None
    for values, part, colour in ((train, "train", COLOURS[0]), (val, "validation", COLOURS[1])):
        if values:
            axes.plot(range(1, len(values) + 1), values, marker=marker, color=colour, label=part)
    if no_better_from is not None:
        label = f"validation no better from epoch {no_better_from}"
        axes.axvspan(no_better_from, max(len(val), no_better_from + 0.2), color="0.92", label=label)
    axes.axvline(kept, color="0.4", linestyle="--", linewidth=1)
    axes.plot([kept], [val[kept - 1]], "o", markersize=9, mfc="none", mec="black", mew=1.5)
    axes.set_title(f"epoch {kept} is kept: {name} {val[kept - 1]:.4f} on validation", loc="left")
    axes.set_xlabel("epoch")
    axes.set_ylabel(name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
