"""The picture of a confusion matrix: every count, coloured by its share of the row."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.figures.canvas import to_pixels
from emotion.figures.confusion import draw_confusion

TABLE = np.array([[9, 1, 0], [0, 0, 0], [2, 3, 5]])


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


@pytest.mark.parametrize("classes", [2, 5, 8])
def test_a_table_of_any_size_shows_something(classes: int) -> None:
    table = np.random.default_rng(0).integers(0, 50, (classes, classes))
    labels = [f"emotion {number}" for number in range(classes)]
    pixels = to_pixels(draw_confusion(table, labels, "accuracy 0.700 [0.640, 0.770]"))
    assert 300 < pixels.shape[0] < 1500
    assert 300 < pixels.shape[1] < 1500
    assert 0.01 < (pixels < 128).any(axis=-1).mean() < 0.9


def test_each_cell_tells_its_count_and_its_share_of_the_row() -> None:
    axes = axes_of(draw_confusion(TABLE, ("a", "b", "c"), "title"))
    told = {text.get_position(): text.get_text() for text in axes.texts}
    assert told[0, 0] == "9\n90%"
    assert told[1, 0] == "1\n10%"  # x is the answer, y is the truth
    assert told[2, 2] == "5\n50%"
    assert len(told) == 9


def test_colours_go_by_the_share_of_the_row() -> None:
    (image,) = axes_of(draw_confusion(TABLE, ("a", "b", "c"), "title")).images
    shown = np.asarray(image.get_array(), dtype=np.float64)
    np.testing.assert_allclose(shown, np.array([[0.9, 0.1, 0], [0, 0, 0], [0.2, 0.3, 0.5]]))
    assert image.get_clim() == (0, 1)


def test_a_class_that_does_not_occur_is_a_row_of_zeros() -> None:
    axes = axes_of(draw_confusion(TABLE, ("a", "b", "c"), "title"))
    row = [text.get_text() for text in axes.texts if text.get_position()[1] == 1]
    assert row == ["0\n0%"] * 3


def test_text_stands_out_from_its_cell() -> None:
    axes = axes_of(draw_confusion(TABLE, ("a", "b", "c"), "title"))
    colours = {text.get_position(): text.get_color() for text in axes.texts}
    assert colours[0, 0] == "white"
    assert colours[2, 0] == "black"


def test_axes_and_title_say_what_is_shown() -> None:
    axes = axes_of(draw_confusion(TABLE, ("a", "b", "c"), "ten faces"))
    assert axes.get_title(loc="left") == "ten faces"
    assert axes.get_xlabel() == "answer"
    assert axes.get_ylabel() == "truth"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c"]


def test_a_dollar_in_a_label_is_no_formula() -> None:
    to_pixels(draw_confusion(np.eye(2, dtype=np.int64), ["a$_$b", "c"], "title"))
