"""Folders: which picture belongs to which XML file, and what is wrong, all at once."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.errors import DataError
from emotion.faces.folders import PhotoFolder, locate, read_folder, same_name
from emotion.faces.problems import KINDS, LONGEST, Problem

OBJECT = (
    "<object><name>smile</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
    "<xmax>3</xmax><ymax>3</ymax></bndbox></object>"
)
KOREAN = "웃는 얼굴.jpg"
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")  # Windows and Linux, and macOS


def picture(path: Path) -> Path:
    """Makes a file that is called like a picture; none is opened here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def xml(path: Path, filename: str, objects: str = OBJECT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"<annotation><filename>{escape(filename)}</filename>{objects}</annotation>"
    path.write_text(text, encoding="utf-8")
    return path


def pairs(folder: PhotoFolder) -> list[tuple[str, str]]:
    """The pairs that are found, by their paths below the folder."""
    return [
        (
            p.annotation.relative_to(folder.path).as_posix(),
            p.image.relative_to(folder.path).as_posix(),
        )
        for p in folder.photos
    ]


def found(folder: PhotoFolder) -> list[tuple[str, str]]:
    """Kind and file of each problem."""
    for problem in folder.problems:
        assert problem.kind in KINDS
        assert problem.annotation in (None, problem.path) or problem.kind == "names_collide"
    return [(problem.kind, problem.path.name) for problem in folder.problems]


def only_problem(folder: PhotoFolder) -> Problem:
    (problem,) = folder.problems
    return problem


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_folder(folder)
    return str(caught.value)


# Layouts.


@pytest.mark.parametrize(
    ("pictures", "annotations"),
    [("img", "annotations"), ("images", "annotations"), ("JPEGImages", "Annotations"), (".", ".")],
)
def test_every_layout_is_found(tmp_path: Path, pictures: str, annotations: str) -> None:
    for name in ("b", "a"):
        picture(tmp_path / pictures / f"{name}.jpg")
        xml(tmp_path / annotations / f"{name}.xml", f"{name}.jpg")
    assert locate(tmp_path) == (tmp_path / pictures, tmp_path / annotations)
    folder = read_folder(tmp_path)
    assert folder.path == tmp_path
    assert [photo.annotation.name for photo in folder.photos] == ["a.xml", "b.xml"]
    assert [photo.image.name for photo in folder.photos] == ["a.jpg", "b.jpg"]
    assert [path.name for path in folder.pictures] == ["a.jpg", "b.jpg"]
    assert [face.label for face in folder.photos[0].faces] == ["smile"]
    assert folder.problems == ()


def test_the_sample_data_set_is_read(sample_root: Path) -> None:
    for part, count in (("train", 16), ("test", 4)):
        folder = read_folder(sample_root / part)
        assert (len(folder.photos), len(folder.pictures), folder.problems) == (count, count, ())


@pytest.mark.parametrize(("origin", "left"), [(0, 1), (1, 0)])
def test_size_and_origin_are_handed_on(tmp_path: Path, origin: int, left: int) -> None:
    picture(tmp_path / "a.jpg")
    size = "<size><width>8</width><height>6</height></size>"
    xml(tmp_path / "a.xml", "a.jpg", size + OBJECT)
    (photo,) = read_folder(tmp_path, origin).photos
    assert (photo.size, photo.faces[0].box.left) == ((8, 6), left)


def test_a_missing_folder_is_named_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    assert refusal(folder) == f"{folder}: no such folder with img/ and annotations/ in it"
    folder.touch()
    assert refusal(folder) == (
        f"{folder}: is a file, expected a folder with img/ and annotations/ in it"
    )


def test_an_empty_folder_is_told_what_was_expected(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path}: expected img/ and annotations/ in it, or *.xml beside the pictures;"
        " found nothing"
    )


def test_empty_folders_are_told_what_is_missing(tmp_path: Path) -> None:
    pictures, annotations = tmp_path / "img", tmp_path / "annotations"
    pictures.mkdir()
    annotations.mkdir()
    assert refusal(tmp_path) == (
        f"{tmp_path}: nothing in it: no *.xml in {annotations} and no picture in {pictures}"
    )


def test_another_folder_is_told_what_was_found(tmp_path: Path) -> None:
    for name in "fedcba":
        (tmp_path / name).touch()
    (tmp_path / "annotations").mkdir()
    assert refusal(tmp_path).endswith("; found a, annotations/, b, c, d, …")


@pytest.mark.parametrize("layout", ["img", "."])
def test_pictures_without_any_xml_are_all_listed(tmp_path: Path, layout: str) -> None:
    for name in ("b.jpg", "a.jpg"):
        picture(tmp_path / layout / name)
    if layout == "img":
        (tmp_path / "annotations").mkdir()
    folder = read_folder(tmp_path)
    assert (folder.photos, len(folder.pictures)) == ((), 2)
    assert found(folder) == [("picture_unannotated", "a.jpg"), ("picture_unannotated", "b.jpg")]


@pytest.mark.parametrize("side_by_side", [True, False])
def test_xml_files_may_be_written_in_capitals(tmp_path: Path, side_by_side: bool) -> None:
    picture(tmp_path / ("." if side_by_side else "img") / "A.JPG")
    xml(tmp_path / ("." if side_by_side else "annotations") / "A.XML", "A.JPG")
    folder = read_folder(tmp_path)
    assert (len(folder.photos), folder.problems) == (1, ())


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "a.jpg")
    xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    for name in ("img/._a.jpg", "img/.cache/b.jpg", "annotations/._a.xml"):  # as macOS leaves them
        picture(tmp_path / name).write_bytes(b"\0\5\x16\7")
    folder = read_folder(tmp_path)
    assert pairs(folder) == [("annotations/a.xml", "img/a.jpg")]
    assert (len(folder.pictures), folder.problems) == (1, ())


# Pairs.


@pytest.mark.parametrize(
    ("filename", "stored", "stem", "problems"),
    [
        ("photo", "photo.jpg", "other", []),  # Label Studio leaves the ending out
        ("photo", "sub/photo.JPG", "other", []),
        ("sub/photo.jpg", "photo.jpg", "other", []),  # CVAT writes a folder
        ("sub\\photo.jpg", "photo.jpg", "other", []),
        ("sub/photo.jpg", "sub/photo.jpg", "other", []),
        ("./photo.jpg", "photo.jpg", "other", []),
        ("photo.jpg", "sub/photo.jpg", "other", []),
        (" photo.jpg\n", "photo.jpg", "other", []),
        ("a b, c=d (1).jpg", "a b, c=d (1).jpg", "other", []),
        ("1.image.5.jpg", "1.image.5.jpg", "other", []),
        ("1.image.5", "1.image.5.jpg", "other", []),
        ("%2F&#.jpg", "%2F&#.jpg", "other", []),
        ("1:23.jpg", "1:23.jpg", "other", []),  # no drive of Windows
        (" a\\b.jpg", " a\\b.jpg", "other", []),  # no folder of Windows
        ("photo.jpg", "photo.JPG", "other", ["filename_spelling"]),
        ("PHOTO.JPG", "photo.jpg", "other", ["filename_spelling"]),
        ("SUB/Photo.jpg", "sub/photo.jpg", "other", ["filename_spelling"]),
        ("Photo", "photo.jpg", "other", ["filename_spelling"]),
        ("", "photo.jpg", "PHOTO", ["filename_wrong"]),
        (" ", "photo.jpg", "photo", ["filename_wrong"]),
        ("wrong.jpg", "photo.jpg", "photo", ["filename_wrong"]),
        ("photo.jpg", "photo.png", "photo", ["filename_wrong"]),  # converted later
        ("sub/wrong", "sub/photo.jpg", "photo", ["filename_wrong"]),
        ("C:\\me\\photo.jpg", "photo.jpg", "other", ["path_leaves_folder"]),
        ("c:photo.jpg", "photo.jpg", "photo", ["path_leaves_folder"]),
        ("\\\\server\\share\\photo.jpg", "photo.jpg", "other", ["path_leaves_folder"]),
        ("/home/me/photo.jpg", "photo.jpg", "other", ["path_leaves_folder"]),
        ("../img/photo.jpg", "photo.jpg", "other", ["path_leaves_folder"]),
        ("../wrong.jpg", "photo.jpg", "photo", ["path_leaves_folder"]),
        ("/", "photo.jpg", "photo", ["path_leaves_folder"]),
        ("..", "photo.jpg", "photo", ["path_leaves_folder"]),
    ],
)
def test_a_picture_is_found_by_its_name_or_by_the_stem(
    tmp_path: Path, filename: str, stored: str, stem: str, problems: list[str]
) -> None:
    picture(tmp_path / "img" / stored)
    xml(tmp_path / "annotations" / f"{stem}.xml", filename)
    folder = read_folder(tmp_path)
    assert pairs(folder) == [(f"annotations/{stem}.xml", f"img/{stored}")]
    assert found(folder) == [(kind, f"{stem}.xml") for kind in problems]
    assert all(problem.image == folder.photos[0].image for problem in folder.problems)


FILE_NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\ufffe\uffff"),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40)
@given(stem=FILE_NAMES.filter(lambda name: not name.startswith(".")))
def test_any_name_is_found_as_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, stem: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    picture(folder / f"{stem}.jpg")
    xml(folder / "1.xml", f"{stem}.jpg")
    read = read_folder(folder)
    assert pairs(read) == [("1.xml", f"{stem}.jpg")]
    assert read.problems == ()


@pytest.mark.parametrize("stored_as", FORMS)
@pytest.mark.parametrize("named_as", FORMS)
def test_korean_names_are_found_in_either_unicode_form(
    tmp_path: Path, stored_as: Literal["NFC", "NFD"], named_as: Literal["NFC", "NFD"]
) -> None:
    stored = unicodedata.normalize(stored_as, KOREAN)
    picture(tmp_path / "img" / stored)
    xml(tmp_path / "annotations" / "1.xml", unicodedata.normalize(named_as, KOREAN))
    folder = read_folder(tmp_path)
    assert pairs(folder) == [("annotations/1.xml", f"img/{stored}")]
    expected = [("filename_spelling", "1.xml")] if stored_as != named_as else []
    assert found(folder) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.JPG", "a.jpg"),
        ("straße", "STRASSE"),
        (unicodedata.normalize("NFD", KOREAN), unicodedata.normalize("NFC", KOREAN)),
    ],
)
def test_names_are_the_same_whatever_case_or_form(one: str, other: str) -> None:
    assert same_name(one) == same_name(other)
    assert same_name(one) != same_name(f"{other} ")


def test_the_name_goes_before_the_stem(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / "img" / name)
    xml(tmp_path / "annotations" / "a.xml", "b.jpg")
    xml(tmp_path / "annotations" / "b.xml", "a.jpg")
    folder = read_folder(tmp_path)
    assert pairs(folder) == [("annotations/a.xml", "img/b.jpg"), ("annotations/b.xml", "img/a.jpg")]
    assert folder.problems == ()


def test_the_whole_path_goes_before_the_bare_name(tmp_path: Path) -> None:
    for name in ("p.jpg", "sub/p.jpg"):
        picture(tmp_path / "img" / name)
    xml(tmp_path / "annotations" / "1.xml", "sub/p.jpg")
    xml(tmp_path / "annotations" / "2.xml", "p.jpg")
    folder = read_folder(tmp_path)
    expected = [("annotations/1.xml", "img/sub/p.jpg"), ("annotations/2.xml", "img/p.jpg")]
    assert (pairs(folder), folder.problems) == (expected, ())


def test_a_picture_in_another_sub_folder_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "b" / "1.jpg")
    xml(tmp_path / "annotations" / "a1.xml", "a/1.jpg")
    assert found(read_folder(tmp_path)) == [
        ("picture_missing", "a1.xml"),
        ("picture_unannotated", "1.jpg"),
    ]


def test_a_bare_name_in_two_sub_folders_is_not_guessed(tmp_path: Path) -> None:
    for name in ("b/1.jpg", "a/1.jpg"):
        picture(tmp_path / "img" / name)
    xml(tmp_path / "annotations" / "1.xml", "1.jpg")
    problem, rest = read_folder(tmp_path).problems
    assert problem.kind == "names_collide"
    assert problem.message == "<filename> '1.jpg' may be a/1.jpg and b/1.jpg"
    assert rest.kind == "picture_unannotated"


@pytest.mark.parametrize("way", ["../secret.jpg", "..\\secret.jpg", "../../secret.jpg", "absolute"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, way: str) -> None:
    outside = picture(tmp_path / "set" / "secret.jpg")
    picture(tmp_path / "secret.jpg")
    inside = picture(tmp_path / "set" / "img" / "a.jpg")
    filename = str(outside) if way == "absolute" else way
    path = xml(tmp_path / "set" / "annotations" / "1.xml", filename)
    folder = read_folder(tmp_path / "set")
    assert (folder.photos, folder.pictures) == ((), (inside,))
    kinds = ["path_leaves_folder", "picture_missing", "picture_unannotated"]
    assert [problem.kind for problem in folder.problems] == kinds
    pictures = tmp_path / "set" / "img"
    assert [str(problem) for problem in folder.problems[:2]] == [
        f"{path}: <filename> {filename!r} leads out of {pictures}",
        f"{path}: no picture {filename!r} in {pictures}",
    ]


# What is wrong with the files of a folder.


def test_picture_missing(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "b.jpg")
    xml(tmp_path / "annotations" / "b.xml", "b.jpg")
    path = xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    folder = read_folder(tmp_path)
    assert pairs(folder) == [("annotations/b.xml", "img/b.jpg")]
    message = f"no picture 'a.jpg' in {tmp_path / 'img'}"
    assert only_problem(folder) == Problem("picture_missing", path, message, annotation=path)


def test_picture_missing_names_the_stem_where_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    xml(tmp_path / "annotations" / "a.xml", "")
    problem = only_problem(read_folder(tmp_path))
    assert problem.message == f"no picture 'a' in {tmp_path / 'img'}"


def test_picture_unannotated(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "a.jpg")
    alone = picture(tmp_path / "img" / "b.jpg")
    xml(tmp_path / "annotations" / "a.xml", "a.jpg")
    folder = read_folder(tmp_path)
    assert pairs(folder) == [("annotations/a.xml", "img/a.jpg")]
    message = f"no XML file in {tmp_path / 'annotations'} speaks of it"
    assert only_problem(folder) == Problem("picture_unannotated", alone, message, image=alone)


@pytest.mark.parametrize(
    ("filename", "message"),
    [
        ("b.jpg", "<filename> is 'b.jpg', but the picture is a.jpg"),
        ("", "<filename> is '', but the picture is a.jpg"),
    ],
)
def test_filename_wrong(tmp_path: Path, filename: str, message: str) -> None:
    image = picture(tmp_path / "a.jpg")
    path = xml(tmp_path / "a.xml", filename)
    assert only_problem(read_folder(tmp_path)) == Problem(
        "filename_wrong", path, message, annotation=path, image=image
    )


def test_filename_spelling(tmp_path: Path) -> None:
    image = picture(tmp_path / "a.JPG")
    path = xml(tmp_path / "a.xml", "A.jpg")
    message = "<filename> is 'A.jpg', but the picture is written 'a.JPG'"
    assert only_problem(read_folder(tmp_path)) == Problem(
        "filename_spelling", path, message, annotation=path, image=image
    )


def test_picture_shared(tmp_path: Path) -> None:
    image = picture(tmp_path / "img" / "x.jpg")
    first, second, third = (
        xml(tmp_path / "annotations" / f"{name}.xml", "x.jpg") for name in ("a", "b", "x")
    )
    folder = read_folder(tmp_path)
    assert [photo.annotation for photo in folder.photos] == [first]
    assert folder.problems == tuple(
        Problem(
            "picture_shared",
            path,
            "speaks of x.jpg, as a.xml does",
            annotation=path,
            image=image,
            others=(first,),
        )
        for path in (second, third)
    )


def test_twins_are_told_apart_by_their_exact_names(tmp_path: Path) -> None:
    lower, upper = picture(tmp_path / "img" / "a.jpg"), picture(tmp_path / "img" / "A.jpg")
    paths = {
        image: xml(tmp_path / "annotations" / f"{number}.xml", image.name)
        for number, image in enumerate((lower, upper), 1)
    }
    folder = read_folder(tmp_path)
    assert [(photo.annotation, photo.image) for photo in folder.photos] == [
        (paths[lower], lower),
        (paths[upper], upper),
    ]
    assert folder.problems == tuple(
        Problem(
            "names_collide",
            image,
            f"differs from {other.name} in case or Unicode form only",
            annotation=paths[image],
            image=image,
            others=(other,),
        )
        for image, other in ((upper, lower), (lower, upper))
    )


@pytest.mark.parametrize("filename", ["", "wrong.jpg", "a"])
def test_pictures_that_differ_in_their_ending_only_are_not_guessed(
    tmp_path: Path, filename: str
) -> None:
    first, second = picture(tmp_path / "img" / "a.jpg"), picture(tmp_path / "img" / "a.png")
    path = xml(tmp_path / "annotations" / "a.xml", filename)
    folder = read_folder(tmp_path)
    message = f"<filename> {filename!r} may be a.jpg and a.png"
    assert folder.problems[0] == Problem(
        "names_collide", path, message, annotation=path, image=first, others=(second,)
    )
    assert found(folder)[-1] == ("picture_unannotated", "a.png")
    assert KINDS["names_collide"].severity == "error"


def test_pictures_that_differ_in_their_ending_are_told_apart_by_a_filename(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        picture(tmp_path / "img" / name)
        xml(tmp_path / "annotations" / f"of {name}.xml", name)
    folder = read_folder(tmp_path)
    assert (len(folder.photos), folder.problems) == (2, ())


@pytest.mark.parametrize("content", ["", "<annotation>", "<dataset/>", "<!DOCTYPE a><annotation/>"])
def test_a_broken_file_beside_its_picture_is_one_problem(tmp_path: Path, content: str) -> None:
    image = picture(tmp_path / "a.jpg")
    (tmp_path / "a.xml").write_text(content)
    folder = read_folder(tmp_path)
    assert (folder.photos, folder.pictures) == ((), (image,))
    problem = only_problem(folder)
    assert (problem.path, problem.image) == (tmp_path / "a.xml", image)
    assert KINDS[problem.kind].severity == "error"


def test_a_broken_file_without_a_picture_is_one_problem_too(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("")
    problem = only_problem(read_folder(tmp_path))
    assert (problem.kind, problem.image) == ("xml_malformed", None)


def test_a_photo_without_faces_is_one_photo_with_a_warning(tmp_path: Path) -> None:
    image = picture(tmp_path / "a.jpg")
    xml(tmp_path / "a.xml", "a.jpg", objects="")
    folder = read_folder(tmp_path)
    assert [photo.faces for photo in folder.photos] == [()]
    assert (only_problem(folder).kind, only_problem(folder).image) == ("no_object", image)


def test_problems_of_every_kind_are_listed_at_once(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "alone.jpg")
    picture(tmp_path / "img" / "2.jpg")
    xml(tmp_path / "annotations" / "1.xml", "gone.jpg")
    (tmp_path / "annotations" / "2.xml").write_text("<annotation>\n<object/>\n</annotation>")
    (tmp_path / "annotations" / "3.xml").write_text("")
    folder = read_folder(tmp_path)
    assert found(folder) == [
        ("picture_missing", "1.xml"),
        ("filename_wrong", "2.xml"),
        ("tag_missing", "2.xml"),
        ("tag_missing", "2.xml"),
        ("xml_malformed", "3.xml"),
        ("picture_unannotated", "alone.jpg"),
    ]
    assert [problem.line for problem in folder.problems] == [None, None, 2, 2, 1, None]


def test_a_filename_as_long_as_the_file_gives_a_short_message(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    for filename in ("x" * 100_000, "../" * 50_000):
        xml(tmp_path / "a.xml", filename)
        folder = read_folder(tmp_path)
        assert len(folder.photos) == 1
        assert len(only_problem(folder).message) <= LONGEST


def crowded(folder: Path) -> None:
    """Fills a folder with pictures and XML files that get into each other's way."""
    for name in ("a.jpg", "A.jpg", "a.png", "b.jpg", "sub/b.jpg", "sub/c.jpg", "alone.jpg"):
        picture(folder / "img" / name)
    names = ["a.jpg", "A.JPG", "a", "b", "c.jpg", "sub/b.jpg", "gone", "../b.jpg", "", "b.jpg"]
    for number, name in enumerate(names):
        xml(folder / "annotations" / f"{number}.xml", name)
    (folder / "annotations" / "b.xml").write_text("")


def test_what_is_found_does_not_depend_on_the_order_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded(tmp_path)
    expected = read_folder(tmp_path)
    assert len({problem.kind for problem in expected.problems}) >= 6
    for method in ("glob", "rglob", "iterdir"):
        original = getattr(Path, method)

        def backwards(path: Path, *args: Any, original: Any = original) -> Iterator[Path]:
            yield from reversed(list(original(path, *args)))

        monkeypatch.setattr(Path, method, backwards)
    assert read_folder(tmp_path) == expected


def test_each_picture_is_taken_once_at_most_and_every_file_is_accounted_for(tmp_path: Path) -> None:
    crowded(tmp_path)
    folder = read_folder(tmp_path)
    images = [photo.image for photo in folder.photos]
    assert len(set(images)) == len(images)
    left = set(folder.pictures) - set(images)
    told = {path for p in folder.problems for path in (p.path, p.image, *p.others)}
    assert left <= told
    assert {*(tmp_path / "annotations").iterdir()} <= told | {p.annotation for p in folder.photos}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "photos", "faces"),
    [("nota24", 24, 28), ("faces5/train", 1688, 1688), ("faces5/test", 184, 184)],
)
def test_real_data_sets_are_read_whole(shared: Path, part: str, photos: int, faces: int) -> None:
    folder = read_folder(shared / "data" / part)
    assert len(folder.photos) == len(folder.pictures) == photos
    assert sum(len(photo.faces) for photo in folder.photos) == faces
    assert len({photo.image for photo in folder.photos}) == photos
    assert not [p for p in folder.problems if KINDS[p.kind].severity == "error"]
