"""Writing photos into a data set that emotion reads.

DIR/train, DIR/val and DIR/test, or DIR itself, each with `img/`, `annotations/`, `groups.csv` where
persons are known and `votes.csv` where raters voted.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion.data.importers.names import unique_names
from emotion.data.importers.photos import Refusal, SourceFace, SourcePhoto
from emotion.data.importers.trees import SourceTree, UnusableError
from emotion.errors import PictureError
from emotion.faces.annotations import write_annotation
from emotion.faces.boxes import Box
from emotion.faces.images import SUFFIXES, read_image, write_image
from emotion.files import write_text
from emotion.threads import map_in_order


@dataclass(frozen=True)
class PlannedPhoto:
    """A photo to be written.

    Attributes:
        photo: as the importer gave it.
        name: of its picture in the new data set.
        classes: class of each of its faces, None where the face is dropped.
    """

    photo: SourcePhoto
    name: str
    classes: tuple[str | None, ...]


@dataclass(frozen=True)
class WrittenPhoto:
    """What became of a photo.

    Attributes:
        planned: the photo.
        faces: those that were written; none where the photo could not be used.
        refusals: what could not be used, and why.
    """

    planned: PlannedPhoto
    faces: tuple[SourceFace, ...]
    refusals: tuple[Refusal, ...]


def plan(photos: Iterable[SourcePhoto], becomes: Callable[[str], str | None]) -> list[PlannedPhoto]:
    """Chooses the photos with a face of some class, and their names.

    Args:
        photos: of all parts.
        becomes: gives the class for a label of the source, or None to drop the face.

    Returns:
        The photos, sorted by part and path.
    """
    chosen: dict[str, list[tuple[SourcePhoto, tuple[str | None, ...]]]] = defaultdict(list)
    for photo in sorted(photos, key=lambda photo: (photo.part, photo.path)):
        classes = tuple(becomes(face.label) for face in photo.faces)
        if any(label is not None for label in classes):
            chosen[photo.part].append((photo, classes))
    return [
        PlannedPhoto(photo, name, classes)
        for pairs in chosen.values()
        for (photo, classes), name in zip(
            pairs, unique_names([photo.path for photo, _ in pairs]), strict=True
        )
    ]


def write_photos(
    root: Path, tree: SourceTree, planned: Sequence[PlannedPhoto]
) -> Iterator[WrittenPhoto]:
    """Writes pictures and XML files on all cores, in order.

    Args:
        root: the new data set.
        tree: where the pictures are.
        planned: what `plan` gave.

    Yields:
        What became of each.

    Raises:
        OSError: the disk is full, for example.
    """
    for part in sorted({each.photo.part for each in planned}):
        for folder in ("img", "annotations"):
            (root / part / folder).mkdir(parents=True)
    yield from map_in_order(lambda each: _write(root / each.photo.part, tree, each), planned)


def _write(folder: Path, tree: SourceTree, planned: PlannedPhoto) -> WrittenPhoto:
    photo, picture = planned.photo, folder / "img" / planned.name
    try:
        width, height = _write_picture(picture, tree, photo)
    except UnusableError as error:
        return WrittenPhoto(planned, (), (Refusal(photo.path, str(error)),))
    written: list[tuple[SourceFace, str, Box]] = []
    refusals = []
    for face, label in zip(photo.faces, planned.classes, strict=True):
        if label is None:
            continue
        box = face.box(width, height)
        if isinstance(box, Box):
            written.append((face, label, box))
        else:
            refusals.append(Refusal(photo.path, box))
    if not written:
        picture.unlink()
        return WrittenPhoto(planned, (), tuple(refusals))
    path = folder / "annotations" / f"{picture.stem}.xml"
    faces = [(label, box) for _, label, box in written]
    write_annotation(path, picture.name, (width, height), faces)
    return WrittenPhoto(planned, tuple(face for face, _, _ in written), tuple(refusals))


def _write_picture(path: Path, tree: SourceTree, photo: SourcePhoto) -> tuple[int, int]:
    """Writes the picture as it is in the source, and gives its width and height."""
    if path.suffix.lower() not in SUFFIXES:
        raise UnusableError(
            f"its ending is not that of a picture; expected {', '.join(sorted(SUFFIXES))}"
        )
    try:
        if photo.pixels is not None:
            write_image(path, np.repeat(photo.pixels[..., None], 3, axis=2))
        else:
            with path.open("wb") as stream:
                stream.writelines(tree.chunks(photo.path))
        height, width = read_image(path).shape[:2]
        if photo.size is not None and photo.size != (width, height):
            stated = f"{photo.size[0]} x {photo.size[1]}"
            raise UnusableError(f"the source says {stated} pixels, but it has {width} x {height}")
    except (PictureError, UnusableError) as error:
        path.unlink(missing_ok=True)
        reason = error.reason if isinstance(error, PictureError) else str(error)
        raise UnusableError(reason) from error
    return width, height


def write_lists(root: Path, written: Sequence[WrittenPhoto]) -> None:
    """Writes `groups.csv` (filename, person) and `votes.csv` for each part that has such."""
    used = [each.planned for each in written if each.faces]
    for part in sorted({each.photo.part for each in used}):
        here = [(each.name, each.photo) for each in used if each.photo.part == part]
        persons = [(name, photo.person) for name, photo in here if photo.person is not None]
        votes = [(name, photo.votes) for name, photo in here if photo.votes is not None]
        if persons:
            _write_csv(root / part / "groups.csv", [("filename", "person"), *persons])
        if votes:
            rows = [(name, *counts.values()) for name, counts in votes]
            _write_csv(root / part / "votes.csv", [("filename", *votes[0][1]), *rows])


def _write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    write_text(path, stream.getvalue())
