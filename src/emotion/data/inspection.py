"""What is wrong with one annotated photo: its picture, its labels, its boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emotion.data.pictures import PictureFacts
from emotion.errors import PictureError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.images import stored_size
from emotion.faces.labels import DROPPED, LabelScheme
from emotion.faces.problems import Problem

SAME_FACE = 0.9  # IoU above which two boxes of one photo are one face
SMALLEST = 24  # pixels a side; half of FER2013's 48, from which networks still learn


@dataclass(frozen=True)
class Inspector:
    """Inspects photos.

    Attributes:
        scheme: the labels that are known.
        smallest: shorter side in pixels that a face must have.
    """

    scheme: LabelScheme
    smallest: int = SMALLEST

    def inspect(self, photo: AnnotatedPhoto, facts: PictureFacts) -> Iterator[Problem]:
        """Lists what is wrong with one photo.

        Args:
            photo: with the faces of its XML file.
            facts: what is known of its picture.
        """
        for face in photo.faces:
            yield from self._label(photo, face)
        if facts.kind:
            yield Problem(
                facts.kind,
                photo.image,
                facts.reason,
                annotation=photo.annotation,
                image=photo.image,
            )
            return
        yield from _size(photo, facts)
        for face in photo.faces:
            yield from self._box(photo, face, facts)
        yield from self._same_faces(photo, facts)

    def _label(self, photo: AnnotatedPhoto, face: AnnotatedFace) -> Iterator[Problem]:
        if self.scheme.knows(face.label):
            return
        near = self.scheme.respelt(face.label)
        name = face.label[:80]  # a hostile one fills the screen
        if near is not None:
            yield of_face(photo, face, "label_spelling", f"<name> is {name!r}, not {near!r}")
        else:
            classes = ", ".join(self.scheme.names)
            message = f"unknown label {name!r}; expected {classes}"
            yield of_face(photo, face, "label_unknown", message)

    def _box(
        self, photo: AnnotatedPhoto, face: AnnotatedFace, facts: PictureFacts
    ) -> Iterator[Problem]:
        box, (width, height) = face.box, (facts.width, facts.height)
        corners = ",".join(map(str, box.to_inclusive()))
        inside = box.clipped(width, height)
        if inside is None:
            message = f"the box {corners} lies outside its picture of {width} x {height}"
            yield of_face(photo, face, "box_off_picture", message)
            return
        if box.left < 0 or box.top < 0:
            message = f"the box {corners} begins before its picture"
            yield of_face(photo, face, "box_negative", message)
        if box.right > width or box.bottom > height:
            message = f"the box {corners} ends beyond its picture of {width} x {height}"
            yield of_face(photo, face, "box_outside", message)
        if _covers(inside, width, height):
            message = f"the box {corners} is the whole picture of {width} x {height}"
            yield of_face(photo, face, "box_whole_picture", message)
        if min(inside.width, inside.height) < self.smallest:
            message = (
                f"the face of {inside.width} x {inside.height} pixels is too small;"
                f" expected {self.smallest} or more a side"
            )
            yield of_face(photo, face, "box_too_small", message)

    def _same_faces(self, photo: AnnotatedPhoto, facts: PictureFacts) -> Iterator[Problem]:
        meaning = self.scheme.meaning
        # What is dropped may lie on a face: a box "person" beside that of the emotion.
        used = [face for face in photo.faces if meaning(face.label) != DROPPED]
        boxes = [face.box.clipped(facts.width, facts.height) or face.box for face in used]
        for first, second in ((used[a], used[b]) for a, b in _overlapping(boxes)):
            same = meaning(first.label) == meaning(second.label)
            if same:  # one of them is right
                yield _overlaid(photo, second, "boxes_repeated", first)
            else:
                yield _overlaid(photo, first, "boxes_conflict", second)
                yield _overlaid(photo, second, "boxes_conflict", first)


def of_face(photo: AnnotatedPhoto, face: AnnotatedFace, kind: str, message: str) -> Problem:
    """Makes a problem of one face."""
    tag = "name" if kind.startswith("label") else "bndbox"
    return Problem(
        kind,
        photo.annotation,
        message,
        face.line,
        tag,
        photo.annotation,
        face.number,
        photo.image,
        face.box,
        face.label,
    )


def _covers(box: Box, width: int, height: int) -> bool:
    # Some tools write width and height as the last pixel, some one less.
    return box.width >= width - 1 and box.height >= height - 1


def _size(photo: AnnotatedPhoto, facts: PictureFacts) -> Iterator[Problem]:
    actual = (facts.width, facts.height)
    if photo.size is None or photo.size == actual:
        return
    stated = "{} x {}".format(*photo.size)
    kind = "size_transposed" if _is_turned(photo, actual) else "size_wrong"
    message = f"<size> is {stated}, but the picture is {actual[0]} x {actual[1]}"
    if kind == "size_transposed":
        message += " once EXIF has turned it upright"
    yield Problem(
        kind,
        photo.annotation,
        message,
        tag="size",
        annotation=photo.annotation,
        image=photo.image,
    )


def _is_turned(photo: AnnotatedPhoto, actual: tuple[int, int]) -> bool:
    if photo.size != actual[::-1]:
        return False
    try:
        return stored_size(photo.image) == photo.size
    except PictureError:
        return False


def _overlaid(
    photo: AnnotatedPhoto, face: AnnotatedFace, kind: str, other: AnnotatedFace
) -> Problem:
    message = f"the box of {face.label[:80]!r} is nearly that of {other.label[:80]!r}"
    return of_face(photo, face, kind, f"{message} in line {other.line}")


def _overlapping(boxes: Sequence[Box]) -> Iterator[tuple[int, int]]:
    """Gives the index of each box behind that of the first earlier one that is nearly the same."""
    if len(boxes) < 2:
        return
    corners = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], float)
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    for number, (box, area) in enumerate(zip(corners, areas, strict=True)):
        earlier = corners[:number]
        sides = np.minimum(earlier[:, 2:], box[2:]) - np.maximum(earlier[:, :2], box[:2])
        common = sides.clip(0).prod(axis=1)
        same = np.flatnonzero(common > SAME_FACE * (areas[:number] + area - common))
        if len(same):
            yield int(same[0]), number
