"""Accuracy by strength: every corruption a line that begins at the clean faces."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from emotion.figures.canvas import DPI, to_pixels
from emotion.figures.robustness import Line, draw_robustness

LINES = [Line(f"kind {n}", [0.8 - n / 20, 0.7 - n / 20, 0.6 - n / 20]) for n in range(7)]


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def test_each_line_begins_at_the_clean_faces() -> None:
    axes = axes_of(draw_robustness(LINES, 0.9, 0.3))
    assert [str(line.get_label()) for line in axes.lines] == [
        *(line.name for line in LINES),
        "best constant guess",
    ]
    for drawn, line in zip(axes.lines, LINES, strict=False):
        assert list(np.asarray(drawn.get_xdata())) == [0, 1, 2, 3]
        assert list(np.asarray(drawn.get_ydata())) == [0.9, *line.accuracies]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["clean", "1", "2", "3"]
    assert axes.get_ylim() == (0, 1)


def test_lines_differ_in_colour_and_marker() -> None:
    axes = axes_of(draw_robustness(LINES, 0.9, 0.3))
    drawn = axes.lines[:-1]
    assert len({to_hex(line.get_color()) for line in drawn}) == len(LINES)
    assert len({line.get_marker() for line in drawn}) == len(LINES)


def test_it_fits_a_phone_and_can_be_read_there() -> None:
    figure = draw_robustness(LINES, 0.9, 0.3)
    assert figure.get_figwidth() <= 4.6
    pixels = to_pixels(figure)
    assert pixels.shape[1] == round(figure.get_figwidth() * DPI)
    axes = axes_of(figure)
    texts = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]
    texts += figure.legends[0].get_texts()
    assert len(figure.legends[0].get_texts()) == 8
    assert all(float(text.get_fontsize()) >= 9 for text in texts)
    width, height = figure.bbox.width, figure.bbox.height
    for text in texts:
        box = text.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1
        assert -1 <= box.y0 <= box.y1 <= height + 1


@pytest.mark.parametrize("count", [1, 2, 9])
def test_any_number_of_lines_is_drawn(count: int) -> None:
    lines = [Line(f"${n}$", [0.5] * (1 + n % 3)) for n in range(count)]
    figure = draw_robustness(lines, 1.0, 0.0)
    assert to_pixels(figure).std() > 5
    assert len(axes_of(figure).lines) == count + 1
