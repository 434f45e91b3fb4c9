"""Pictures that show what is wrong with a data set: few of them, with the faces' boxes drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from emotion.errors import PictureError
from emotion.faces.images import SUFFIXES, read_image
from emotion.pages.thumbnails import Corners, data_uri, thumbnail

PICTURES = 6  # shown of each kind at most
TOGETHER = 3  # of them side by side, where several are concerned
BOXES = 8  # drawn on one picture at most

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """One picture of a sample.

    Attributes:
        name: its path in the data set.
        uri: `data:` address, or "" where it cannot be shown.
        width: of what is shown, in pixels.
        height: likewise.
        boxes: number of boxes drawn on it.
        notes: what the reader must know to understand it, or why it cannot be shown.
    """

    name: str
    uri: str
    width: int
    height: int
    boxes: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """Pictures that a problem concerns: one, or some of those that belong together.

    Attributes:
        names: of the pictures that are shown.
        boxes: to be drawn on each, with the number of the object.
        problem: the first of those that concern them.
        left: number of further pictures that belong to them.
    """

    names: tuple[str, ...]
    boxes: Mapping[str, tuple[tuple[str, Corners], ...]]
    problem: Json
    left: int


def choose_samples(problems: Iterable[Json]) -> list[Sample]:
    """Chooses pictures for the problems of one kind: at most six, evenly from first to last.

    Problems that concern the same pictures make one sample.

    Args:
        problems: as `check.json` lists them.
    """
    groups: dict[frozenset[str], list[Json]] = {}
    for problem in problems:
        if problem["picture"] is not None:
            groups.setdefault(frozenset(_pictures(problem)), []).append(problem)
    most = max((min(len(names), TOGETHER) for names in groups), default=1)
    return [_sample(group) for group in _spread(list(groups.values()), PICTURES // most)]


def _pictures(problem: Json) -> list[str]:
    others = [name for name in problem["others"] if PurePosixPath(name).suffix.lower() in SUFFIXES]
    return list(dict.fromkeys([problem["picture"], *others]))


def _spread(items: Sequence[T], most: int) -> list[T]:
    if len(items) <= most:
        return list(items)
    return [items[place * (len(items) - 1) // max(most - 1, 1)] for place in range(most)]


def _sample(problems: Sequence[Json]) -> Sample:
    names = _pictures(problems[0])
    boxes = {
        name: tuple(
            dict.fromkeys(  # an object may have several problems, and is drawn once
                (str(problem["object"] or "?"), _corners(problem["box"]))
                for problem in problems
                if problem["picture"] == name and problem["box"] is not None
            )
        )
        for name in names[:TOGETHER]
    }
    return Sample(tuple(names[:TOGETHER]), boxes, problems[0], len(names) - len(boxes))


def _corners(box: Sequence[int]) -> Corners:
    xmin, ymin, xmax, ymax = box
    return xmin, ymin, xmax + 1, ymax + 1


def draw_sample(root: Path, sample: Sample) -> tuple[Picture, ...]:
    """Reads the pictures of a sample and draws the boxes; one that cannot be read says why.

    Args:
        root: folder of the data set; nothing outside it is opened.
        sample: as `choose_samples` gives it.
    """
    return tuple(_picture(root, name, sample.boxes[name]) for name in sample.names)


def _picture(root: Path, name: str, boxes: Sequence[tuple[str, Corners]]) -> Picture:
    try:
        image = read_image(_located(root, name))
    except PictureError as error:
        return Picture(name, "", 0, 0, 0, (error.reason,))
    except OSError as error:  # a name that the file system does not even look up
        return Picture(name, "", 0, 0, 0, (error.strerror or "cannot be opened",))
    small = thumbnail(image, boxes[:BOXES])
    notes = {
        "hatched: outside the picture": small.padded,
        f"a part of {image.shape[1]:,} × {image.shape[0]:,} pixels": small.zoomed,
        "a box lies too far outside to be shown": small.missed,
        f"{len(boxes) - BOXES:,} more boxes are not drawn": len(boxes) > BOXES,
    }
    height, width = small.image.shape[:2]
    told = tuple(note for note, holds in notes.items() if holds)
    return Picture(name, data_uri(small.image), width, height, len(boxes[:BOXES]), told)


def _located(root: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        message = "lies outside the data set and was not opened"
        raise PictureError(Path(name), "path_leaves_folder", message)
    return root / pure
