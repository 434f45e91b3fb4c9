"""Lines and letters, written straight into the pixels of a picture."""

import numpy as np
from numpy.typing import NDArray

from emotion.faces.boxes import Box

Colour = tuple[int, ...]


def draw_frame(
    image: NDArray[np.uint8], box: Box, line: int, colour: Colour, dash: int = 0
) -> None:
    """Draws a frame just inside a box.

    Args:
        image: H x W x 3, uint8, RGB; it is written to.
        box: inside the picture.
        line: width in pixels.
        colour: red, green, blue.
        dash: length of a third of each dash and its gap in pixels; 0 for a whole line.
    """
    inner = image[box.top : box.bottom, box.left : box.right]
    for edge in (inner[:line], inner[-line:]):
        edge[:, _dashes(box.width, dash)] = colour
    for edge in (inner[:, :line], inner[:, -line:]):
        edge[_dashes(box.height, dash)] = colour


def _dashes(length: int, dash: int) -> NDArray[np.bool_]:
    """Says which pixels of an edge are drawn: all, or two dashes of three, from both ends alike."""
    places = np.arange(length)
    places = np.minimum(places, length - 1 - places)
    return np.asarray((places // dash) % 3 < 2 if dash else places >= 0)


def blend_text(ground: NDArray[np.uint8], mask: NDArray[np.uint8], ink: int) -> None:
    """Lays a text on a picture, from its upper left corner on, as far as there is room.

    Args:
        ground: H x W x 3, uint8, RGB; it is written to.
        mask: of the text, as `emotion.inference.drawn.fonts.text_mask` gives it.
        ink: brightness of the text, 0 to 255.
    """
    height, width = min(len(ground), len(mask)), min(ground.shape[1], mask.shape[1])
    part = ground[:height, :width]
    share = mask[:height, :width, None].astype(np.int32)
    part[:] = (part * (255 - share) + ink * share + 127) // 255
