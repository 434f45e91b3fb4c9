"""From a matplotlib figure to a file or to pixels, without a display and without global state."""

import io
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from emotion.files import write_bytes

DPI = 120
# Okabe and Ito's palette, which colour-blind people can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


def new_figure(width: float, height: float) -> Figure:
    """Makes an empty figure of a size in inches."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def plain(text: str) -> str:
    """Gives a text in which matplotlib sees no formula, whatever a class is called."""
    return text.replace("$", r"\$")


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a PNG."""
    write_bytes(path, to_png(figure))


def short(text: str, limit: int = 24) -> str:
    """Gives a name that leaves room for the picture, see `plain`; a long one loses its end."""
    return plain(text if len(text) <= limit else f"{text[: limit - 1]}…")


def to_png(figure: Figure) -> bytes:
    """Draws a figure as a PNG file; the same figure gives the same bytes.

    Not by `savefig`, which draws everything twice where the layout is constrained.
    """
    stream = io.BytesIO()
    Image.fromarray(to_pixels(figure)).save(stream, "PNG", dpi=(DPI, DPI))
    return stream.getvalue()


def to_pixels(figure: Figure) -> NDArray[np.uint8]:
    """Draws a figure: H x W x 3, uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
