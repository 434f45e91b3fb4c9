"""Folders: which picture belongs to which XML file, and what is wrong, all at once."""

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from emotion.errors import DataError
from emotion.faces.folders import locate, read_photos

OBJECT = (
    "<object><name>smile</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
    "<xmax>3</xmax><ymax>3</ymax></bndbox></object>"
)

KOREAN = "웃는 얼굴.jpg"
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")  # Windows and Linux, and macOS


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path, format="PNG")
    return path


def xml(path: Path, filename: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"<annotation><filename>{filename}</filename>{OBJECT}</annotation>"
    path.write_text(text, encoding="utf-8")
    return path


def pairs(folder: Path) -> list[tuple[str, str]]:
    """The pairs that are found, by their paths below the folder."""
    return [
        (p.annotation.relative_to(folder).as_posix(), p.image.relative_to(folder).as_posix())
        for p in read_photos(folder)
    ]


def problem(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_photos(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("pictures", "annotations"),
    [("img", "annotations"), ("images", "annotations"), ("JPEGImages", "Annotations"), (".", ".")],
)
def test_every_layout_is_found(tmp_path: Path, pictures: str, annotations: str) -> None:
    for name in ("b", "a"):
        picture(tmp_path / pictures / f"{name}.jpg")
        xml(tmp_path / annotations / f"{name}.xml", f"{name}.jpg")
    folders = locate(tmp_path)
    assert folders == (tmp_path / pictures, tmp_path / annotations)
    photos = read_photos(tmp_path)
    assert [photo.annotation.name for photo in photos] == ["a.xml", "b.xml"]
    assert [photo.image.name for photo in photos] == ["a.jpg", "b.jpg"]
    assert [face.label for face in photos[0].faces] == ["smile"]


def test_the_sample_data_set_is_read(sample_root: Path) -> None:
    assert len(read_photos(sample_root / "train")) == 16
    assert len(read_photos(sample_root / "test")) == 4


@pytest.mark.parametrize(
    ("filename", "stored", "stem"),
    [
        ("photo", "photo.jpg", "photo"),  # Label Studio leaves the ending out
        ("photo.jpg", "photo.png", "photo"),  # converted later
        ("", "photo.jpg", "photo"),
        ("wrong.jpg", "photo.jpg", "photo"),
        ("sub/photo.jpg", "photo.jpg", "other"),  # CVAT writes a folder
        ("sub/photo.jpg", "sub/photo.jpg", "other"),
        ("C:\\me\\photo.jpg", "photo.jpg", "other"),
        ("/home/me/photo.jpg", "photo.jpg", "other"),
        ("photo.jpg", "photo.JPG", "other"),
        ("PHOTO.JPG", "photo.jpg", "other"),
        ("photo", "photo.JPG", "photo"),
        ("", "photo.jpg", "PHOTO"),
        ("a b, c=d (1).jpg", "a b, c=d (1).jpg", "other"),
        ("1.image.5.jpg", "1.image.5.jpg", "other"),
        ("%2F&amp;#.jpg", "%2F&#.jpg", "other"),
    ],
)
def test_a_picture_is_found_by_its_name_or_by_the_stem(
    tmp_path: Path, filename: str, stored: str, stem: str
) -> None:
    picture(tmp_path / "img" / stored)
    xml(tmp_path / "annotations" / f"{stem}.xml", filename)
    assert pairs(tmp_path) == [(f"annotations/{stem}.xml", f"img/{stored}")]


@pytest.mark.parametrize("stored_as", [unicodedata.normalize(form, KOREAN) for form in FORMS])
@pytest.mark.parametrize("named_as", [unicodedata.normalize(form, KOREAN) for form in FORMS])
def test_korean_names_are_found_in_either_unicode_form(
    tmp_path: Path, stored_as: str, named_as: str
) -> None:
    picture(tmp_path / "img" / stored_as)
    xml(tmp_path / "annotations" / "1.xml", named_as)
    assert pairs(tmp_path) == [("annotations/1.xml", f"img/{stored_as}")]


def test_the_name_goes_before_the_stem(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / "img" / name)
    xml(tmp_path / "annotations" / "a.xml", "b.jpg")
    xml(tmp_path / "annotations" / "b.xml", "a.jpg")
    expected = [("annotations/a.xml", "img/b.jpg"), ("annotations/b.xml", "img/a.jpg")]
    assert pairs(tmp_path) == expected


def test_the_whole_path_goes_before_the_bare_name(tmp_path: Path) -> None:
    for name in ("p.jpg", "sub/p.jpg"):
        picture(tmp_path / "img" / name)
    xml(tmp_path / "annotations" / "1.xml", "sub/p.jpg")
    xml(tmp_path / "annotations" / "2.xml", "p.jpg")
    expected = [("annotations/1.xml", "img/sub/p.jpg"), ("annotations/2.xml", "img/p.jpg")]
    assert pairs(tmp_path) == expected


@pytest.mark.parametrize("way", ["../secret.jpg", "..\\secret.jpg", "../../secret.jpg", "absolute"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, way: str) -> None:
    outside = picture(tmp_path / "set" / "secret.jpg")
    picture(tmp_path / "secret.jpg")
    picture(tmp_path / "set" / "img" / "a.jpg")
    filename = str(outside) if way == "absolute" else way
    path = xml(tmp_path / "set" / "annotations" / "1.xml", filename)
    folder = tmp_path / "set" / "img"
    expected = f"{path}: no picture {filename!r} in {folder}; add it, or remove the XML file"
    assert problem(tmp_path / "set").splitlines()[0] == expected


def test_a_missing_folder_is_named_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    assert problem(folder) == f"{folder}: no such folder with img/ and annotations/ in it"


def test_an_empty_folder_is_told_what_was_expected(tmp_path: Path) -> None:
    assert problem(tmp_path) == (
        f"{tmp_path}: expected img/ and annotations/ in it, or *.xml beside the pictures;"
        " found nothing"
    )


def test_another_folder_is_told_what_was_found(tmp_path: Path) -> None:
    for name in "fedcba":
        (tmp_path / name).touch()
    (tmp_path / "annotations").mkdir()
    assert problem(tmp_path).endswith("; found a, annotations/, b, c, d, …")


def test_pictures_without_any_annotation_are_told_what_was_expected(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "a.jpg")
    (tmp_path / "annotations").mkdir()
    folder = tmp_path / "annotations"
    assert problem(tmp_path) == f"{folder}: no *.xml in it; expected one for each photo"


def test_a_missing_picture_is_named_with_its_xml_file(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "b.jpg")
    xml(tmp_path / "annotations" / "b.xml", "b.jpg")
    path = xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    folder = tmp_path / "img"
    expected = f"{path}: no picture 'a.jpg' in {folder}; add it, or remove the XML file"
    assert problem(tmp_path) == expected


def test_a_picture_that_no_file_names_is_a_problem_unless_allowed(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "a.jpg")
    alone = picture(tmp_path / "img" / "b.jpg")
    xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    assert problem(tmp_path) == (
        f"{alone}: no XML file in {tmp_path / 'annotations'} speaks of it; annotate it, remove it,"
        " or let such pictures be: data.allow_unannotated=true, evaluate --allow-unannotated"
    )
    (photo,) = read_photos(tmp_path, allow_unannotated=True)
    assert photo.image.name == "a.jpg"


def test_what_is_allowed_does_not_hide_other_problems(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "b.jpg")
    xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    with pytest.raises(DataError, match=r"a\.xml: no picture 'a\.jpg'"):
        read_photos(tmp_path, allow_unannotated=True)


def test_problems_of_every_kind_are_listed_at_once(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "alone.jpg")
    xml(tmp_path / "annotations" / "1.xml", "gone.jpg")
    (tmp_path / "annotations" / "2.xml").write_text("<annotation>\n<object/>\n</annotation>")
    (tmp_path / "annotations" / "3.xml").write_text("")
    lines = problem(tmp_path).splitlines()
    assert [line.split(": ")[0].rpartition("/")[2] for line in lines] == [
        "1.xml",
        "2.xml:2",
        "3.xml:1",
        "alone.jpg",
    ]


def test_after_ten_problems_the_rest_is_counted(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    for number in range(13):
        xml(tmp_path / "annotations" / f"{number:02d}.xml", "gone.jpg")
    lines = problem(tmp_path).splitlines()
    assert len(lines) == 11
    assert all("no picture 'gone.jpg'" in line for line in lines[:10])
    assert lines[10] == "… and 3 more"


@pytest.mark.parametrize("side_by_side", [True, False])
def test_xml_files_may_be_written_in_capitals(tmp_path: Path, side_by_side: bool) -> None:
    picture(tmp_path / ("." if side_by_side else "img") / "A.JPG")
    xml(tmp_path / ("." if side_by_side else "annotations") / "A.XML", "A.JPG")
    assert len(read_photos(tmp_path)) == 1


def test_the_hidden_doubles_of_macos_are_passed_over(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "a.jpg")
    (tmp_path / "img" / "._a.jpg").write_bytes(b"\0\5\x16\7")
    xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    (tmp_path / "annotations" / "._a.xml").write_bytes(b"\0\5\x16\7")
    assert pairs(tmp_path) == [("annotations/a.xml", "img/a.jpg")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "photos", "faces"),
    [("nota24", 24, 28), ("faces5/train", 1688, 1688), ("faces5/test", 184, 184)],
)
def test_real_data_sets_are_read_whole(shared: Path, folder: str, photos: int, faces: int) -> None:
    read = read_photos(shared / "data" / folder)
    assert len(read) == photos
    assert sum(len(photo.faces) for photo in read) == faces
    assert len({photo.image for photo in read}) == photos


def test_two_annotations_of_one_picture_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "x.jpg")
    (tmp_path / "annotations").mkdir()
    for name in ("a", "b"):
        text = f"<annotation><filename>x.jpg</filename>{OBJECT}</annotation>"
        (tmp_path / "annotations" / f"{name}.xml").write_text(text)
    with pytest.raises(DataError, match=r"b\.xml: speaks of x\.jpg, as .*a\.xml does; merge or"):
        read_photos(tmp_path)
