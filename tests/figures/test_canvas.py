"""From figure to pixels and files, without a display and without pyplot."""

from pathlib import Path

import matplotlib.colors
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from emotion.figures.canvas import COLOURS, DPI, new_figure, save_figure, to_pixels


def test_a_figure_has_the_asked_size_in_pixels_and_starts_blank() -> None:
    pixels = to_pixels(new_figure(3, 2))
    assert pixels.shape == (2 * DPI, 3 * DPI, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == 255).all()


def test_channels_stand_in_the_order_red_green_blue() -> None:
    figure = new_figure(1, 1)
    figure.set_facecolor((1.0, 0.0, 0.2))
    assert to_pixels(figure)[5, 5].tolist() == [255, 0, 51]


def test_pixels_stay_as_they_were_when_the_figure_changes() -> None:
    figure = new_figure(1, 1)
    before = to_pixels(figure)
    figure.set_facecolor("black")
    after = to_pixels(figure)
    assert (before == 255).all()
    assert (after == 0).all()


def test_a_saved_figure_shows_the_same_and_leaves_no_other_file(tmp_path: Path) -> None:
    figure = new_figure(2, 1)
    figure.subplots().plot([1, 3, 2])
    save_figure(figure, tmp_path / "new" / "curve.png")
    with Image.open(tmp_path / "new" / "curve.png") as image:
        assert image.format == "PNG"
        saved = np.asarray(image.convert("RGB")).astype(int)
    drawn = to_pixels(figure)
    assert saved.shape == drawn.shape
    # The layout is settled by drawing, so a second drawing may differ in the smoothing of edges.
    assert abs(saved - drawn).mean() < 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["curve.png"]


def test_pyplot_knows_nothing_of_the_figures() -> None:
    to_pixels(new_figure(1, 1))
    assert plt.get_fignums() == []


def test_no_two_colours_are_alike() -> None:
    colours = [matplotlib.colors.to_rgb(colour) for colour in COLOURS]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ""])
def test_a_figure_is_a_png_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    save_figure(new_figure(1, 1), tmp_path / f"figure{suffix}")
    assert (tmp_path / f"figure{suffix}").read_bytes().startswith(b"\x89PNG")
