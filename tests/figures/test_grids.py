"""Sheets of small pictures, looked at pixel by pixel."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion.figures.canvas import to_pixels
from emotion.figures.grids import draw_grid

CELL, ROW, TITLE, CAPTION = 180, 204, 44, 28  # pixels, as the docstring and the module have them


def pictures(count: int) -> list[NDArray[np.uint8]]:
    """Pictures of one colour each, no two alike, no channel like another."""
    return [np.full((32, 32, 3), (10 * n, 255 - 9 * n, 120), np.uint8) for n in range(count)]


def captions(count: int) -> list[str]:
    return [f"face {number}" for number in range(count)]


def texts(figure: Figure) -> list[str]:
    """The captions, without the title."""
    return [text.get_text() for text in figure.texts if text.get_text() != figure.get_suptitle()]


def places(sheet: NDArray[np.uint8], columns: int) -> list[NDArray[np.uint8]]:
    """The place of each picture, 168 x 180 pixels below its caption, row after row."""
    tops = range(TITLE + CAPTION, len(sheet), ROW)
    return [sheet[y : y + 168, x * CELL : (x + 1) * CELL] for y in tops for x in range(columns)]


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (2, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_pictures_stand_in_rows_of_eight(count: int, rows: int) -> None:
    pixels = to_pixels(draw_grid(pictures(count), captions(count), "faces"))
    assert pixels.shape == (TITLE + ROW * rows, CELL * max(min(count, 8), 3), 3)
    found = places(pixels, min(count, 8))
    for place, expected in zip(found[:count], pictures(count), strict=True):
        assert (place[:, 6:174] == expected[0, 0]).all()
        assert (place[:, :6] == 255).all()
        assert (place[:, 174:] == 255).all()
    assert all((place == 255).all() for place in found[count:])


def test_another_number_of_columns_is_kept() -> None:
    pixels = to_pixels(draw_grid(pictures(6), captions(6), "faces", columns=3))
    assert pixels.shape == (TITLE + 2 * ROW, 3 * CELL, 3)
    middles = [tuple(place[84, 90].tolist()) for place in places(pixels, 3)]
    assert middles == [tuple(picture[0, 0].tolist()) for picture in pictures(6)]


def test_each_picture_has_its_caption_above_it_and_there_is_a_title() -> None:
    figure = draw_grid(pictures(5), captions(5), "epoch 4", columns=4)
    assert figure.get_suptitle() == "epoch 4"
    assert texts(figure) == captions(5)
    bare = to_pixels(draw_grid(pictures(5), [""] * 5, "epoch 4", columns=4))
    written = (to_pixels(figure) != bare).any(axis=-1)
    for number in range(5):
        left, top = number % 4 * CELL, TITLE + number // 4 * ROW
        caption = written[top : top + CAPTION, left : left + CELL]
        columns = np.flatnonzero(caption.any(axis=0))
        assert caption.sum() > 50
        assert abs(columns.mean() - CELL / 2) < 5
        written[top : top + CAPTION, left : left + CELL] = False
    assert not written.any()  # nor does any reach into a picture


def test_the_title_stands_above_all_in_the_middle() -> None:
    titled, bare = (to_pixels(draw_grid(pictures(3), captions(3), t)) for t in ("epoch 4", ""))
    rows, columns = np.nonzero((titled != bare).any(axis=-1))
    assert len(rows) > 50
    assert 0 < rows.min() <= rows.max() < TITLE
    assert abs((columns.min() + columns.max()) / 2 - 1.5 * CELL) < 5


def test_captions_and_titles_are_no_formulas() -> None:
    odd = [r"$\frac$", "5 $ or 6 $"]  # matplotlib would refuse to draw the first as a formula
    figure = draw_grid(pictures(2), odd, "$x^2$ faces")
    drawn = to_pixels(figure)
    for text, expected in zip(figure.texts, [*odd, "$x^2$ faces"], strict=True):
        text.set_parse_math(False)
        text.set_text(expected)
    np.testing.assert_array_equal(drawn, to_pixels(figure))


def test_a_long_caption_is_cut_off() -> None:
    figure = draw_grid(pictures(2), ["a" * 20, "b" * 21], "faces")
    assert texts(figure) == ["a" * 20, f"{'b' * 19}…"]


def test_wide_letters_stay_within_their_cell() -> None:
    drawn = to_pixels(draw_grid(pictures(3), ["", "W" * 20, ""], "faces"))
    bare = to_pixels(draw_grid(pictures(3), [""] * 3, "faces"))
    rows, columns = np.nonzero((drawn != bare).any(axis=-1))
    assert CELL < columns.min() < CELL + 16
    assert 2 * CELL - 16 < columns.max() < 2 * CELL
    assert TITLE < rows.min() <= rows.max() < TITLE + CAPTION


def test_captions_of_two_lines_make_all_rows_higher() -> None:
    higher = ROW + 18
    two = ["one line", "two\nlines", "", f"{'a' * 30}\n0.98"]
    figure = draw_grid(pictures(4), two, "faces", columns=3)
    assert texts(figure) == ["one line", "two\nlines", "", f"{'a' * 19}…\n0.98"]
    drawn = to_pixels(figure)
    assert drawn.shape == (TITLE + 2 * higher, 3 * CELL, 3)
    written = (drawn != to_pixels(draw_grid(pictures(4), ["\n"] * 4, "faces", columns=3))).any(-1)
    for number in (0, 1, 3):
        left, top = number % 3 * CELL, TITLE + number // 3 * higher
        caption = written[top : top + CAPTION + 18, left : left + CELL]
        rows = np.flatnonzero(caption.any(axis=1))
        assert (np.ptp(rows) > 20) == (number > 0)  # two lines
        written[top : top + CAPTION + 18, left : left + CELL] = False
    assert not written.any()  # nor does any reach into a picture


def test_no_picture_at_all_is_an_empty_sheet_with_a_title() -> None:
    assert to_pixels(draw_grid([], [], "nothing was wrong")).min() < 128


def test_pictures_of_different_sizes_share_a_sheet() -> None:
    odd = [np.zeros((h, w, 3), dtype=np.uint8) for h, w in ((8, 64), (64, 8), (400, 200))]
    found = places(to_pixels(draw_grid(odd, ["wide", "tall", "large"], "odd")), 3)
    black = [np.nonzero((place == 0).all(axis=-1)) for place in found]
    spans = [(int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) for rows, columns in black]
    assert spans == [(21, 168), (168, 21), (168, 84)]
    for rows, columns in black:  # in the middle of its place
        assert abs((rows.min() + rows.max()) / 2 - 83.5) <= 0.5
        assert abs((columns.min() + columns.max()) / 2 - 89.5) <= 0.5


def test_pixels_are_enlarged_as_they_are_and_made_smaller_by_their_mean() -> None:
    small = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 99, 199]]], np.uint8)
    large = np.zeros((336, 336, 3), np.uint8)
    large[::2] = 200
    enlarged, reduced = places(to_pixels(draw_grid([small, large], ["2", "336"], "faces")), 2)
    np.testing.assert_array_equal(enlarged[:, 6:174], small.repeat(84, 0).repeat(84, 1))
    assert (reduced[:, 6:174] == 100).all()


def test_a_caption_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        draw_grid(pictures(2), ["one"], "faces")
