"""Edited annotations: what is named is changed, everything else stays as it was written."""

import xml.etree.ElementTree as ET
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.errors import DataError
from emotion.faces.annotations import AnnotatedFace, read_annotation
from emotion.faces.boxes import Box
from emotion.faces.voc import Edit, edit_annotation

OBJECT = """
	<object><!-- drawn twice -->
		<pose>Frontal</pose><name>{label}</name>
		<part><name>hand</name><bndbox><xmin>5</xmin><ymax>7</ymax></bndbox></part>
		<bndbox note="x">
			<ymax>{ymax}</ymax><xmax>{xmax}</xmax><ymin>{ymin}</ymin><xmin>{xmin}</xmin>
		</bndbox><?tool was here?>
		<attributes><attribute><name>rotation</name><value>0.0</value></attribute></attributes>
	</object>
"""
FILE = """<annotation{root}>
	<!-- by me & "you" -->
	<source><filename>not this one.jpg</filename></source>
	<size unit="px"><depth>3</depth><height>{height}</height><width>{width}</width></size>
	{objects}
	<filename>{filename}</filename><path>C:\\faces\\a.jpg</path>
	<segmented>0</segmented>
</annotation>"""
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(str.strip)
SIDES = st.integers(1, 5000)
BOXES = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.integers(-99, 5000),
    st.integers(-99, 5000),
    st.integers(2, 5000),
    st.integers(2, 5000),
)
FACES = st.lists(st.tuples(NAMES, BOXES), min_size=1, max_size=3)


def face(label: str, box: Box) -> AnnotatedFace:
    return AnnotatedFace(label, box, False, 1)


def written(
    filename: str,
    size: tuple[int, int],
    faces: list[tuple[str, Box]],
    root: str = "",
    origin: int = 0,
) -> str:
    objects = ""
    for label, box in faces:
        xmin, ymin, xmax, ymax = (value + origin for value in box.to_inclusive())
        corners = {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}
        objects += OBJECT.format(label=escape(label), **corners)
    width, height = size
    return FILE.format(
        root=root, filename=escape(filename), width=width, height=height, objects=objects
    )


def canonical(content: str | bytes) -> str:
    """The document with its comments, however it is encoded and declared; not by lxml."""
    return ET.canonicalize(content, with_comments=True)


@settings(max_examples=50)
@given(
    names=st.tuples(NAMES, NAMES | st.none()),
    sizes=st.tuples(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES) | st.none()),
    faces=FACES,
    edits=st.dictionaries(st.integers(1, 3), st.tuples(NAMES, BOXES), max_size=3),
    root=st.sampled_from(["", ' xmlns="urn:voc"', ' verified="yes"']),
    origin=st.integers(0, 1),
)
def test_an_edit_changes_what_it_names_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
    names: tuple[str, str | None],
    sizes: tuple[tuple[int, int], tuple[int, int] | None],
    faces: list[tuple[str, Box]],
    edits: dict[int, tuple[str, Box]],
    root: str,
    origin: int,
) -> None:
    source = tmp_path_factory.getbasetemp() / "source.xml"
    target = tmp_path_factory.getbasetemp() / "target.xml"
    content = written(names[0], sizes[0], faces, root, origin).encode()
    source.write_bytes(content)
    wanted = {number: face(*edit) for number, edit in edits.items()}
    edit_annotation(source, target, Edit(names[1], sizes[1], wanted), origin)
    edited = [edits.get(number, face) for number, face in enumerate(faces, 1)]
    name, size = names[1] or names[0], sizes[1] or sizes[0]
    assert canonical(target.read_bytes()) == canonical(written(name, size, edited, root, origin))
    assert source.read_bytes() == content
    read = read_annotation(target, origin)
    assert (read.filename, read.size, read.problems) == (name, size, ())
    assert [(face.label, face.box) for face in read.faces] == edited


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("latin-1", "ISO-8859-1"),
        ("euc-kr", "EUC-KR"),
    ],
)
def test_the_encoding_stays(tmp_path: Path, encoding: str, declared: str) -> None:
    old = "기쁨" if encoding != "latin-1" else "fröhlich"
    content = written("a.jpg", (9, 9), [(old, Box(1, 2, 3, 4))] * 2)
    declaration = f"<?xml version='1.0' encoding='{declared}'?>\n"
    (tmp_path / "a.xml").write_bytes((declaration + content).encode(encoding))
    edit = Edit(faces={2: face("ärger 😀", Box(1, 2, 3, 4))})
    edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", edit)
    text = (tmp_path / "b.xml").read_bytes().decode(encoding)
    assert text.startswith(declaration)
    expected = written("a.jpg", (9, 9), [(old, Box(1, 2, 3, 4)), ("ärger 😀", Box(1, 2, 3, 4))])
    assert canonical(text.removeprefix(declaration)) == canonical(expected)


def test_a_file_without_a_declaration_stays_readable(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        content = written("a.jpg", (9, 9), [("기쁨", Box(1, 2, 3, 4))])
        (tmp_path / "a.xml").write_bytes(content.encode(encoding))
        edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", Edit("b.jpg"))
        annotation = read_annotation(tmp_path / "b.xml")
        assert annotation.filename == "b.jpg"
        assert [face.label for face in annotation.faces] == ["기쁨"]


def test_what_stands_around_the_root_stays(tmp_path: Path) -> None:
    content = (
        "<?tool x?><!-- before --><annotation><filename>a</filename></annotation><!-- after -->"
    )
    (tmp_path / "a.xml").write_text(content)
    edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", Edit("b"))
    expected = content.replace(">a<", ">b<")
    assert canonical((tmp_path / "b.xml").read_bytes()) == canonical(expected)


@pytest.mark.parametrize("inner", ["s<!-- very -->ad", "sad<?tool x?>", "<![CDATA[sad]]>", ""])
def test_of_an_old_name_nothing_is_left(tmp_path: Path, inner: str) -> None:
    content = written("a.jpg", (9, 9), [("old", Box(1, 2, 3, 4))]).replace(">old<", f">{inner}<")
    (tmp_path / "a.xml").write_text(content)
    edit = Edit(faces={1: face("smile", Box(1, 2, 3, 4))})
    edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", edit)
    assert [face.label for face in read_annotation(tmp_path / "b.xml").faces] == ["smile"]


@pytest.mark.parametrize("root", ["", ' xmlns="urn:voc"'])
def test_what_is_missing_is_added(tmp_path: Path, root: str) -> None:
    content = f"<annotation{root}><size><height>9</height></size><segmented>0</segmented>{{}}"
    (tmp_path / "a.xml").write_text(content.format("</annotation>"))
    edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", Edit("b.jpg", (8, 6)))
    expected = content.format("<filename>b.jpg</filename></annotation>").replace(
        "<height>9</height>", "<height>6</height><width>8</width>"
    )
    assert canonical((tmp_path / "b.xml").read_bytes()) == canonical(expected)


def test_where_no_size_is_stated_none_is_added(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<annotation/>")
    edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", Edit(size=(8, 6)))
    assert canonical((tmp_path / "b.xml").read_bytes()) == "<annotation></annotation>"


def test_an_object_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    content = written("a.jpg", (9, 9), [("old", Box(1, 2, 3, 4))])
    content = content.replace("<object>", "<object><name/></object><object>", 1)
    (tmp_path / "a.xml").write_text(content)
    (old,) = read_annotation(tmp_path / "a.xml").faces
    edit = Edit(faces={old.number: face("new", Box(1, 2, 3, 4))})
    edit_annotation(tmp_path / "a.xml", tmp_path / "b.xml", edit)
    expected = content.replace(">old<", ">new<")
    assert canonical((tmp_path / "b.xml").read_bytes()) == canonical(expected)


def test_a_name_that_xml_cannot_hold_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<annotation/>")
    target = tmp_path / "mended" / "a.xml"
    with pytest.raises(DataError, match=r"mended/a\.xml: cannot be written: .*'a\\x07\.jpg'"):
        edit_annotation(tmp_path / "a.xml", target, Edit("a\x07.jpg"))
    assert not target.exists()
