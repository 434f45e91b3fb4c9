"""Where the texts on a picture go: beside their faces, over as little of others as can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from emotion.faces.boxes import Box

Size = tuple[int, int]  # width, height in pixels

STAY = 0.05  # a panel moves to another side only where that covers less by so much


@dataclass
class Layout:
    """Remembers the last frame of a video, so that panels do not jump from side to side.

    Attributes:
        places: number of a face -> the place that its text had, as it counts in `_places`.
        detail: how much was shown, as `emotion.inference.drawn.drawing` counts it; None at first.
    """

    places: dict[int, int] = field(default_factory=dict)
    detail: int | None = None


@dataclass(frozen=True)
class Arrangement:
    """Places for the texts of all faces.

    Attributes:
        texts: where they go, inside the picture.
        places: the number of each place.
        worst: the largest share of a face, or of another text, that is covered.
    """

    texts: list[Box]
    places: list[int]
    worst: float


def arrange(
    boxes: Sequence[Box],
    sizes: Sequence[Size],
    picture: Size,
    last: Sequence[int | None],
    flat: bool = False,
) -> Arrangement:
    """Finds a place for the text of each face.

    Args:
        boxes: of the faces.
        sizes: of their texts, not larger than the picture.
        picture: its size.
        last: the number of the place in the last frame, or None.
        flat: texts of one line, which stand above or below rather than beside.
    """
    found = Arrangement([], [], 0.0)
    for box, size, before in zip(boxes, sizes, last, strict=True):
        places = [_moved_inside(*corner, size, picture) for corner in _places(box, size, flat)]
        covers = [_covered(place, boxes, found.texts) for place in places]
        costs = [sum(cover) - STAY * (n == before) for n, cover in enumerate(covers)]
        best = costs.index(min(costs))
        found.texts.append(places[best])
        found.places.append(best)
        found = Arrangement(found.texts, found.places, max(found.worst, *covers[best], 0.0))
    return found


def text_height(boxes: Sequence[Box], largest: int, smallest: int) -> int:
    """Gives the height of a line that suits the faces.

    Args:
        boxes: of the faces, one or more.
        largest: pixels, for faces that are large.
        smallest: pixels, for faces that are small.
    """
    return max(min(round(median(box.width for box in boxes) / 5), largest), smallest)


def _places(box: Box, size: Size, flat: bool) -> Iterator[tuple[int, int]]:
    """Gives the left upper corners that a text may have, the best first."""
    width, height = size
    gap = 1 if flat else max(height // 24, 2)
    right, left = box.right + gap, box.left - gap - width
    above, below = box.top - gap - height, box.bottom + gap
    lower, flush = box.bottom - height, box.right - width
    sides = [(right, box.top), (left, box.top), (right, lower), (left, lower)]
    ends = [(box.left, below), (box.left, above), (flush, below), (flush, above)]
    inside = [(box.left, lower), (box.left, box.top)]
    yield from [*ends, *inside, *sides] if flat else [*sides, *ends, *inside]


def _moved_inside(left: int, top: int, size: Size, picture: Size) -> Box:
    left = max(min(left, picture[0] - size[0]), 0)
    top = max(min(top, picture[1] - size[1]), 0)
    return Box(left, top, left + size[0], top + size[1])


def _covered(place: Box, boxes: Sequence[Box], texts: Sequence[Box]) -> list[float]:
    """Gives the shares of faces, and of texts that are there already, beneath a place."""
    return [
        common.area / other.area
        for other in (*boxes, *texts)
        if (common := place.common_with(other)) is not None
    ]
