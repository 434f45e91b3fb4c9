"""What is written beside a face, and how much room it takes."""

from functools import lru_cache

from emotion.inference.drawn.fonts import fitted, shown_name, text_width
from emotion.inference.drawn.panels import Size
from emotion.inference.predictions import UNSURE, FacePrediction

SMALLEST, TINY = 11, 10  # pixels of a line; the second in pictures of less than 100 pixels
NAMES_WIDTH = 6.5  # lines, at most, of the column of names in a panel
BARS_WIDTH = 4.6  # lines: a bar of certainty
TITLE_WIDTH = 14.0  # lines, at most


def title_of(face: FacePrediction) -> str:
    """Gives the answer with its percentage: "smile 87%", or "unsure · smile 41%"."""
    share = f"{_name(face)} {face.probabilities[face.emotion]:.0%}"
    return share if face.answer == face.emotion else f"{UNSURE} · {share}"


def label_of(face: FacePrediction, size: int, width: int, short: bool, numbered: bool) -> str:
    """Gives the one line for a face that has no panel.

    Args:
        face: what it speaks of.
        size: pixels of a line.
        width: pixels at most.
        short: leave the percentage out.
        numbered: begin with the number.

    Returns:
        The line, shortened where it has to be; "" where not even a letter fits.
    """
    name = _name(face)
    unsure = face.answer != face.emotion
    lines = [f"{UNSURE} · {name}", f"{name}?"] if unsure else [name]
    if not short:
        lines.insert(0, title_of(face))
    texts = [f"{face.number} {line}" for line in lines] if numbered else []
    for text in [*texts, *lines]:
        if text_width(text, size) <= width:
            return text
    return fitted(lines[-1], size, width)


def panel_size(face: FacePrediction, unit: int, numbered: bool) -> Size:
    """Gives width and height of a face's panel; the same in all frames, whatever the percentages.

    Args:
        face: its classes count, not their probabilities.
        unit: pixels of a line.
        numbered: whether its number stands before the title.
    """
    width = _panel_width(tuple(face.probabilities), unit, face.threshold is not None)
    room = number_width(face.number, unit) if numbered else 0
    return width + room, round((1.6 + 1.15 * len(face.probabilities)) * unit)


@lru_cache(maxsize=64)
def _panel_width(labels: tuple[str, ...], unit: int, may_be_unsure: bool) -> int:
    names = max(text_width(shown_name(label, k), unit) for k, label in enumerate(labels))
    longest = names + text_width(f"{UNSURE} · 88%" if may_be_unsure else " 88%", unit)
    bars = names_width(labels, unit) + round(BARS_WIDTH * unit)
    return max(min(longest, round(TITLE_WIDTH * unit)), bars) + unit


@lru_cache(maxsize=64)
def names_width(labels: tuple[str, ...], unit: int) -> int:
    """Gives the width of the column of names in a panel, with the room before the bars."""
    names = max(text_width(shown_name(label, k), small(unit)) for k, label in enumerate(labels))
    return min(names, round(NAMES_WIDTH * unit)) + unit // 2


def number_width(number: int, unit: int) -> int:
    """Gives the width of the field with a face's number."""
    return max(text_width(str(number), unit) + unit // 2, round(1.2 * unit))


def small(unit: int) -> int:
    """Gives the size of the names beside bars."""
    return max(round(unit * 0.87), TINY)


def _name(face: FacePrediction) -> str:
    return shown_name(face.emotion, list(face.probabilities).index(face.emotion))
