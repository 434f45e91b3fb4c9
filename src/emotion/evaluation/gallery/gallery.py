"""Good and bad results as pictures: photo, box, truth, answer, probabilities, heat map."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.errors import PictureError
from emotion.evaluation.gallery.choice import Choice, Face
from emotion.evaluation.gallery.pictures import (
    FacePicture,
    heat_over_crop,
    name_within,
    not_shown,
    photo_with_box,
)
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.terminal import tracked
from emotion.threads import map_in_order

BATCH = 8  # crops that are explained together

# Crops, B x size x size x 3, uint8, RGB, and the class to explain for each, B, int64 ->
# heat maps, B x size x size, float32, 0 to 1.
Explain = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True)
class GalleryEntry:
    """One face of the gallery.

    Attributes:
        file: the photo.
        box: first and last pixels: xmin, ymin, xmax, ymax.
        truth: its label; None where nobody annotated it.
        answer: None where the detector missed it.
        probabilities: of all classes, in the order of the labels; empty without an answer.
        score: the detector's, for a false find.
        photo: with the box drawn.
        heat_map: over the crop as the network saw it; None where none was made.
    """

    file: str
    box: tuple[int, int, int, int]
    truth: str | None
    answer: str | None
    probabilities: dict[str, float]
    score: float | None
    photo: FacePicture
    heat_map: FacePicture | None = None

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, without pictures."""
        names = ("file", "truth", "answer", "probabilities", "score")
        return {name: getattr(self, name) for name in names} | {"box": list(self.box)}


@dataclass(frozen=True)
class Shelf:
    """The entries of one kind, and how many faces of the kind there are in all."""

    entries: tuple[GalleryEntry, ...]
    total: int

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, without pictures."""
        return {"total": self.total, "shown": [entry.to_dict() for entry in self.entries]}


@dataclass(frozen=True)
class Gallery:
    """Good and bad results; missed and false faces are None where no detector was run.

    Attributes:
        mistakes: the surest first.
        right: by class.
        missed: the largest first.
        false_finds: those that the detector was surest of first.
        heat_maps: whether answers are explained.
    """

    mistakes: Shelf
    right: Shelf
    missed: Shelf | None
    false_finds: Shelf | None
    heat_maps: bool

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, without pictures."""
        shelves = ("mistakes", "right", "missed", "false_finds")
        given = {name: getattr(self, name) for name in shelves}
        return {name: shelf and shelf.to_dict() for name, shelf in given.items()}


def make_gallery(
    choice: Choice, spec: InputSpec, root: Path, explain: Explain | None = None
) -> Gallery:
    """Opens the photos that are shown and draws them, about 3 MB of page at most.

    Args:
        choice: as `choose` gives it.
        spec: names the classes, and how a face was cut out.
        root: folder that names of photos are relative to.
        explain: makes heat maps of the answers to annotated faces; None for none.
    """
    kinds = (choice.mistakes, choice.right, choice.missed, choice.false_finds)
    faces = [face for kind in kinds if kind is not None for face in kind.faces]
    made = tracked(_entries(faces, spec, root, explain), "drawing the gallery", len(faces))
    entries = iter(list(made))
    mistakes, right, missed, false_finds = (
        None if kind is None else Shelf(tuple(islice(entries, len(kind.faces))), kind.total)
        for kind in kinds
    )
    assert mistakes is not None
    assert right is not None
    return Gallery(mistakes, right, missed, false_finds, explain is not None)


def _entries(
    faces: Sequence[Face], spec: InputSpec, root: Path, explain: Explain | None
) -> Iterator[GalleryEntry]:
    def opened(face: Face) -> tuple[FacePicture, NDArray[np.uint8] | None]:
        try:
            image = read_image(face.image)
        except (PictureError, OSError) as error:
            return not_shown(error), None
        photo = photo_with_box(image, face.box)
        wanted = explain is not None and face.truth is not None and face.answer is not None
        return photo, spec.pixels(image, face.box) if wanted and photo.uri else None

    pictures = zip(faces, map_in_order(opened, faces), strict=True)
    while batch := list(islice(pictures, BATCH)):
        heat_maps = iter(_explained([(face, crop) for face, (_, crop) in batch], explain))
        for face, (photo, _) in batch:
            yield _entry(face, spec.labels, root, photo, next(heat_maps))


def _explained(
    batch: Sequence[tuple[Face, NDArray[np.uint8] | None]], explain: Explain | None
) -> list[FacePicture | None]:
    """Makes the heat map of each face that has a crop."""
    asked = [(face.answer, crop) for face, crop in batch if crop is not None]
    if explain is None or not asked:
        return [None] * len(batch)
    crops = np.stack([crop for _, crop in asked])
    heat_maps = iter(explain(crops, np.array([answer for answer, _ in asked], np.int64)))
    return [None if crop is None else heat_over_crop(crop, next(heat_maps)) for _, crop in batch]


def _entry(
    face: Face,
    labels: Sequence[str],
    root: Path,
    photo: FacePicture,
    heat_map: FacePicture | None,
) -> GalleryEntry:
    row = [] if face.probabilities is None else face.probabilities.tolist()
    return GalleryEntry(
        file=name_within(face.image, root),
        box=face.box.to_inclusive(),
        truth=None if face.truth is None else labels[face.truth],
        answer=None if face.answer is None else labels[face.answer],
        probabilities=dict(zip(labels, row, strict=False)),
        score=face.score,
        photo=photo,
        heat_map=heat_map,
    )
