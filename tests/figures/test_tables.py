"""Tables as pictures."""

import pytest
from matplotlib.figure import Figure
from matplotlib.table import Table

from emotion.figures.canvas import to_pixels
from emotion.figures.tables import draw_table


def table_of(figure: Figure) -> Table:
    (table,) = (child for child in figure.axes[0].get_children() if isinstance(child, Table))
    return table


@pytest.mark.parametrize("classes", [1, 2, 8, 20])
def test_a_table_of_any_length_shows_something(classes: int) -> None:
    rows = [(f"emotion {number}", "12", "0.500") for number in range(classes)]
    pixels = to_pixels(draw_table(("class", "faces", "recall"), rows, "a table"))
    assert pixels.shape[1] == 450
    assert pixels.shape[0] == pytest.approx(120 * 0.36 * (classes + 2), abs=1)
    assert (pixels < 128).any(axis=-1).mean() > 0.005


def test_every_cell_stands_in_its_place_under_the_names() -> None:
    columns, rows = ("class", "recall"), [("smile", "0.9"), ("sad", "–")]
    cells = table_of(draw_table(columns, rows, "title")).get_celld()
    told = [[cells[row, column].get_text().get_text() for column in (0, 1)] for row in range(3)]
    assert told == [["class", "recall"], ["smile", "0.9"], ["sad", "–"]]


def test_the_title_stands_above() -> None:
    figure = draw_table(("a",), [("b",)], "accuracy 0.7")
    assert figure.axes[0].get_title(loc="left") == "accuracy 0.7"


def test_no_row_leaves_the_picture() -> None:
    figure = draw_table(("class", "faces"), [(f"class {n}", "1") for n in range(8)], "title")
    to_pixels(figure)  # lays the figure out
    frame = figure.bbox
    for cell in table_of(figure).get_celld().values():
        box = cell.get_window_extent()
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
