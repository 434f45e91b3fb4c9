"""Annotations: every tool's XML is read, and no file can do harm."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.errors import AnnotationError
from emotion.faces.annotations import Annotation, read_annotation, write_annotation
from emotion.faces.boxes import Box

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


def read(folder: Path, content: str | bytes) -> Annotation:
    path = folder / "a.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_annotation(path)


def assert_refused(folder: Path, content: str | bytes, message: str) -> None:
    """Checks the message after the path, the line with its colon first."""
    with pytest.raises(AnnotationError) as caught:
        read(folder, content)
    assert str(caught.value) == f"{folder / 'a.xml'}:{message}"


def changed(old: str, new: str) -> str:
    assert ORIGINAL.count(old) == 1
    return ORIGINAL.replace(old, new)


def test_a_file_of_the_original(tmp_path: Path) -> None:
    annotation = read(tmp_path, ORIGINAL)
    assert annotation.path == tmp_path / "a.xml"
    assert annotation.filename == "1.1.jpg"
    (face,) = annotation.faces
    assert (face.label, face.difficult, face.line) == ("sad", False, 6)
    assert face.box == Box(280, 27, 681, 395)


def test_faces_come_in_the_order_of_the_file_each_with_its_line(tmp_path: Path) -> None:
    one = "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"
    objects = "\n\n".join(f"{one.format(n)}</bndbox></object>" for n in ("sad", "smile", "anger"))
    faces = read(tmp_path, f"<annotation>\n{objects}\n</annotation>").faces
    assert [(face.label, face.line) for face in faces] == [("sad", 2), ("smile", 4), ("anger", 6)]


def test_a_photo_without_faces_is_an_annotation(tmp_path: Path) -> None:
    assert read(tmp_path, "<annotation><filename> a b.jpg </filename></annotation>") == Annotation(
        tmp_path / "a.xml", "a b.jpg", ()
    )


def test_without_a_filename_it_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, changed("<filename>1.1.jpg</filename>", "")).filename == ""


def test_fields_are_read_by_name_in_any_order(tmp_path: Path) -> None:
    content = """<annotation><object><bndbox>
        <ymax>394</ymax><xmax>680</xmax><ymin>27</ymin><xmin>280</xmin>
        </bndbox><difficult>0</difficult><name>sad</name></object>
        <filename>1.1.jpg</filename></annotation>"""
    annotation = read(tmp_path, content)
    assert annotation.filename == "1.1.jpg"
    assert annotation.faces[0].label == "sad"
    assert annotation.faces[0].box == Box(280, 27, 681, 395)


@pytest.mark.parametrize(
    "root",
    [
        '<annotation xmlns="urn:voc">',
        '<annotation xmlns="http://example.org/voc" verified="yes">',
        '<annotation xmlns:x="urn:other">',
    ],
)
def test_namespaces_are_no_hindrance(tmp_path: Path, root: str) -> None:
    expected = read(tmp_path, ORIGINAL)
    assert read(tmp_path, changed("<annotation>", root)) == expected


def test_prefixed_names_are_no_hindrance(tmp_path: Path) -> None:
    content = ORIGINAL.replace("</", "</v:").replace("<", "<v:").replace("<v:/v:", "</v:")
    content = content.replace("<v:annotation>", '<v:annotation xmlns:v="urn:voc">', 1)
    assert read(tmp_path, content) == read(tmp_path, ORIGINAL)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8-sig", None),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
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
    assert read(tmp_path, content.encode(encoding)).faces[0].label == label


def test_bytes_that_are_not_of_the_encoding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"a\.xml:7: not well-formed XML \(.*ncoding"):
        read(tmp_path, changed("<name>sad", "<name>fröhlich").encode("latin-1"))


@pytest.mark.parametrize(
    ("inner", "label"),
    [
        ("\n\t sad \n", "sad"),
        ("very  sad", "very  sad"),
        ("<![CDATA[sad & <so>]]>", "sad & <so>"),
        ("sad &amp; so&#x21;", "sad & so!"),
        ("sad<!-- and not glad -->ness", "sadness"),
        ("sad<?php echo 1 ?>ness", "sadness"),
    ],
)
def test_a_label_is_the_whole_text(tmp_path: Path, inner: str, label: str) -> None:
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


@pytest.mark.parametrize(
    ("text", "left"),
    [("12", 12), ("12.0", 12), ("12.6", 13), (" 12 ", 12), ("-3", -3), ("1.2e1", 12), ("+7", 7)],
)
def test_coordinates_may_be_written_as_floats(tmp_path: Path, text: str, left: int) -> None:
    assert read(tmp_path, changed(">280<", f">{text}<")).faces[0].box.left == left


@pytest.mark.parametrize("text", ["abc", "nan", "inf", "-inf", "1e400", "1e10", "12px", "1,5"])
def test_what_is_no_number_of_pixels_is_named(tmp_path: Path, text: str) -> None:
    content = changed(">280<", f">{text}<")
    assert_refused(tmp_path, content, f"11: <xmin> is '{text}', expected a number of pixels")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (">280<", ">681<", "<bndbox> has xmin 681 > xmax 680"),
        (">27<", ">395<", "<bndbox> has ymin 395 > ymax 394"),
    ],
)
def test_reversed_corners_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    way_out = "swap them if the corners are reversed"
    assert_refused(tmp_path, changed(old, new), f"11: {message}; {way_out}")


def test_equal_corners_are_one_pixel(tmp_path: Path) -> None:
    box = read(tmp_path, changed(">280<", ">680<")).faces[0].box
    assert (box.left, box.width) == (680, 1)


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("<name>sad</name>", "6: <object> has no <name>, or it is empty"),
        ("<xmin>280</xmin>", "11: <bndbox> has no <xmin>, or it is empty"),
        ("<ymax>394</ymax>", "11: <bndbox> has no <ymax>, or it is empty"),
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_a_missing_or_empty_field_is_named(
    tmp_path: Path, old: str, message: str, empty: bool
) -> None:
    tag = old[1 : old.index(">")]
    assert_refused(tmp_path, changed(old, f"<{tag}> \n</{tag}>" if empty else ""), message)


def test_a_missing_box_is_named(tmp_path: Path) -> None:
    start, end = ORIGINAL.index("<bndbox>"), ORIGINAL.index("</bndbox>") + len("</bndbox>")
    content = ORIGINAL[:start] + ORIGINAL[end:]
    assert_refused(tmp_path, content, "6: <object> has no <bndbox>")


def test_another_root_is_named(tmp_path: Path) -> None:
    content = "<?xml version='1.0'?>\n<dataset><images/></dataset>"
    assert_refused(tmp_path, content, "2: expected the root <annotation>, got <dataset>")


@pytest.mark.parametrize("content", [b"", b"  \n ", b"hello", b"<annotation>", b"\x89PNG\r\n\x00"])
def test_what_is_no_xml_is_named_with_its_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(AnnotationError, match=r"a\.xml:[12]: not well-formed XML \(.+\)$"):
        read(tmp_path, content)


def test_a_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"a\.xml:7: not well-formed XML \(Opening and end"):
        read(tmp_path, changed("<name>sad</name>", "<name>sad</mane>"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError) as caught:
        read_annotation(tmp_path / "a.xml")
    expected = f"{tmp_path / 'a.xml'}: cannot be read (No such file or directory)"
    assert str(caught.value) == expected


def test_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"cannot be read \(Is a directory\)"):
        read_annotation(tmp_path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    content = ORIGINAL.encode() + b" " * 11_000_000
    size = f"{len(content):,}"
    assert_refused(tmp_path, content, f" {size} bytes; at most 10,000,000 are read")


NO_DOCTYPE = "1: has a DOCTYPE; an annotation needs none, remove it"


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
def test_a_doctype_is_refused(tmp_path: Path, doctype: str) -> None:
    assert_refused(tmp_path, doctype + ORIGINAL, NO_DOCTYPE)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "secret.txt"])
def test_an_external_entity_is_never_read(tmp_path: Path, address: str) -> None:
    (tmp_path / "secret.txt").write_text("root:secret")
    doctype = f'<!DOCTYPE annotation [<!ENTITY x SYSTEM "{address}">]>'
    content = doctype + changed("<name>sad", "<name>&x;")
    assert_refused(tmp_path, content, NO_DOCTYPE)


def test_a_billion_laughs_are_not_expanded(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10)
    )
    content = f"<!DOCTYPE annotation [{entities}]>" + changed("<name>sad", "<name>&a9;")
    with pytest.raises(AnnotationError, match=r"a\.xml:\d+: (not well-formed XML|has a DOCTYPE)"):
        read(tmp_path, content)


def test_an_undefined_entity_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"a\.xml:7: .*Entity 'x' not defined"):
        read(tmp_path, changed("<name>sad", "<name>&x;"))


def test_very_deep_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="not well-formed XML"):
        read(tmp_path, "<annotation>" + "<a>" * 100_000)


# Whatever XML 1.0 can hold, apart from control characters.
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
LABELS = st.text(LETTERS, min_size=1).map(str.strip).filter(bool)
COORDINATES = st.integers(-(10**6), 10**6)
BOXES = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    COORDINATES,
    COORDINATES,
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)


@settings(max_examples=150)
@given(faces=st.lists(st.tuples(LABELS, BOXES), max_size=5), filename=LABELS)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, faces: list[tuple[str, Box]], filename: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.xml"
    write_annotation(path, filename, (640, 480), faces)
    annotation = read_annotation(path)
    assert [(face.label, face.box) for face in annotation.faces] == faces
    assert annotation.filename == filename
    assert not any(face.difficult for face in annotation.faces)


def test_the_layout_is_the_originals(tmp_path: Path) -> None:
    write_annotation(tmp_path / "1.1.xml", "1.1.jpg", (852, 480), [("sad", Box(280, 27, 681, 395))])
    lines = (tmp_path / "1.1.xml").read_text().split()
    kept = ["<name>sad</name>", "<xmin>280</xmin>", "<ymax>394</ymax>", "<width>852</width>"]
    assert set(kept) <= set(lines)
    first = ["<annotation>", "<folder>img</folder>", "<filename>1.1.jpg</filename>", "<size>"]
    assert lines[:4] == first
