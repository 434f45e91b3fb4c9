"""Annotations: every tool's XML is read as far as it goes, and no file can do harm."""

import os
import socket
import threading
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.errors import DataError
from emotion.faces import annotations
from emotion.faces.annotations import Annotation, read_annotation, write_annotation
from emotion.faces.boxes import Box
from emotion.faces.problems import KINDS, LONGEST

ORIGINAL = """<annotation>
	<folder>re_img</folder>
	<filename>1.1.jpg</filename>
	<size><width>852</width><height>480</height><depth>3</depth></size>
	<segmented>0</segmented>
	<object>
		<name>sad</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<difficult>0</difficult>
		<bndbox>
			<xmin>280</xmin>
			<ymin>27</ymin>
			<xmax>680</xmax>
			<ymax>394</ymax>
		</bndbox>
	</object>
</annotation>"""
FACE = Box(280, 27, 681, 395)
READ_KINDS = {
    *("xml_unreadable", "xml_too_large", "xml_malformed", "xml_doctype", "xml_wrong_root"),
    *("no_object", "tag_missing", "tag_repeated", "coordinate_invalid", "coordinate_float"),
    *("box_reversed", "box_empty", "size_wrong"),
}
Found = tuple[str, int | None, str | None, int | None]


def read(folder: Path, content: str | bytes, origin: int = 0) -> Annotation:
    path = folder / "a.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_annotation(path, origin)


def changed(old: str, new: str) -> str:
    assert ORIGINAL.count(old) == 1
    return ORIGINAL.replace(old, new)


def found(annotation: Annotation) -> list[Found]:
    """Kind, line, tag and object of each problem; all of them of this file."""
    for problem in annotation.problems:
        assert (problem.path, problem.annotation) == (annotation.path, annotation.path)
    return [(p.kind, p.line, p.tag, p.number) for p in annotation.problems]


def assert_unreadable(annotation: Annotation, kind: str, line: int | None) -> str:
    """Checks that the file gives one problem and nothing else, and gives its message."""
    (problem,) = annotation.problems
    assert annotation == Annotation(annotation.path, readable=False, problems=(problem,))
    assert (problem.kind, problem.line, problem.number) == (kind, line, None)
    assert problem.path == annotation.path
    return problem.message


# What tools write.


def test_a_file_of_the_original(tmp_path: Path) -> None:
    annotation = read(tmp_path, ORIGINAL)
    assert (annotation.path, annotation.readable) == (tmp_path / "a.xml", True)
    assert (annotation.filename, annotation.size) == ("1.1.jpg", (852, 480))
    (face,) = annotation.faces
    assert (face.label, face.difficult, face.line, face.number) == ("sad", False, 6, 1)
    assert (face.box, annotation.problems) == (FACE, ())


def tag(name: str, text: object) -> str:
    return f"<{name}>{text}</{name}>"


def fields(**texts: object) -> str:
    return "".join(tag(name, text) for name, text in texts.items())


SIZE = tag("size", fields(width=640, height=480, depth=3))
FLAGS = fields(pose="Unspecified", truncated=0, difficult=0)
HAND = tag("part", tag("name", "hand") + tag("bndbox", fields(xmin=1, ymin=2, xmax=3, ymax=4)))
DIALECTS = {
    "labelImg": tag("folder", "img")
    + fields(filename="a b.jpg", path="/home/me/img/a b.jpg")
    + tag("source", tag("database", "Unknown"))
    + SIZE
    + tag("segmented", 0)
    + tag(
        "object",
        tag("name", "smile") + FLAGS + tag("bndbox", fields(xmin=100, ymin=50, xmax=199, ymax=249)),
    ),
    "CVAT": fields(folder="", filename="batch 1/a.jpg")
    + tag("source", fields(database="Unknown", annotation="Unknown", image="Unknown"))
    + SIZE
    + tag("segmented", 0)
    + tag(
        "object",
        fields(name="smile", occluded=0, pose="Unspecified", truncated=0, difficult=0)
        + tag("bndbox", fields(xmin=100.21, ymin=49.96, xmax=199.4, ymax="249.00000001"))
        + tag("attributes", tag("attribute", fields(name="rotation", value="0.0"))),
    ),
    "Label Studio": fields(folder="images", filename="5f1a-a")
    + tag("source", fields(database="MyDatabase", annotation="COCO2017", image="flickr"))
    + tag("owner", fields(flickrid="NULL", name="Label Studio"))
    + SIZE
    + tag("segmented", 0)
    + tag(
        "object",
        tag("name", "smile") + FLAGS + tag("bndbox", fields(xmin=100, ymin=50, xmax=199, ymax=249)),
    ),
    "Roboflow": fields(folder="", filename="a_jpg.rf.0b1c.jpg", path="a_jpg.rf.0b1c.jpg")
    + tag("source", tag("database", "roboflow.com"))
    + SIZE
    + tag("segmented", 0)
    + tag(
        "object",
        tag("name", "smile")
        + FLAGS
        + tag("occluded", 0)
        + tag("bndbox", fields(xmin=100, xmax=199, ymin=50, ymax=249)),
    ),
    "VoTT": fields(folder="Annotation", filename="a.jpg")
    + tag("path", "project-PascalVOC-export/Annotations/a.jpg")
    + tag("source", tag("database", "Unknown"))
    + SIZE
    + tag("segmented", 0)
    + tag(
        "object",
        tag("name", "smile")
        + FLAGS
        + tag("bndbox", fields(xmin=99.93612, ymin=50.1, xmax=198.60000000000002, ymax=248.7)),
    ),
    "VOC devkit": fields(folder="VOC2012", filename="2011_000003.jpg")
    + tag("source", fields(database="The VOC2011 Database", annotation="PASCAL VOC2011"))
    + SIZE
    + tag("segmented", 0)
    + tag(
        "object",
        HAND
        + tag("name", "smile")
        + tag("actions", fields(phoning=1, reading=0))
        + tag("bndbox", fields(xmax=200, xmin=101, ymax=250, ymin=51))
        + fields(difficult=0, pose="Frontal")
        + tag("point", fields(x=150, y=150)),
    ),
}
ROOTS = ["", ' xmlns="urn:voc"', ' verified="yes" xmlns="http://example.org/voc" xmlns:x="urn:x"']


@pytest.mark.parametrize("indented", [False, True])
@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("tool", DIALECTS)
def test_what_tools_write_is_read_as_it_is(
    tmp_path: Path, tool: str, root: str, indented: bool
) -> None:
    content = f"<annotation{root}>{DIALECTS[tool]}</annotation>"
    if indented:
        content = content.replace("><", ">\n\t<")
    annotation = read(tmp_path, content, origin=1 if tool == "VOC devkit" else 0)
    assert [(face.label, face.box, face.difficult) for face in annotation.faces] == [
        ("smile", Box(100, 50, 200, 250), False)
    ]
    assert annotation.filename in DIALECTS[tool]
    assert annotation.filename.count("a") or tool == "VOC devkit"
    assert annotation.size == (640, 480)
    floats = tool in ("CVAT", "VoTT")
    assert [problem.kind for problem in annotation.problems] == ["coordinate_float"] * floats
    assert KINDS["coordinate_float"].severity == "warning"


def test_prefixed_names_are_no_hindrance(tmp_path: Path) -> None:
    content = ORIGINAL.replace("</", "</v:").replace("<", "<v:").replace("<v:/v:", "</v:")
    content = content.replace("<v:annotation>", '<v:annotation xmlns:v="urn:voc">', 1)
    assert read(tmp_path, content) == read(tmp_path, ORIGINAL)


def test_faces_come_in_the_order_of_the_file_each_with_its_line_and_number(tmp_path: Path) -> None:
    one = "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"
    objects = "\n\n".join(f"{one.format(n)}</bndbox></object>" for n in ("sad", "smile", "anger"))
    faces = read(tmp_path, f"<annotation>\n{objects}\n</annotation>").faces
    assert [(face.label, face.line, face.number) for face in faces] == [
        ("sad", 2, 1),
        ("smile", 4, 2),
        ("anger", 6, 3),
    ]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", None),
        ("utf-8", "UTF-8"),
        ("utf-8-sig", None),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", None),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("latin-1", "ISO-8859-1"),
        ("euc-kr", "EUC-KR"),
    ],
)
def test_the_declared_encoding_is_followed(
    tmp_path: Path, encoding: str, declared: str | None
) -> None:
    label = "기쁨" if encoding != "latin-1" else "fröhlich"
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    content = declaration + changed("<name>sad", f"<name>{label}")
    annotation = read(tmp_path, content.encode(encoding))
    assert annotation.faces[0].label == label
    assert annotation.problems == ()


@pytest.mark.parametrize(
    ("inner", "label"),
    [
        ("\n\t sad \n", "\n\t sad \n"),  # the label scheme says whether spaces matter
        ("very  sad", "very  sad"),
        ("<![CDATA[sad & <so>]]>", "sad & <so>"),
        ("sad &amp; so&#x21;", "sad & so!"),
        ("sad<!-- and not glad -->ness", "sadness"),
        ("sad<?php echo 1 ?>ness", "sadness"),
    ],
)
def test_a_label_is_the_whole_text_as_it_stands_there(
    tmp_path: Path, inner: str, label: str
) -> None:
    assert read(tmp_path, changed("<name>sad", f"<name>{inner}")).faces[0].label == label


@pytest.mark.parametrize(
    ("text", "difficult"),
    [
        ("1", True),
        (" 1 ", True),
        ("true", True),
        ("True", True),
        ("0", False),
        (" 0\n", False),
        ("false", False),
        ("False", False),
        ("", False),
    ],
)
def test_difficult_is_read_as_tools_write_it(tmp_path: Path, text: str, difficult: bool) -> None:
    content = changed("<difficult>0", f"<difficult>{text}")
    assert read(tmp_path, content).faces[0].difficult is difficult


def test_without_difficult_a_face_is_not(tmp_path: Path) -> None:
    content = changed("<difficult>0</difficult>", "")
    assert read(tmp_path, content).faces[0].difficult is False


def test_without_a_filename_it_is_empty_and_no_problem_of_the_file(tmp_path: Path) -> None:
    annotation = read(tmp_path, changed("<filename>1.1.jpg</filename>", ""))
    assert (annotation.filename, annotation.problems) == ("", ())


@pytest.mark.parametrize(("origin", "box"), [(0, FACE), (1, Box(279, 26, 680, 394))])
def test_the_first_pixel_is_0_or_1(tmp_path: Path, origin: int, box: Box) -> None:
    (face,) = read(tmp_path, ORIGINAL, origin).faces
    assert face.box == box


# What is wrong with a face.


@pytest.mark.parametrize(
    ("text", "left"), [("12", 12), ("12.0", 12), (" 12 ", 12), ("-3", -3), ("1.2e1", 12), ("+7", 7)]
)
def test_a_whole_number_may_be_written_in_any_way(tmp_path: Path, text: str, left: int) -> None:
    annotation = read(tmp_path, changed(">280<", f">{text}<"))
    assert annotation.faces[0].box.left == left
    assert annotation.problems == ()


@pytest.mark.parametrize(("text", "left"), [("279.6", 280), ("280.4", 280), ("-0.7", -1)])
def test_coordinate_float(tmp_path: Path, text: str, left: int) -> None:
    annotation = read(tmp_path, changed(">280<", f">{text}<"))
    assert annotation.faces[0].box == Box(left, 27, 681, 395)
    assert found(annotation) == [("coordinate_float", 11, "bndbox", 1)]
    message = f"<bndbox> is {text}, 27, 680, 394: rounded to pixels"
    assert annotation.problems[0].message == message


@pytest.mark.parametrize(
    "text", ["abc", "nan", "inf", "-inf", "1e300", "1e400", "1e10", "12px", "1,5", "0x10", "9" * 99]
)
def test_coordinate_invalid(tmp_path: Path, text: str) -> None:
    annotation = read(tmp_path, changed(">280<", f">{text}<"))
    assert annotation.faces == ()
    assert found(annotation) == [("coordinate_invalid", 12, "xmin", 1)]
    message = f"<xmin> is {text[:50]!r}, expected a number of pixels"
    assert annotation.problems[0].message == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (">280<", ">690<", "<bndbox> has xmin 690 > xmax 680: swapped"),
        (">27<", ">400<", "<bndbox> has ymin 400 > ymax 394: swapped"),
    ],
)
def test_box_reversed(tmp_path: Path, old: str, new: str, message: str) -> None:
    annotation = read(tmp_path, changed(old, new))
    expected = Box(680, 27, 691, 395) if "x" in message.split()[2] else Box(280, 394, 681, 401)
    assert [face.box for face in annotation.faces] == [expected]
    assert found(annotation) == [("box_reversed", 11, "bndbox", 1)]
    assert annotation.problems[0].message == message


def test_both_corners_may_be_reversed_whatever_the_origin(tmp_path: Path) -> None:
    content = ORIGINAL
    for name in "xy":
        content = content.replace(f"{name}min", "_").replace(f"{name}max", f"{name}min")
        content = content.replace("_", f"{name}max").replace("remaximg", "re_img")
    annotation = read(tmp_path, content, origin=1)
    assert annotation.faces[0].box == Box(279, 26, 680, 394)
    assert found(annotation) == [("box_reversed", 11, "bndbox", 1)] * 2


@pytest.mark.parametrize(
    ("old", "new", "box"),
    [(">280<", ">680<", "680,27,680,394"), (">394<", ">27<", "280,27,680,27")],
)
def test_box_empty(tmp_path: Path, old: str, new: str, box: str) -> None:
    annotation = read(tmp_path, changed(old, new))
    assert annotation.faces == ()
    assert found(annotation) == [("box_empty", 11, "bndbox", 1)]
    assert annotation.problems[0].message == f"<bndbox> {box} has no area"


def test_a_box_may_be_empty_once_it_is_rounded(tmp_path: Path) -> None:
    annotation = read(tmp_path, changed(">280<", ">679.8<"))
    assert annotation.faces == ()
    kinds = [kind for kind, *_ in found(annotation)]
    assert kinds == ["coordinate_float", "box_empty"]


def without(name: str) -> str:
    start, end = ORIGINAL.index(f"<{name}>"), ORIGINAL.index(f"</{name}>") + len(f"</{name}>")
    return ORIGINAL[:start] + ORIGINAL[end:]


@pytest.mark.parametrize(
    ("name", "line", "parent"),
    [("name", 6, "object"), ("xmin", 11, "bndbox"), ("ymax", 11, "bndbox")],
)
def test_tag_missing(tmp_path: Path, name: str, line: int, parent: str) -> None:
    start = ORIGINAL.index(f"<{name}>")
    for nothing in ("", f"<{name}/>", f"<{name}>\n \t</{name}>", f"<{name}><b/></{name}>"):
        annotation = read(tmp_path, without(name)[:start] + nothing + without(name)[start:])
        assert annotation.faces == ()
        assert found(annotation) == [("tag_missing", line, parent, 1)]
        message = f"<{parent}> has no <{name}>, or it is empty"
        assert annotation.problems[0].message == message


def test_a_missing_box_is_one_problem(tmp_path: Path) -> None:
    annotation = read(tmp_path, without("bndbox"))
    assert annotation.faces == ()
    assert found(annotation) == [("tag_missing", 6, "object", 1)]
    assert annotation.problems[0].message == "<object> has no <bndbox>"


@pytest.mark.parametrize(
    ("name", "line", "parent", "number"),
    [
        ("name", 7, "object", 1),
        ("bndbox", 16, "object", 1),
        ("ymin", 13, "bndbox", 1),
        ("filename", 3, "annotation", None),
        ("size", 4, "annotation", None),
    ],
)
def test_tag_repeated(
    tmp_path: Path, name: str, line: int, parent: str, number: int | None
) -> None:
    element = ORIGINAL[ORIGINAL.index(f"<{name}>") : ORIGINAL.index(f"</{name}>")] + f"</{name}>"
    annotation = read(tmp_path, changed(element, element * 2))
    assert found(annotation) == [("tag_repeated", line, name, number)]
    message = f"<{parent}> has 2 <{name}>, expected one"
    assert annotation.problems[0].message == message
    # Which of the two is right is not known.
    assert len(annotation.faces) == (number is None)
    assert annotation.filename == ("" if name == "filename" else "1.1.jpg")
    assert annotation.size == (None if name == "size" else (852, 480))


def test_a_tag_repeated_in_other_namespaces_is_one_problem(tmp_path: Path) -> None:
    names = "".join(f'<name xmlns="urn:{number}">sad</name>' for number in range(3))
    annotation = read(tmp_path, changed("<name>sad</name>", names))
    assert found(annotation) == [("tag_repeated", 7, "name", 1)]


def test_good_faces_are_kept_beside_bad_ones_and_every_problem_is_listed(tmp_path: Path) -> None:
    content = """<annotation>
<size><width>wide</width><height>480</height></size>
<object><name>sad</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>
</object>
<object><name/><bndbox><xmin>x</xmin><ymin>1</ymin><xmax>9</xmax></bndbox></object>
<object><name>smile</name><name>sad</name></object>
<object>
<name>anger</name><bndbox>
<xmin>9.5</xmin><ymin>9</ymin><xmax>1</xmax><ymax>1</ymax></bndbox></object>
</annotation>"""
    annotation = read(tmp_path, content)
    assert [(face.label, face.box, face.line, face.number) for face in annotation.faces] == [
        ("sad", Box(1, 1, 10, 10), 3, 1),
        ("anger", Box(1, 1, 11, 10), 7, 4),
    ]
    assert sorted(found(annotation), key=repr) == sorted(
        [
            ("size_wrong", 2, "size", None),
            ("tag_missing", 5, "object", 2),
            ("coordinate_invalid", 5, "xmin", 2),
            ("tag_missing", 5, "bndbox", 2),
            ("tag_repeated", 6, "name", 3),
            ("tag_missing", 6, "object", 3),
            ("coordinate_float", 8, "bndbox", 4),
            ("box_reversed", 8, "bndbox", 4),
            ("box_reversed", 8, "bndbox", 4),
        ],
        key=repr,
    )


# What is wrong with a file.


@pytest.mark.parametrize("text", ["wide", "nan", "inf", "1e300", "-5", " ", "1,000"])
def test_a_size_that_is_none_is_wrong(tmp_path: Path, text: str) -> None:
    annotation = read(tmp_path, changed("<width>852", f"<width>{text}"))
    assert annotation.size is None
    assert found(annotation) == [("size_wrong", 4, "size", None)]
    assert annotation.problems[0].message == "<size> has no numbers as width and height"
    assert len(annotation.faces) == 1


@pytest.mark.parametrize("old", ["<width>852</width>", "<height>480</height>"])
@pytest.mark.parametrize("new", ["", "<{}>0</{}>", "<{}>0.0</{}>", "<{}/>"])
def test_a_size_that_is_0_or_missing_is_none(tmp_path: Path, old: str, new: str) -> None:
    name = old[1 : old.index(">")]
    annotation = read(tmp_path, changed(old, new.format(name, name)))
    assert (annotation.size, annotation.problems) == (None, ())
    assert read(tmp_path, without("size")).size is None


def test_no_object(tmp_path: Path) -> None:
    content = "<annotation>\n<filename> a b.jpg </filename></annotation>"
    annotation = read(tmp_path, content)
    assert (annotation.readable, annotation.faces) == (True, ())
    assert annotation.filename == " a b.jpg "
    assert found(annotation) == [("no_object", 1, "annotation", None)]


def test_xml_wrong_root(tmp_path: Path) -> None:
    annotation = read(tmp_path, "<?xml version='1.0'?>\n<dataset><images/></dataset>")
    message = assert_unreadable(annotation, "xml_wrong_root", 2)
    assert message == "expected the root <annotation>, got <dataset>"
    assert annotation.problems[0].tag == "dataset"


NO_XML = [b"", b"  \n ", b"hello", b"<annotation>", b"\x89PNG\r\n\x00", b"\0\0\0\0", b"\xff\xfe"]
NO_XML += [b"<annotation/><annotation/>", b"<v:annotation/>", b"<annotation>\x01</annotation>"]
NO_XML += [b'<?xml version="1.0" encoding="no such"?><annotation/>']
NO_XML += ["<annotation>fröhlich</annotation>".encode("latin-1")]


@pytest.mark.parametrize("content", NO_XML)
def test_xml_malformed(tmp_path: Path, content: bytes) -> None:
    line = 2 if b"\n " in content else 1
    message = assert_unreadable(read(tmp_path, content), "xml_malformed", line)
    assert message.startswith("not well-formed XML (")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (changed("sad</name>", "sad</mane>"), 7, "Opening and ending tag mismatch"),
        (changed("<name>sad", "<name>&x;"), 7, "Entity 'x' not defined"),
        ("<annotation>" + "<a>" * 100_000, 1, "depth"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, content: str, line: int, message: str
) -> None:
    assert message in assert_unreadable(read(tmp_path, content), "xml_malformed", line)


def test_xml_unreadable(tmp_path: Path) -> None:
    missing = assert_unreadable(read_annotation(tmp_path / "a.xml"), "xml_unreadable", None)
    assert missing == "cannot be read (No such file or directory)"
    folder = assert_unreadable(read_annotation(tmp_path), "xml_unreadable", None)
    assert folder == "expected a file, got a folder"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xml")
    message = assert_unreadable(read_annotation(tmp_path / "a.xml"), "xml_unreadable", None)
    assert message == "expected a file, got no regular file"


def test_xml_too_large(tmp_path: Path) -> None:
    spaces = " " * (10_000_000 - len(ORIGINAL))
    assert read(tmp_path, ORIGINAL + spaces).faces[0].box == FACE
    message = assert_unreadable(read(tmp_path, ORIGINAL + spaces + " "), "xml_too_large", None)
    assert message == "larger than 10,000,000 bytes, which are the most read"


def test_beyond_the_most_objects_none_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert annotations.MAX_OBJECTS >= 1000  # so many faces are in the largest group photos
    monkeypatch.setattr(annotations, "MAX_OBJECTS", 3)
    element = ORIGINAL[ORIGINAL.index("<object>") : ORIGINAL.index("</annotation>")]
    assert found(read(tmp_path, changed(element, element * 3))) == []
    annotation = read(tmp_path, changed(element, element * 5))
    assert [face.number for face in annotation.faces] == [1, 2, 3]
    line = 6 + 3 * element.count("\n")
    assert found(annotation) == [("xml_too_large", line, "object", None)]
    assert annotation.problems[0].message == "5 objects; at most 3 are read"


@pytest.mark.parametrize(
    "content",
    [
        "<{0}/>",
        "<annotation><{0}></b></annotation>",
        "<annotation><object><name>{0}</name><name>{0}</name></object></annotation>",
        ORIGINAL.replace(">280<", ">{0}<"),
    ],
)
def test_a_name_as_long_as_the_file_gives_a_short_message(tmp_path: Path, content: str) -> None:
    for problem in read(tmp_path, content.format("a" * 40_000)).problems:
        assert len(problem.message) <= LONGEST
        assert len(problem.tag or "") <= 50


# What is hostile.


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE annotation>",
        '<!DOCTYPE annotation SYSTEM "voc.dtd">',
        '<!DOCTYPE annotation SYSTEM "http://localhost:9/voc.dtd">',
        '<!DOCTYPE annotation PUBLIC "-//VOC//EN" "file:///etc/passwd">',
        '<!DOCTYPE annotation [<!ENTITY x "y">]>',
        "<!DOCTYPE annotation [<!ELEMENT annotation ANY>]>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_xml_doctype(tmp_path: Path, doctype: str, encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    content = (declaration + doctype + ORIGINAL).encode(encoding)
    message = assert_unreadable(read(tmp_path, content), "xml_doctype", 1)
    assert message == "has a DOCTYPE; an annotation needs none, and nothing in it was expanded"


def laughs(encoding: str) -> bytes:
    """A billion laughs."""
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10)
    )
    content = f"<!DOCTYPE annotation [{entities}]>" + changed("<name>sad", "<name>&a9;")
    return content.encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_billion_laughs_are_not_expanded(tmp_path: Path, encoding: str) -> None:
    assert_unreadable(read(tmp_path, laughs(encoding)), "xml_doctype", 1)


def test_a_malformed_file_with_a_doctype_is_said_to_have_one(tmp_path: Path) -> None:
    content = ("<!DOCTYPE annotation>" + ORIGINAL).removesuffix("</annotation>")
    for encoding in ("utf-8", "utf-16"):
        assert_unreadable(read(tmp_path, content.encode(encoding)), "xml_doctype", 1)


def external(address: str) -> list[str]:
    """Ways to have a parser fetch something."""
    return [
        f'<!DOCTYPE annotation [<!ENTITY x SYSTEM "{address}">]>'
        + changed("<name>sad", "<name>&x;"),
        f'<!DOCTYPE annotation [<!ENTITY % x SYSTEM "{address}"> %x;]>{ORIGINAL}',
        f'<!DOCTYPE annotation SYSTEM "{address}">{ORIGINAL}',
        changed(
            "<name>sad",
            '<name><i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text"'
            f' href="{address}"/>',
        ),
    ]


def test_a_file_outside_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "canary")  # whoever opens it waits until somebody writes
    contents = [*external((tmp_path / "canary").as_uri()), *external("canary")]
    refused: list[bool] = []

    def read_all() -> None:
        refused.extend(not read(tmp_path, content).faces for content in contents)

    reader = threading.Thread(target=read_all, daemon=True)
    reader.start()
    reader.join(30)
    assert refused == [True] * 8


def test_nothing_is_fetched_from_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        for content in external(f"http://127.0.0.1:{server.getsockname()[1]}/canary"):
            assert read(tmp_path, content).faces == ()
        with pytest.raises(BlockingIOError):
            server.accept()


# A bounded fuzzer: whatever the bytes, reading ends in an annotation that is sound.


def assert_sound(annotation: Annotation) -> None:
    errors = {p.number for p in annotation.problems if KINDS[p.kind].severity == "error"}
    assert annotation.readable or (not annotation.faces and errors == {None})
    numbers = [face.number for face in annotation.faces]
    assert numbers == sorted(set(numbers))
    for face in annotation.faces:
        corners = face.box.to_inclusive()
        assert all(type(value) is int and abs(value) <= 1e9 + 1 for value in corners)
        assert (face.box.width >= 2, face.box.height >= 2) == (True, True)
        assert face.label.strip()
        assert face.line >= 1
        assert face.number not in errors
    for problem in annotation.problems:
        assert problem.kind in READ_KINDS & set(KINDS)
        assert problem.line is None or problem.line >= 1
        assert len(problem.message) <= LONGEST
        assert not [c for c in problem.message if unicodedata.category(c) in ("Cc", "Cf", "Zl")]


SEEDS = [f"<annotation>{content}</annotation>" for content in DIALECTS.values()]
SEEDS += [ORIGINAL, '<?xml version="1.0" encoding="UTF-8"?>\n<!-- one -->\n' + ORIGINAL]
SEED_BYTES = [content.encode() for content in SEEDS]
SEED_BYTES += [ORIGINAL.encode("utf-16"), laughs("utf-8"), laughs("utf-16")]
PLACES = st.integers(0, 5000)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file that was valid, with some bytes changed, cut out, or repeated."""
    content = bytearray(draw(st.sampled_from(SEED_BYTES)))
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(PLACES) % (len(content) + 1), draw(st.integers(1, 60))
        part = content[start : start + length]
        way = draw(st.sampled_from(["change", "cut", "repeat", "insert"]))
        if way == "change":
            content[start : start + 1] = draw(st.binary(min_size=1, max_size=1))
        elif way == "cut":
            del content[start : start + length]
        elif way == "repeat":
            content[start:start] = part * draw(st.integers(1, 9))
        else:
            content[start:start] = draw(st.sampled_from([b"<", b"</", b"&", b"]]>", b"<!DOCTYPE"]))
    return bytes(content)


@settings(max_examples=150)
@given(content=mutated() | st.binary(max_size=300), origin=st.integers(0, 1))
def test_any_bytes_give_an_annotation(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, origin: int
) -> None:
    assert_sound(read(tmp_path_factory.getbasetemp(), content, origin))


# Whatever XML 1.0 can hold, apart from control characters.
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
TEXTS = (
    st.text(LETTERS, max_size=8)
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.integers(-999, 999).map(str)
    | st.sampled_from(["", " ", "nan", "-inf", "1e999", "0x1f", "１２", "1_0", "--1", "1 2"])
)
TAGS = st.sampled_from(["object", "name", "bndbox", "xmin", "ymax", "size", "difficult", "x"])


@st.composite
def elements(draw: st.DrawFn, name: str, inner: tuple[str, ...] = ()) -> str:
    """One element; now and then missing, twice there, or called something else."""
    texts = [draw(elements(other)) for other in inner] if inner else [escape(draw(TEXTS))]
    way = draw(st.integers(0, 9))
    if way == 9:
        name = draw(TAGS)
    return tag(name, "".join(texts)) * {7: 0, 8: 2}.get(way, 1)


CORNERS = ("xmin", "ymin", "xmax", "ymax")


@settings(max_examples=60)
@given(
    objects=st.lists(st.tuples(elements("name"), elements("bndbox", CORNERS)), max_size=2),
    size=elements("size", ("width", "height")),
    origin=st.integers(0, 1),
)
def test_every_object_is_a_face_or_has_an_error(
    tmp_path_factory: pytest.TempPathFactory,
    objects: list[tuple[str, str]],
    size: str,
    origin: int,
) -> None:
    inner = "".join(f"<object>{name}{box}</object>" for name, box in objects)
    content = f"<annotation>{inner}{size}</annotation>"
    annotation = read(tmp_path_factory.getbasetemp(), content, origin)
    assert_sound(annotation)
    faces = {face.number for face in annotation.faces}
    errors = {p.number for p in annotation.problems if KINDS[p.kind].severity == "error"}
    count = len(ET.fromstring(content).findall("object"))
    assert annotation.readable
    assert faces | (errors - {None}) == set(range(1, count + 1))


# Writing.

LABELS = st.text(st.sampled_from("\t\n\r") | LETTERS, min_size=1).filter(str.strip)
COORDINATES = st.integers(-(10**6), 10**6)
BOXES = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    COORDINATES,
    COORDINATES,
    st.integers(2, 10**6),
    st.integers(2, 10**6),
)


@settings(max_examples=60)
@given(faces=st.lists(st.tuples(LABELS, BOXES), min_size=1, max_size=3), filename=LABELS)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, faces: list[tuple[str, Box]], filename: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.xml"
    write_annotation(path, filename, (640, 480), faces)
    annotation = read_annotation(path)
    assert [(face.label, face.box) for face in annotation.faces] == faces
    assert (annotation.filename, annotation.size) == (filename, (640, 480))
    assert not any(face.difficult for face in annotation.faces)
    assert annotation.problems == ()


def test_a_box_of_one_pixel_reads_as_empty(tmp_path: Path) -> None:
    write_annotation(tmp_path / "a.xml", "a.jpg", (9, 9), [("sad", Box(1, 2, 2, 9))])
    assert [kind for kind, *_ in found(read_annotation(tmp_path / "a.xml"))] == ["box_empty"]


def test_the_layout_is_the_originals(tmp_path: Path) -> None:
    write_annotation(tmp_path / "1.1.xml", "1.1.jpg", (852, 480), [("sad", FACE)])
    lines = (tmp_path / "1.1.xml").read_text().split()
    kept = ["<name>sad</name>", "<xmin>280</xmin>", "<ymax>394</ymax>", "<width>852</width>"]
    assert set(kept) <= set(lines)
    first = ["<annotation>", "<folder>img</folder>", "<filename>1.1.jpg</filename>", "<size>"]
    assert lines[:4] == first


@pytest.mark.parametrize(
    ("filename", "label"), [("a\x07.jpg", "sad"), ("a\udc80.jpg", "sad"), ("a.jpg", "s\0ad")]
)
def test_a_name_that_xml_cannot_hold_is_an_error(tmp_path: Path, filename: str, label: str) -> None:
    with pytest.raises(DataError) as caught:
        write_annotation(tmp_path / "a.xml", filename, (9, 9), [(label, FACE)])
    assert str(caught.value) == (
        f"{tmp_path / 'a.xml'}: cannot be written: XML cannot hold a control character or broken"
        f" Unicode, and one stands in the picture's name {filename!r} or in a label; rename it"
    )
    assert list(tmp_path.iterdir()) == []


def read_all(folder: Path) -> list[Annotation]:
    return [read_annotation(path) for path in sorted((folder / "annotations").iterdir())]


def assert_clean(read: Iterable[Annotation]) -> None:
    for annotation in read:
        assert annotation.readable
        assert not [p for p in annotation.problems if KINDS[p.kind].severity == "error"]


@pytest.mark.slow
def test_a_published_part_of_the_original_data_set_is_read(shared: Path) -> None:
    read = read_all(shared / "data/nota24")
    assert_clean(read)
    assert (len(read), sum(len(annotation.faces) for annotation in read)) == (24, 28)
    (first,) = (annotation for annotation in read if annotation.path.name == "1.1.xml")
    assert [face.box.to_inclusive() for face in first.faces] == [(280, 27, 680, 394)]


@pytest.mark.slow
@pytest.mark.parametrize(("part", "count"), [("train", 1688), ("test", 184)])
def test_real_photos_of_one_face_are_read(shared: Path, part: str, count: int) -> None:
    read = read_all(shared / "data/faces5" / part)
    assert_clean(read)
    assert [len(annotation.faces) for annotation in read] == [1] * count
