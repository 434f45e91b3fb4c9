"""What can be wrong with a data set: each kind once, with what it does and the way to mend it.

Reading never stops at a problem: readers collect `Problem`s beside what they could read. Whoever
needs clean data looks at the kinds: an *error* means that the face, the photo or the data set
cannot be trusted as it is; a *warning* means that it can be used as it was read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emotion.faces.boxes import Box

Severity = Literal["error", "warning"]
Scope = Literal["face", "photo", "data"]
LONGEST = 500  # characters of a message; a name in a hostile file is as long as the file


@dataclass(frozen=True)
class Kind:
    """A kind of problem.

    Attributes:
        name: as the config and `check.json` call it.
        severity: "error" where training refuses, "warning" where it goes on and says so.
        scope: what is left out when the kind is dropped: the face or its whole photo; a problem of
            the "data" set as a whole cannot be dropped.
        title: what is wrong, for people.
        remedy: how to mend it.
        mendable: whether it can be mended without guessing.
    """

    name: str
    severity: Severity
    scope: Scope
    title: str
    remedy: str
    mendable: bool = False


@dataclass(frozen=True)
class Problem:
    """One problem of one file.

    Attributes:
        kind: name of a `Kind`.
        path: the file that it stands in: an XML file, a picture, or a folder.
        message: what was expected and what came.
        line: line in the XML file, from 1.
        tag: element of the XML file.
        annotation: XML file of the photo that is concerned, None where the data set is.
        number: place of the `<object>` in that file, from 1; None where the photo is concerned.
        image: the picture, where there is one.
        box: where the face is, as it was read.
        label: what the face is called, as it was read.
        others: other files that take part, such as the picture that this one is a copy of.
    """

    kind: str
    path: Path
    message: str
    line: int | None = None
    tag: str | None = None
    annotation: Path | None = None
    number: int | None = None
    image: Path | None = None
    box: Box | None = None
    label: str | None = None
    others: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if len(self.message) > LONGEST:
            object.__setattr__(self, "message", self.message[: LONGEST - 1] + "…")

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        return f"{self.path}{line}: {self.message}"


_ANNOTATE = "annotate the photo again, or remove the XML file"
_KINDS = (
    # The XML file as a whole.
    Kind("xml_unreadable", "error", "photo", "XML file cannot be read", "check its permissions"),
    Kind("xml_too_large", "error", "photo", "XML file is far too large", _ANNOTATE),
    Kind("xml_malformed", "error", "photo", "XML is malformed", _ANNOTATE),
    Kind("xml_doctype", "error", "photo", "XML has a DOCTYPE or entities", "remove the DOCTYPE"),
    Kind("xml_wrong_root", "error", "photo", "XML is no Pascal VOC annotation", _ANNOTATE),
    Kind("no_object", "warning", "photo", "no face is annotated", "annotate the faces"),
    # Elements.
    Kind("tag_missing", "error", "face", "an element is missing or empty", "add it"),
    Kind("tag_repeated", "error", "face", "an element is there twice", "keep one of them"),
    # Labels.
    Kind(
        "label_unknown",
        "error",
        "face",
        "label is none of the classes",
        "map it: data.label_map={NAME: CLASS}, where null drops such faces",
    ),
    Kind(
        "label_spelling",
        "error",
        "face",
        "label differs from a class in case or spaces only",
        "write it as the class is written",
        mendable=True,
    ),
    # Boxes.
    Kind(
        "coordinate_invalid",
        "error",
        "face",
        "coordinate is not a finite number",
        "draw the box again",
    ),
    Kind(
        "coordinate_float",
        "warning",
        "face",
        "coordinate is not a whole number",
        "none needed: it is rounded to the nearest pixel",
        mendable=True,
    ),
    Kind(
        "box_reversed",
        "warning",
        "face",
        "corners of the box are swapped",
        "none needed: they are put in order",
        mendable=True,
    ),
    Kind("box_empty", "error", "face", "box has no area", "draw the box again"),
    Kind(
        "box_negative",
        "error",
        "face",
        "box begins left of its picture or above it",
        "cut the box off at the border",
        mendable=True,
    ),
    Kind(
        "box_outside",
        "error",
        "face",
        "box ends beyond its picture",
        "cut the box off at the border; or is data.origin=1 right for these files?",
        mendable=True,
    ),
    Kind("box_off_picture", "error", "face", "box lies outside its picture", "draw the box again"),
    Kind(
        "box_whole_picture",
        "warning",
        "face",
        "box is the whole picture",
        "none needed if the pictures are face crops; otherwise draw the box again",
    ),
    Kind(
        "box_too_small",
        "error",
        "face",
        "face is too small to learn from",
        "use a larger original, or drop such faces",
    ),
    Kind(
        "boxes_conflict",
        "error",
        "face",
        "one face has two labels",
        "keep the box with the right label",
    ),
    Kind("boxes_repeated", "warning", "face", "one face is annotated twice", "keep one box"),
    Kind(
        "origin_one_based",
        "warning",
        "data",
        "coordinates seem to count from 1",
        "set data.origin=1 (--origin 1), if the tool that wrote the files counts from 1",
    ),
    # From the XML file to its picture.
    Kind(
        "size_wrong",
        "warning",
        "photo",
        "<size> disagrees with the picture",
        "write the picture's size; was the picture resized after it was annotated?",
        mendable=True,
    ),
    Kind(
        "size_transposed",
        "error",
        "photo",
        "<size> agrees with the picture only before EXIF turns it upright",
        "the boxes were drawn on the picture as it is stored: save the picture upright and annotate"
        " it again",
    ),
    Kind(
        "filename_wrong",
        "warning",
        "photo",
        "<filename> names no picture, but one is called like the XML file",
        "write that picture's name",
        mendable=True,
    ),
    Kind(
        "filename_spelling",
        "warning",
        "photo",
        "<filename> differs from its picture in case or Unicode form",
        "write the picture's name as it is",
        mendable=True,
    ),
    Kind(
        "path_leaves_folder",
        "error",
        "photo",
        "<filename> leads out of the folder",
        "write the name of a picture in the folder; nothing outside it is read",
        mendable=True,
    ),
    Kind("picture_shared", "error", "photo", "two XML files speak of one picture", "merge them"),
    Kind(
        "names_collide",
        "error",
        "photo",
        "names of two pictures differ in case, Unicode form or ending only",
        "rename one of them: other systems take them for one file",
    ),
    Kind(
        "picture_unannotated",
        "error",
        "photo",
        "picture has no XML file",
        "annotate it, or remove it",
    ),
    Kind(
        "picture_missing",
        "error",
        "photo",
        "XML file has no picture",
        "add the picture, or remove the XML file",
    ),
    # The picture itself.
    Kind("picture_empty", "error", "photo", "picture is an empty file", "copy it again"),
    Kind("picture_not_a_picture", "error", "photo", "file is not a picture", "replace it"),
    Kind("picture_truncated", "error", "photo", "picture is cut short", "copy it again"),
    Kind("picture_broken", "error", "photo", "picture cannot be decoded", "replace it"),
    Kind("picture_too_large", "error", "photo", "picture is far too large", "make it smaller"),
    Kind("picture_unreadable", "error", "photo", "file cannot be opened", "check its permissions"),
    # Copies.
    Kind(
        "identical",
        "warning",
        "photo",
        "pictures are identical to the last byte",
        "remove the copies; they are kept on one side of a split",
    ),
    Kind(
        "identical_labels_differ",
        "error",
        "photo",
        "identical pictures have different labels",
        "keep the one with the right label",
    ),
    Kind(
        "identical_across_parts",
        "error",
        "photo",
        "identical pictures stand in two parts",
        "remove them from all parts but one",
    ),
    Kind(
        "similar",
        "warning",
        "photo",
        "pictures are nearly the same",
        "remove the copies; they are kept on one side of a split",
    ),
    Kind(
        "similar_labels_differ",
        "error",
        "photo",
        "nearly the same pictures have different labels",
        "keep the one with the right label",
    ),
    Kind(
        "similar_across_parts",
        "error",
        "photo",
        "nearly the same pictures stand in two parts",
        "remove them from all parts but one",
    ),
    # The data set as a whole.
    Kind(
        "group_across_parts",
        "error",
        "photo",
        "one person stands in two parts",
        "move all photos of that person to one part",
    ),
    Kind(
        "class_too_small",
        "error",
        "data",
        "class has too few photos to split",
        "add photos of it, map it to another class, or drop it",
    ),
)

KINDS = {kind.name: kind for kind in _KINDS}
