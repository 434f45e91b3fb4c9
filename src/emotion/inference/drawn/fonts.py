"""Fonts for names on pictures: one that has the letters of a name, or another name for it."""

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emotion.pages.texts import readable

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# What systems call fonts with the scripts that the others lack; Pillow looks in their folders.
SYSTEM_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKkr-Regular.otf",
    "DroidSansFallbackFull.ttf",
    "AppleSDGothicNeo.ttc",
    "malgun.ttf",
    "msyh.ttc",
    "Arial Unicode.ttf",
)
LONGEST = 40  # letters of a name
PROBE = 16  # pixels at which glyphs are compared
MISSING = "\uffff"  # stands for no letter, so every font shows its sign for a missing one


@lru_cache(maxsize=64)
def load_font(size: int, file: str | None = None) -> Font:
    """Loads a font once.

    Args:
        size: height of a line in pixels.
        file: as `font_file` gives it; None for the font that Pillow brings.
    """
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


@lru_cache(maxsize=256)
def shown_name(label: str, number: int) -> str:
    """Gives the name of a class as it can be drawn.

    Args:
        label: the name; one in letters that no font here has becomes "class 3".
        number: of the class, from 0.
    """
    name = readable(label, LONGEST)
    return name if all(_has(font_file(name), sign) for sign in name) else f"class {number}"


@lru_cache(maxsize=256)
def font_file(text: str) -> str | None:
    """Finds the font for a text: Pillow's own, matplotlib's, or one of the system's.

    Returns:
        The file, or None for Pillow's own, also where no font has all letters.
    """
    if all(_has(None, sign) for sign in text):
        return None
    files = (*_bundled(), *SYSTEM_FONTS)
    return next((file for file in files if all(_has(file, sign) for sign in text)), None)


@cache
def _bundled() -> tuple[str, ...]:
    # Its place is looked up without importing it, which would take half a second.
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        return ()
    return (str(Path(package.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"),)


@lru_cache(maxsize=4096)
def _has(file: str | None, sign: str) -> bool:
    if sign.isspace():
        return True
    try:
        font = load_font(PROBE, file)
    except OSError:  # no such font here
        return False
    return bytes(font.getmask(sign)) != bytes(font.getmask(MISSING))


@lru_cache(maxsize=1024)
def text_width(text: str, size: int) -> int:
    """Gives the width of a text in whole pixels."""
    return -int(-load_font(size, font_file(text)).getlength(text) // 1)


@lru_cache(maxsize=1024)
def text_mask(text: str, size: int, trimmed: bool = False) -> NDArray[np.uint8]:
    """Draws a text once, since a video shows the same names in each frame.

    Args:
        text: one line.
        size: pixels of a line.
        trimmed: without the room around the letters.

    Returns:
        H x W, uint8, read-only: how far each pixel has the colour of the text, 255 for wholly.
    """
    sheet = Image.new("L", (max(text_width(text, size), 1), round(1.35 * size)))
    ImageDraw.Draw(sheet).text((0, 0), text, font=load_font(size, font_file(text)), fill=255)
    mask = np.asarray(sheet.crop(sheet.getbbox()) if trimmed else sheet)
    mask.flags.writeable = False
    return mask


@lru_cache(maxsize=1024)
def fitted(text: str, size: int, width: int) -> str:
    """Gives a text that is not wider than some pixels; a long one loses its end.

    Where fewer than three letters of it would be left it is "".
    """
    if text_width(text, size) <= width:
        return text
    for length in range(len(text) - 1, 2, -1):
        shorter = f"{text[:length].rstrip()}…"
        if text_width(shorter, size) <= width:
            return shorter
    return ""
