"""Editing a Pascal VOC file: only what is named changes, the rest stays as it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from emotion.faces.annotations import CORNERS, AnnotatedFace, parser, unwritable
from emotion.files import replacing


@dataclass(frozen=True)
class Edit:
    """What is to stand in a file.

    Attributes:
        filename: name of the picture; None to leave it.
        size: width and height of the picture in pixels; None to leave them.
        faces: label and box by the place of their `<object>`, from 1; others are left.
    """

    filename: str | None = None
    size: tuple[int, int] | None = None
    faces: Mapping[int, AnnotatedFace] = field(default_factory=dict)


def edit_annotation(source: Path, target: Path, edit: Edit, origin: int = 0) -> None:
    """Writes a changed copy of a file that `read_annotation` could read.

    Args:
        source: the file; it is not written to.
        target: where the copy goes.
        edit: what changes.
        origin: coordinate of the first pixel in the file, 0 or 1.

    Raises:
        DataError: a name holds a character that XML has no way to write.
    """
    root = etree.fromstring(source.read_bytes(), parser(keep_comments=True))
    try:
        _apply(root, edit, origin)
    except ValueError as error:
        raise unwritable(target, edit.filename) from error
    tree = root.getroottree()
    content = etree.tostring(tree, encoding=tree.docinfo.encoding or "utf-8", xml_declaration=True)
    assert isinstance(content, bytes)  # lxml-stubs: str or bytes
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def _apply(root: etree._Element, edit: Edit, origin: int) -> None:
    if edit.filename is not None:
        _set(root, "filename", edit.filename)
    size = root.find("{*}size")
    if edit.size is not None and size is not None:
        for name, value in zip(("width", "height"), edit.size, strict=True):
            _set(size, name, str(value))
    for number, element in enumerate(root.iterfind("{*}object"), 1):
        if number in edit.faces:
            _set_face(element, edit.faces[number], origin)


def _set_face(element: etree._Element, face: AnnotatedFace, origin: int) -> None:
    _set(element, "name", face.label)
    box = element.find("{*}bndbox")
    assert box is not None  # the face was read from there
    for name, value in zip(CORNERS, face.box.to_inclusive(), strict=True):
        _set(box, name, str(value + origin))


def _set(parent: etree._Element, name: str, text: str) -> None:
    child = parent.find("{*}" + name)
    if child is None:
        namespace = etree.QName(parent).namespace
        child = etree.SubElement(parent, f"{{{namespace}}}{name}" if namespace else name)
    for inner in list(child):  # a comment, with the rest of the old text behind it
        child.remove(inner)
    child.text = text
