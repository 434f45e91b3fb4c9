"""Each kind of problem a data set can have, made in a small one, and where it is to be found."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from tests.datasets import (
    SAD,
    SMILE,
    add_photo,
    broken_png,
    change,
    lock,
    noise,
    picture_of,
)

from emotion.data.audit import Audit, Rules
from emotion.faces.annotations import MAX_BYTES, write_annotation
from emotion.faces.boxes import Box
from emotion.faces.labels import LabelScheme


class Found(NamedTuple):
    """A problem, as far as tests compare it; paths are relative to the data set."""

    kind: str
    file: str
    line: int | None = None
    tag: str | None = None
    number: int | None = None
    picture: str | None = None


Make = Callable[[Path, pytest.MonkeyPatch], Sequence[Found]]


def listed(found: Audit) -> list[Found]:
    """Gives the problems of an audit."""

    def relative(path: Path | None) -> str | None:
        return None if path is None else path.relative_to(found.root).as_posix()

    return [
        Found(p.kind, str(relative(p.path)), p.line, p.tag, p.number, relative(p.image))
        for p in found.problems
    ]


def rules(root: Path, kind: str = "") -> Rules:
    """Gives the usual rules; looking for copies takes most of the time, and is left out for a kind
    that is none.
    """
    groups = "groups.csv" if (root / "groups.csv").exists() else None
    copies = not kind or kind.startswith(("identical", "similar", "group"))
    return Rules(LabelScheme(), groups=groups, copies=copies)


def line_of(path: Path, text: str, place: int = 1) -> int:
    """Gives the line of the nth place where a text stands."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line][place - 1]


def xml(
    kind: str, line: int | None = None, tag: str | None = None, number: int | None = None
) -> Found:
    """Gives a problem in the XML file that is called like its kind."""
    return Found(kind, f"train/annotations/{kind}.xml", line, tag, number, f"train/img/{kind}.png")


def picture(kind: str) -> Found:
    """Gives a problem of the picture that is called like its kind."""
    return Found(kind, f"train/img/{kind}.png", picture=f"train/img/{kind}.png")


def rewritten(kind: str, text: str, line: int | None, tag: str | None = None) -> Make:
    """Makes a file of which nothing but the text is there."""

    def make(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
        add_photo(root / "train", kind).write_text(text)
        return [xml(kind, line, tag)]

    return make


def second_face(kind: str, label: str, box: Box, tag: str) -> Make:
    """Makes a photo whose second face is wrong."""

    def make(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
        path = add_photo(root / "train", kind, SMILE, (label, box))
        return [xml(kind, line_of(path, "<object>", 2), tag, 2)]

    return make


def second_text(kind: str, old: str, new: str, tag: str) -> Make:
    """Makes a photo in whose second object a text is wrong."""

    def make(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
        path = add_photo(root / "train", kind, SMILE, SAD)
        change(path, old, new)
        return [xml(kind, line_of(path, f"<{tag}>", 2), tag, 2)]

    return make


def stated(kind: str, filename: str) -> Make:
    def make(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
        add_photo(root / "train", kind, filename=filename)
        return [xml(kind)]

    return make


def content(kind: str, content: bytes) -> Make:
    def make(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
        picture_of(add_photo(root / "train", kind)).write_bytes(content)
        return [picture(kind)]

    return make


def unreadable_xml(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "xml_unreadable")
    path.unlink()
    path.mkdir()  # which nobody can read as a file
    return [xml("xml_unreadable")]


def large_xml(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "xml_too_large")
    path.write_bytes(path.read_bytes().ljust(MAX_BYTES + 1))
    return [xml("xml_too_large")]


def malformed_xml(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "xml_malformed")
    change(path, "</name>", "</mane>")
    return [xml("xml_malformed", line_of(path, "</mane>"))]


def tag_repeated(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "tag_repeated", SMILE, SAD)
    change(path, "<name>sad</name>", "<name>sad</name>\n<name>smile</name>")
    return [xml("tag_repeated", line_of(path, "<name>", 3), "name", 2)]


def box_reversed(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "box_reversed", SMILE, SAD)
    change(path, "<xmin>20<", "<xmin>59.<")
    change(path, "<xmax>59<", "<xmax>20<")
    return [xml("box_reversed", line_of(path, "<bndbox>", 2), "bndbox", 2)]


def boxes_conflict(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "boxes_conflict", SMILE, SAD, ("sad", SMILE[1]))
    lines = [line_of(path, "<object>", number) for number in (1, 3)]
    return [
        xml("boxes_conflict", lines[0], "bndbox", 1),
        xml("boxes_conflict", lines[1], "bndbox", 3),
    ]


def origin_one_based(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "box_outside", ("smile", Box(30, 10, 81, 60)))
    return [
        Found("origin_one_based", "train"),
        xml("box_outside", line_of(path, "<object>"), "bndbox", 1),
    ]


def size_wrong(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    change(add_photo(root / "train", "size_wrong"), "<width>80<", "<width>160<")
    return [xml("size_wrong", tag="size")]


def size_transposed(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = picture_of(add_photo(root / "train", "size_transposed"))
    exif = Image.Exif()
    exif[0x0112] = 6  # held on its side: 60 x 80 once it is upright
    Image.open(path).save(path, format="JPEG", exif=exif)
    return [xml("size_transposed", tag="size")]


def picture_shared(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    first = add_photo(root / "train", "picture_shared")
    second = first.with_name("picture_shared_2.xml")
    write_annotation(second, "picture_shared.png", (80, 60), [SMILE])
    return [xml("picture_shared")._replace(file="train/annotations/picture_shared_2.xml")]


def names_collide(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = add_photo(root / "train", "names_collide", filename="names_collide")
    other = add_photo(root / "train", "other", filename="names_collide.tif")
    picture_of(other).rename(picture_of(path).with_suffix(".tif"))
    return [xml("names_collide")]


def picture_unannotated(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    add_photo(root / "train", "picture_unannotated").unlink()
    return [picture("picture_unannotated")]


def picture_missing(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    picture_of(add_photo(root / "train", "picture_missing")).unlink()
    return [xml("picture_missing")._replace(picture=None)]


def picture_truncated(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    path = picture_of(add_photo(root / "train", "picture_truncated"))
    path.write_bytes(path.read_bytes()[:5000])
    return [picture("picture_truncated")]


def picture_unreadable(root: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[Found]:
    lock(monkeypatch, picture_of(add_photo(root / "train", "picture_unreadable")))
    return [picture("picture_unreadable")]


def copies(kind: str, parts: Sequence[str], labels: Sequence[str], told: Sequence[int]) -> Make:
    """Makes two photos of one picture; of the nth, the problem is told."""

    def make(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
        paths = [
            add_photo(root / part, f"{kind}_{number}", (label, SMILE[1]), seed=kind)
            for number, (part, label) in enumerate(zip(parts, labels, strict=True))
        ]
        if kind.startswith("similar"):
            brighter = noise(kind).clip(0, 250) + np.uint8(5)
            Image.fromarray(brighter).save(picture_of(paths[1]))
        return [
            Found(
                kind,
                paths[number].relative_to(root).as_posix(),
                picture=picture_of(paths[number]).relative_to(root).as_posix(),
            )
            for number in told
        ]

    return make


def group_across_parts(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    add_photo(root / "train", "group_across_parts")
    add_photo(root / "test", "same_person")
    rows = ["filename,person"]
    for path in sorted(root.glob("*/img/*")):
        shared = path.stem in ("group_across_parts", "same_person")
        rows.append(f"{path.relative_to(root).as_posix()},{'Ann' if shared else path}")
    (root / "groups.csv").write_text("\n".join(rows))
    return [xml("group_across_parts")]


def class_too_small(root: Path, _: pytest.MonkeyPatch) -> Sequence[Found]:
    add_photo(root / "train", "class_too_small", ("surprise", SMILE[1]))
    return [Found("class_too_small", "train")]


HERE, ACROSS, SAME, DIFFERENT = (
    ("train", "train"),
    ("train", "test"),
    ("sad", "sad"),
    ("sad", "smile"),
)
WRONG: dict[str, Make] = {
    "xml_unreadable": unreadable_xml,
    "xml_too_large": large_xml,
    "xml_malformed": malformed_xml,
    "xml_doctype": rewritten("xml_doctype", "<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", 1),
    "xml_wrong_root": rewritten("xml_wrong_root", "<?xml version='1.0'?>\n\n<coco/>", 3, "coco"),
    "no_object": rewritten(
        "no_object",
        "\n<annotation><filename>no_object.png</filename></annotation>",
        2,
        "annotation",
    ),
    "tag_missing": second_text("tag_missing", "<ymin>10</ymin>", "", "bndbox"),
    "tag_repeated": tag_repeated,
    "label_unknown": second_face("label_unknown", "joy", SAD[1], "name"),
    "label_spelling": second_face("label_spelling", " Sad", SAD[1], "name"),
    "coordinate_invalid": second_text("coordinate_invalid", ">20<", ">nan<", "xmin"),
    "coordinate_float": second_text("coordinate_float", ">20<", ">20.4<", "bndbox"),
    "box_reversed": box_reversed,
    "box_empty": second_text("box_empty", ">20<", ">59<", "bndbox"),
    "box_negative": second_face("box_negative", "sad", Box(-5, 10, 40, 60), "bndbox"),
    "box_outside": second_face("box_outside", "sad", Box(30, 10, 85, 60), "bndbox"),
    "box_off_picture": second_face("box_off_picture", "sad", Box(80, 10, 120, 60), "bndbox"),
    "box_whole_picture": second_face("box_whole_picture", "sad", Box(0, 0, 79, 60), "bndbox"),
    "box_too_small": second_face("box_too_small", "sad", Box(20, 10, 43, 50), "bndbox"),
    "boxes_conflict": boxes_conflict,
    "boxes_repeated": second_face("boxes_repeated", "smile", Box(10, 8, 51, 48), "bndbox"),
    "origin_one_based": origin_one_based,
    "size_wrong": size_wrong,
    "size_transposed": size_transposed,
    "filename_wrong": stated("filename_wrong", "old_name.jpg"),
    "filename_spelling": stated("filename_spelling", "Filename_Spelling.PNG"),
    "path_leaves_folder": stated("path_leaves_folder", "../path_leaves_folder.png"),
    "picture_shared": picture_shared,
    "names_collide": names_collide,
    "picture_unannotated": picture_unannotated,
    "picture_missing": picture_missing,
    "picture_empty": content("picture_empty", b""),
    "picture_not_a_picture": content("picture_not_a_picture", b"GIF of a cat"),
    "picture_truncated": picture_truncated,
    "picture_broken": content("picture_broken", broken_png()),
    "picture_too_large": content("picture_too_large", b"P6 60000 60000 255\n"),
    "picture_unreadable": picture_unreadable,
    "identical": copies("identical", HERE, SAME, [1]),
    "identical_labels_differ": copies("identical_labels_differ", HERE, DIFFERENT, [0, 1]),
    "identical_across_parts": copies("identical_across_parts", ACROSS, SAME, [0]),
    "similar": copies("similar", HERE, SAME, [1]),
    "similar_labels_differ": copies("similar_labels_differ", HERE, DIFFERENT, [0, 1]),
    "similar_across_parts": copies("similar_across_parts", ACROSS, SAME, [0]),
    "class_too_small": class_too_small,
    "group_across_parts": group_across_parts,  # the last, since it lists all pictures
}
