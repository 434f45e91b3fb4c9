"""Pascal VOC XML: reading one file, and writing one.

A file is hostile until read: entities are never expanded, nothing is fetched, a DOCTYPE is refused.
Reading does not stop at a problem: what is wrong is listed beside the faces that could be read.
Fields are found by name, whatever their order and namespace, since labelImg, CVAT, Label Studio,
Roboflow, VoTT and the VOC devkit all write them differently.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from emotion.errors import DataError
from emotion.faces.boxes import Box
from emotion.faces.problems import Problem
from emotion.files import replacing

MAX_BYTES = 10_000_000  # an annotation of a photo has a few kilobytes
MAX_OBJECTS = 2_000  # the largest group photos have a thousand faces
FARTHEST = 1e9  # pixels; no picture is larger, and a box must fit into an integer
NOT_DIFFICULT = ("", "0", "false")
CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class AnnotatedFace:
    """One `<object>` of a file.

    Attributes:
        label: the name as it stands in the file, outer spaces included.
        box: where the face is, corners in order; not yet checked against the picture.
        difficult: whether the annotator marked it so.
        line: line of the `<object>` in the file, from 1.
        number: its place among the objects of the file, from 1.
    """

    label: str
    box: Box
    difficult: bool
    line: int
    number: int = 1


@dataclass(frozen=True)
class Annotation:
    """One XML file.

    Attributes:
        path: the file.
        readable: whether it is an annotation at all.
        filename: the picture that it names, or "".
        size: width and height that it states, in pixels; None where it states none, or 0.
        faces: those that could be read, in the order of the file.
        problems: what is wrong with the file.
    """

    path: Path
    readable: bool
    filename: str = ""
    size: tuple[int, int] | None = None
    faces: tuple[AnnotatedFace, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_annotation(path: Path, origin: int = 0) -> Annotation:
    """Reads one Pascal VOC file, as far as it can be read.

    Args:
        path: the file.
        origin: coordinate of the first pixel: 0, or 1 as in the VOC devkit.
    """
    reader = _Reader(path, origin)
    root = reader.parse()
    if root is None:
        return Annotation(path, readable=False, problems=tuple(reader.problems))
    elements = root.findall("{*}object")
    if len(elements) > MAX_OBJECTS:
        message = f"{len(elements):,} objects; at most {MAX_OBJECTS:,} are read"
        reader.report("xml_too_large", message, elements[MAX_OBJECTS])
        elements = elements[:MAX_OBJECTS]
    faces = [reader.face(element, number) for number, element in enumerate(elements, 1)]
    if not elements:
        reader.report("no_object", "no <object>, so no face to learn from", root)
    return Annotation(
        path,
        True,
        reader.only_text(root, "filename") or "",
        reader.size(root),
        tuple(face for face in faces if face is not None),
        tuple(reader.problems),
    )


def parser(keep_comments: bool = False) -> etree.XMLParser:
    """Makes a parser that expands nothing and fetches nothing."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        # Inside a name, one would cut the name short.
        remove_comments=not keep_comments,
        remove_pis=not keep_comments,
    )


@dataclass
class _Reader:
    """Reads the elements of one file and collects what is wrong with them."""

    path: Path
    origin: int
    problems: list[Problem] = field(default_factory=list)
    number: int | None = None  # of the object that is being read

    def report(self, kind: str, message: str, element: Any = None, line: int | None = None) -> None:
        # A hostile name is as long as the file.
        tag = None if element is None else str(etree.QName(element).localname)[:50]
        line = line if element is None else element.sourceline
        problem = Problem(kind, self.path, message, line, tag, self.path, self.number)
        self.problems.append(problem)

    def parse(self) -> etree._Element | None:
        """Gives the root, or None where this is no annotation."""
        try:
            if self.path.exists() and not self.path.is_file():
                # A pipe would be waited for without end.
                found = "a folder" if self.path.is_dir() else "no regular file"
                self.report("xml_unreadable", f"expected a file, got {found}")
                return None
            with self.path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            self.report("xml_unreadable", f"cannot be read ({error.strerror})")
            return None
        if len(content) > MAX_BYTES:
            self.report(
                "xml_too_large", f"larger than {MAX_BYTES:,} bytes, which are the most read"
            )
            return None
        return self._check_root(self._tree(content))

    def _tree(self, content: bytes) -> etree._Element | None:
        try:
            root = etree.fromstring(content, parser())
        except etree.XMLSyntaxError as error:
            # Entities that refer to one another are a syntax error; UTF-16 has zeros in between.
            if b"<!DOCTYPE" in content.replace(b"\0", b""):
                self._report_doctype()
            else:
                reason = " ".join(str(error.msg).split())  # some end with a line break
                message = f"not well-formed XML ({reason})"
                self.report("xml_malformed", message, line=error.lineno)
            return None
        if root.getroottree().docinfo.internalDTD is not None:
            self._report_doctype()
            return None
        return root

    def _report_doctype(self) -> None:
        message = "has a DOCTYPE; an annotation needs none, and nothing in it was expanded"
        self.report("xml_doctype", message, line=1)

    def _check_root(self, root: etree._Element | None) -> etree._Element | None:
        if root is not None and etree.QName(root).localname != "annotation":
            found = etree.QName(root).localname
            self.report("xml_wrong_root", f"expected the root <annotation>, got <{found}>", root)
            return None
        return root

    def size(self, root: etree._Element) -> tuple[int, int] | None:
        """Gives the width and height that the file states, where both are above 0."""
        element = self.only(root, "size")
        if element is None:
            return None
        try:
            exact = [float(element.findtext("{*}" + name) or 0) for name in ("width", "height")]
        except ValueError:
            exact = [math.nan]
        if not all(0 <= value <= FARTHEST for value in exact):  # not so for NaN
            self.report("size_wrong", "<size> has no numbers as width and height", element)
            return None
        width, height = (round(value) for value in exact)
        return (width, height) if width and height else None

    def face(self, element: etree._Element, number: int) -> AnnotatedFace | None:
        """Gives one face, or None where its label or its box cannot be read."""
        self.number = number
        label, box = self.text(element, "name"), self.box(element)
        difficult = (element.findtext("{*}difficult") or "").strip().lower() not in NOT_DIFFICULT
        self.number = None
        if label is None or box is None:
            return None
        return AnnotatedFace(label, box, difficult, _line(element), number)

    def box(self, element: etree._Element) -> Box | None:
        parent = self.only(element, "bndbox")
        if parent is None:
            if element.find("{*}bndbox") is None:
                self.report("tag_missing", "<object> has no <bndbox>", element)
            return None
        values = [self.coordinate(parent, name) for name in CORNERS]
        exact = [value - self.origin for value in values if value is not None]
        if len(exact) < len(CORNERS):
            return None
        return self._box_of(exact, parent)

    def _box_of(self, exact: Sequence[float], parent: etree._Element) -> Box | None:
        if any(value != int(value) for value in exact):
            listed = ", ".join(f"{value:g}" for value in exact)
            self.report("coordinate_float", f"<bndbox> is {listed}: rounded to pixels", parent)
        x0, y0, x1, y1 = (round(value) for value in exact)
        for low, high, axis in ((x0, x1, "x"), (y0, y1, "y")):
            if low > high:
                message = f"<bndbox> has {axis}min {low} > {axis}max {high}: swapped"
                self.report("box_reversed", message, parent)
        if x0 == x1 or y0 == y1:
            message = f"<bndbox> {x0},{y0},{x1},{y1} has no area"
            self.report("box_empty", message, parent)
            return None
        return Box.from_inclusive(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    def coordinate(self, parent: etree._Element, name: str) -> float | None:
        text = self.text(parent, name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if abs(value) <= FARTHEST:  # not so for NaN
            return value
        message = f"<{name}> is {text[:50]!r}, expected a number of pixels"
        self.report("coordinate_invalid", message, parent.find("{*}" + name))
        return None

    def text(self, parent: etree._Element, name: str) -> str | None:
        """Gives the text of the only child of a name, which must be there."""
        text = self.only_text(parent, name)
        if text is None and len(parent.findall("{*}" + name)) < 2:
            tag = etree.QName(parent).localname
            self.report("tag_missing", f"<{tag}> has no <{name}>, or it is empty", parent)
        return text

    def only_text(self, parent: etree._Element, name: str) -> str | None:
        """Gives the text of the only child of a name; None where there is none, or it is empty."""
        element = self.only(parent, name)
        text = "" if element is None else element.text or ""
        return text if text.strip() else None

    def only(self, parent: etree._Element, name: str) -> etree._Element | None:
        """Gives the only child of a name; None where there is none, or several."""
        found = parent.findall("{*}" + name)
        if len(found) > 1:
            tag = etree.QName(parent).localname
            self.report(
                "tag_repeated", f"<{tag}> has {len(found)} <{name}>, expected one", found[1]
            )
        return found[0] if len(found) == 1 else None


def _line(element: Any) -> int:  # lxml-stubs do not know `sourceline`
    line: int = element.sourceline
    return line


def write_annotation(
    path: Path, filename: str, size: tuple[int, int], faces: Sequence[tuple[str, Box]]
) -> None:
    """Writes a file in the layout of the original's data set.

    Args:
        path: the XML file.
        filename: name of the picture, without a folder.
        size: width and height of the picture in pixels.
        faces: label and box of each.

    Raises:
        DataError: a name holds a character that XML has no way to write.
    """
    try:
        root = _document(filename, size, faces)
    except ValueError as error:
        raise unwritable(path, filename) from error
    with replacing(path) as temporary:
        temporary.write_bytes(etree.tostring(root, encoding="utf-8") + b"\n")


def unwritable(path: Path, filename: str | None) -> DataError:
    """Makes the error for a name that XML cannot hold."""
    return DataError(
        f"{path}: cannot be written: XML cannot hold a control character or broken Unicode, and one"
        f" stands in the picture's name {filename!r} or in a label; rename it"
    )


def _document(
    filename: str, size: tuple[int, int], faces: Sequence[tuple[str, Box]]
) -> etree._Element:
    root = etree.Element("annotation")
    _add(root, "folder", "img")
    _add(root, "filename", filename)
    _add_fields(etree.SubElement(root, "size"), width=size[0], height=size[1], depth=3)
    for label, box in faces:
        element = etree.SubElement(root, "object")
        _add_fields(element, name=label, pose="Unspecified", truncated=0, difficult=0)
        corners = zip(CORNERS, box.to_inclusive(), strict=True)
        _add_fields(etree.SubElement(element, "bndbox"), **dict(corners))
    etree.indent(root, "\t")
    return root


def _add_fields(parent: etree._Element, **fields: str | int) -> None:
    for name, value in fields.items():
        _add(parent, name, str(value))


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
