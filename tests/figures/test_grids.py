"""Sheets of small pictures."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.figures.canvas import to_pixels
from emotion.figures.grids import draw_grid


def pictures(count: int) -> list[NDArray[np.uint8]]:
    return [np.full((32, 32, 3), 10 * number, dtype=np.uint8) for number in range(count)]


def captions(count: int) -> list[str]:
    return [f"face {number}" for number in range(count)]


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (2, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_pictures_stand_in_rows_of_eight(count: int, rows: int) -> None:
    figure = draw_grid(pictures(count), captions(count), "faces")
    pixels = to_pixels(figure)
    assert len(figure.axes) == count
    assert pixels.shape[1] == 180 * min(count, 8)
    assert pixels.shape[0] == pytest.approx(120 * (1.75 * rows + 0.4), abs=1)
    assert (pixels < 128).any(axis=-1).mean() > 0.01


def test_another_number_of_columns_is_kept() -> None:
    figure = draw_grid(pictures(6), captions(6), "faces", columns=3)
    tops = [round(axes.get_position().y1, 6) for axes in figure.axes]
    assert [tops.count(top) for top in sorted(set(tops))] == [3, 3]


def test_each_picture_has_its_caption_and_there_is_a_title() -> None:
    figure = draw_grid(pictures(3), captions(3), "epoch 4")
    assert figure.get_suptitle() == "epoch 4"
    assert [axes.get_title() for axes in figure.axes] == captions(3)
    for axes, expected in zip(figure.axes, pictures(3), strict=True):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), expected)


def test_no_picture_at_all_is_an_empty_sheet_with_a_title() -> None:
    assert to_pixels(draw_grid([], [], "nothing was wrong")).min() < 128


def test_pictures_of_different_sizes_share_a_sheet() -> None:
    odd = [np.zeros((h, w, 3), dtype=np.uint8) for h, w in ((8, 64), (64, 8))]
    assert (to_pixels(draw_grid(odd, ["wide", "tall"], "odd")) == 0).all(axis=-1).any()


def test_a_caption_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        draw_grid(pictures(2), ["one"], "faces")
