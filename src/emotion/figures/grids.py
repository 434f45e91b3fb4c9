"""Many small pictures with captions on one sheet."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from emotion.figures.canvas import DPI, new_figure, plain

# Pixels: of a cell, of the caption and the picture in it, and of the title above all.
WIDTH, HEIGHT, CAPTION, SIDE, TITLE = 180, 204, 28, 168, 44
LINE = 18  # pixels that each further line of a caption takes
NARROWEST = 3  # cells; the title needs them
LONGEST = 20  # letters of a line that fit above a picture, unless they are wide ones
FONT, SMALLEST, GAP = 9.0, 4.5, 6  # points, and pixels between two captions


def draw_grid(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], title: str, columns: int = 8
) -> Figure:
    """Draws pictures in rows, each in a cell of 180 x 204 pixels; 18 more for each further line.

    The pictures are laid out in one array, since axes for each would take matplotlib seconds.

    Args:
        pictures: each H x W x 3, uint8, RGB; made smaller or larger until they fit 168 x 168.
        captions: one for each, stands above it; each of its lines is cut off after 20 letters.
        title: stands above all.
        columns: pictures in a row.
    """
    columns = min(columns, max(len(pictures), 1))
    rows = max(-(-len(pictures) // columns), 1)
    more = LINE * max((caption.count("\n") for caption in captions), default=0)
    width, height = max(columns, NARROWEST) * WIDTH, TITLE + rows * (HEIGHT + more)
    sheet = np.full((height, width, 3), 255, np.uint8)
    figure = new_figure(width / DPI, height / DPI)
    figure.set_layout_engine("none")  # places are exact
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = number % columns * WIDTH, TITLE + number // columns * (HEIGHT + more)
        below = top + CAPTION + more
        _paste(sheet[below : below + SIDE, left : left + WIDTH], picture)
        x, y = (left + WIDTH / 2) / width, 1 - (below - 7) / height
        text = figure.text(x, y, _short(caption), fontsize=FONT, ha="center", va="baseline")
        _fit(text, renderer)
    figure.figimage(sheet)
    figure.suptitle(plain(title), fontsize=10, y=1 - TITLE / 2 / height, va="center")
    return figure


def _paste(cell: NDArray[np.uint8], picture: NDArray[np.uint8]) -> None:
    """Puts a picture into the middle of a part of the sheet, as large as fits its height."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    # Enlarged pixels stay squares: what is seen is what a network sees.
    way = Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST
    fitted = np.asarray(Image.fromarray(picture).resize(size, way))
    left, top = (cell.shape[1] - size[0]) // 2, (cell.shape[0] - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = fitted


def _fit(text: Text, renderer: RendererAgg) -> None:
    """Makes a caption of wide letters smaller until it fits its cell."""
    size = FONT
    # In steps, since the width of small letters is a whole number of pixels each.
    while text.get_window_extent(renderer).width > WIDTH - GAP and size > SMALLEST:
        size -= 0.5
        text.set_fontsize(size)


def _short(caption: str) -> str:
    lines = caption.split("\n")
    return plain("\n".join(x if len(x) <= LONGEST else f"{x[: LONGEST - 1]}…" for x in lines))
