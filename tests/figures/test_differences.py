import numpy as np
from matplotlib.axes import Axes

from emotion.figures.canvas import to_pixels
from emotion.figures.differences import Gap, draw_differences

GAPS = [Gap("accuracy", 2.0, -1.0, 5.0), Gap("$x$", -4.0, -6.0, -1.0)]


def axes_of(gaps: list[Gap]) -> Axes:
    (axes,) = draw_differences(gaps, "B − A").axes
    return axes


def test_each_difference_is_a_dot_on_its_interval_the_first_at_the_top() -> None:
    axes = axes_of(GAPS)
    lines = [np.asarray(line.get_xdata()).tolist() for line in axes.lines[1:]]
    assert lines == [[-1.0, 5.0], [2.0], [-6.0, -1.0], [-4.0]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["accuracy", r"\$x\$"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_xlabel() == "B − A"


def test_only_what_leaves_out_zero_is_filled() -> None:
    dots = [line for line in axes_of(GAPS).lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [True, False]


def test_zero_stands_in_the_middle() -> None:
    low, high = axes_of(GAPS).get_xlim()
    assert low == -high
    assert high > 6


def test_nothing_but_zeros_can_be_drawn() -> None:
    figure = draw_differences([Gap("accuracy", 0, 0, 0)], "points")
    pixels = to_pixels(figure)
    assert pixels.shape[1] <= 4.6 * 120
    assert pixels.min() < 50
