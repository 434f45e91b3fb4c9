"""Pascal VOC XML: reading one file, and writing one.

A file is hostile until read: entities are never expanded, nothing is fetched, a DOCTYPE is refused.
Fields are found by name, since tools order them differently; coordinates may be written as floats.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from emotion.errors import AnnotationError
from emotion.faces.boxes import Box
from emotion.files import replacing

MAX_BYTES = 10_000_000  # an annotation of a photo has a few kilobytes
NOT_DIFFICULT = ("", "0", "false")


@dataclass(frozen=True)
class AnnotatedFace:
    """One `<object>` of a file.

    Attributes:
        label: the name as it stands in the file, outer spaces removed.
        box: where the face is; not yet checked against the picture.
        difficult: whether the annotator marked it so.
        line: line of the `<object>` in the file, from 1.
    """

    label: str
    box: Box
    difficult: bool
    line: int


@dataclass(frozen=True)
class Annotation:
    """One XML file: which picture it speaks of, and the faces in it, in the order of the file."""

    path: Path
    filename: str
    faces: tuple[AnnotatedFace, ...]


def read_annotation(path: Path) -> Annotation:
    """Reads one Pascal VOC file.

    Raises:
        AnnotationError: names the file, the line and what was expected there.
    """
    root = _parse(path)
    if etree.QName(root).localname != "annotation":
        raise AnnotationError(
            f"{path}:{_line(root)}: expected the root <annotation>,"
            f" got <{etree.QName(root).localname}>"
        )
    faces = tuple(_face(path, element) for element in root.iterfind("{*}object"))
    filename = (root.findtext("{*}filename") or "").strip()
    return Annotation(path, filename, faces)


def _parse(path: Path) -> etree._Element:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > MAX_BYTES:
        raise AnnotationError(f"{path}: {len(content):,} bytes; at most {MAX_BYTES:,} are read")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,  # a comment inside a name would cut the name short
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno
        raise AnnotationError(f"{path}:{line}: not well-formed XML ({error.msg})") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise AnnotationError(f"{path}:1: has a DOCTYPE; an annotation needs none, remove it")
    return root


def _face(path: Path, element: etree._Element) -> AnnotatedFace:
    return AnnotatedFace(
        label=_text(path, element, "name"),
        box=_box(path, element),
        difficult=(element.findtext("{*}difficult") or "").strip().lower() not in NOT_DIFFICULT,
        line=_line(element),
    )


def _line(element: Any) -> int:  # lxml-stubs do not know `sourceline`
    line: int = element.sourceline
    return line


def _box(path: Path, element: etree._Element) -> Box:
    parent = element.find("{*}bndbox")
    if parent is None:
        raise AnnotationError(f"{path}:{_line(element)}: <object> has no <bndbox>")
    xmin, ymin, xmax, ymax = (
        _coordinate(path, parent, name) for name in ("xmin", "ymin", "xmax", "ymax")
    )
    for low, high, axis in ((xmin, xmax, "x"), (ymin, ymax, "y")):
        if low > high:
            raise AnnotationError(
                f"{path}:{_line(parent)}: <bndbox> has {axis}min {low} > {axis}max {high};"
                " swap them if the corners are reversed"
            )
    return Box.from_inclusive(xmin, ymin, xmax, ymax)


def _coordinate(path: Path, parent: etree._Element, name: str) -> int:
    text = _text(path, parent, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e9:
        raise AnnotationError(
            f"{path}:{_line(parent)}: <{name}> is {text!r}, expected a number of pixels"
        )
    return round(value)


def _text(path: Path, parent: etree._Element, name: str) -> str:
    tag = etree.QName(parent).localname
    text = parent.findtext("{*}" + name)
    if text is None or not text.strip():
        raise AnnotationError(f"{path}:{_line(parent)}: <{tag}> has no <{name}>, or it is empty")
    return text.strip()


def write_annotation(
    path: Path, filename: str, size: tuple[int, int], faces: Sequence[tuple[str, Box]]
) -> None:
    """Writes a file in the layout of the original's data set.

    Args:
        path: the XML file.
        filename: name of the picture, without a folder.
        size: width and height of the picture in pixels.
        faces: label and box of each.
    """
    root = etree.Element("annotation")
    _add(root, "folder", "img")
    _add(root, "filename", filename)
    _add_fields(etree.SubElement(root, "size"), width=size[0], height=size[1], depth=3)
    for label, box in faces:
        element = etree.SubElement(root, "object")
        _add_fields(element, name=label, pose="Unspecified", truncated=0, difficult=0)
        corners = zip(("xmin", "ymin", "xmax", "ymax"), box.to_inclusive(), strict=True)
        _add_fields(etree.SubElement(element, "bndbox"), **dict(corners))
    etree.indent(root, "\t")
    with replacing(path) as temporary:
        temporary.write_bytes(etree.tostring(root, encoding="utf-8") + b"\n")


def _add_fields(parent: etree._Element, **fields: str | int) -> None:
    for name, value in fields.items():
        _add(parent, name, str(value))


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
