"""A table as a picture."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from emotion.figures.canvas import new_figure, plain


def draw_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Figure:
    """Draws rows of text under a line of column names."""
    figure = new_figure(1.25 * len(columns), 0.36 * (len(rows) + 2))
    axes = figure.subplots()
    axes.axis("off")
    axes.set_title(title, loc="left", fontsize=10)
    table = axes.table(
        [[plain(text) for text in row] for row in rows], colLabels=list(columns), loc="center"
    )
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    table.scale(1, 1.4)
    for (row, _), cell in table.get_celld().items():
        cell.set_edgecolor("0.85")
        if row == 0:
            cell.set_facecolor("0.93")
    return figure
