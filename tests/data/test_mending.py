"""Mended copies: right where that is no guess, as mending in memory; the source is untouched."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets import (
    SAD,
    SMILE,
    add_clean,
    add_photo,
    broken_png,
    change,
    hashes,
    picture_of,
)
from tests.problems import WRONG, listed

from emotion.data import mending
from emotion.data.audit import Audit, Rules, audit
from emotion.data.cleaning import MENDABLE, clean
from emotion.data.mending import check_target, write_mended
from emotion.errors import DataError
from emotion.faces.annotations import AnnotatedFace, write_annotation
from emotion.faces.boxes import Box
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import KINDS

RULES = Rules(LabelScheme(), copies=False)
Faces = dict[tuple[str, str], tuple[AnnotatedFace, ...]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_clean(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "mended"


def usable(found: Audit) -> Faces:
    """Gives the faces that could be used, mended in memory; lines of files are not compared."""
    photos = clean(found, (), MENDABLE).photos
    return {
        (
            photo.annotation.relative_to(found.root).as_posix(),
            photo.image.relative_to(found.root).as_posix(),
        ): tuple(replace(face, line=0) for face in photo.faces)
        for part in photos.values()
        for photo in part
    }


def kinds(found: Audit) -> Counter[str]:
    return Counter(problem.kind for problem in found.problems)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("label_spelling", "<name> is now sad"),
        ("coordinate_float", "<bndbox> is now 20,10,59,49"),
        ("box_reversed", "<bndbox> is now 20,10,59,49"),
        ("box_negative", "<bndbox> is now 0,10,39,59"),
        ("box_outside", "<bndbox> is now 30,10,79,59"),
        ("size_wrong", "<size> is now 80 x 60"),
        ("filename_wrong", "<filename> is now filename_wrong.png"),
        ("filename_spelling", "<filename> is now filename_spelling.png"),
        ("path_leaves_folder", "<filename> is now path_leaves_folder.png"),
    ],
)
def test_each_kind_is_mended_in_the_copy_and_nothing_else_changes(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch, kind: str, what: str
) -> None:
    WRONG[kind](root, monkeypatch)
    before, found = hashes(root), audit(root, RULES)
    assert [(p.kind, told) for p, told in write_mended(found, target, 0)] == [(kind, what)]
    after = audit(target, RULES)
    assert after.problems == ()
    assert usable(after) == usable(found)
    assert hashes(root) == before
    changed = {path for path, digest in hashes(target).items() if before[path] != digest}
    assert changed == {f"train/annotations/{kind}.xml"}
    assert len(hashes(target)) == len(before)


def test_every_kind_that_is_called_mendable_is_tried_above() -> None:
    tried = test_each_kind_is_mended_in_the_copy_and_nothing_else_changes
    (mark,) = tried.pytestmark  # type: ignore[attr-defined]
    assert {kind for kind, _ in mark.args[1]} == {k.name for k in KINDS.values() if k.mendable}
    assert set(MENDABLE) == {k.name for k in KINDS.values() if k.mendable}


def test_what_is_no_guess_is_mended_among_everything_else(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in WRONG:
        if kind not in ("xml_unreadable", "picture_unreadable", "group_across_parts"):
            WRONG[kind](root, monkeypatch)
    before, found = hashes(root), audit(root, RULES)
    done = write_mended(found, target, 0)
    mendable = {kind: count for kind, count in kinds(found).items() if kind in MENDABLE}
    assert Counter(problem.kind for problem, _ in done) == mendable
    assert hashes(root) == before
    left = [found for found in listed(found) if found.kind not in MENDABLE]
    # A folder whose boxes were cut off no longer looks as if it counted from 1.
    assert listed(audit(target, RULES)) == [f for f in left if f.kind != "origin_one_based"]


def test_a_clean_data_set_is_copied_as_it_is(root: Path, target: Path) -> None:
    (root / "notes").mkdir()
    (root / "notes" / "read me.txt").write_text("by hand")
    assert write_mended(audit(root, RULES), target, 0) == []
    assert hashes(target) == hashes(root)
    assert [path.name for path in target.parent.iterdir()] == ["mended"]


CORNER = st.tuples(st.floats(-30, 110), st.floats(26, 60))
LABELS = st.sampled_from(["smile", "Smile", " sad ", "S A D", "fear", "happy", "HAPPY"])
SCHEME = LabelScheme(mapping={"happy": "smile", "fear": None})


@settings(max_examples=15)
@given(
    faces=st.lists(
        st.tuples(LABELS, CORNER, CORNER, st.booleans(), st.booleans()), min_size=1, max_size=4
    ),
    origin=st.sampled_from([0, 1]),
)
def test_mending_a_copy_gives_the_faces_of_mending_in_memory(
    tmp_path_factory: pytest.TempPathFactory,
    faces: list[tuple[str, tuple[float, float], tuple[float, float], bool, bool]],
    origin: int,
) -> None:
    folder = tmp_path_factory.mktemp("mended")
    path = add_photo(folder / "data", "a")
    objects = ""
    for label, (left, width), (top, height), swapped, whole in faces:
        corners = [left, top, left + width, top + height]
        corners = [float(round(corner)) for corner in corners] if whole else corners
        corners = [corners[2], corners[1], corners[0], corners[3]] if swapped else corners
        tags = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
        box = "".join(f"<{tag}>{corner!r}</{tag}>" for tag, corner in tags)
        objects += f"<object><name>{label}</name><bndbox>{box}</bndbox></object>"
    path.write_text(f"<annotation><filename>A.PNG</filename>{objects}</annotation>")
    rules = Rules(SCHEME, origin, smallest=2, copies=False)
    # What a border leaves one pixel of is too small in memory, and empty in a file.
    guess = ("box_off_picture", "boxes_conflict", "box_too_small", "box_empty")
    found = audit(folder / "data", rules)
    write_mended(found, folder / "copy", origin)
    after = audit(folder / "copy", rules)
    assert not set(kinds(after)) & set(MENDABLE)
    first, second = (clean(each, guess, MENDABLE).photos["all"] for each in (found, after))
    assert [[replace(face, line=0) for face in photo.faces] for photo in first] == [
        [replace(face, line=0) for face in photo.faces] for photo in second
    ]


def test_coordinates_from_one_are_written_from_one(root: Path, target: Path) -> None:
    text = "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
    path = root / "train" / "annotations" / "a.xml"
    box = text.format(0, 1, 81, 60)
    add_photo(root / "train", "a")
    path.write_text(
        "<annotation><filename>a.png</filename><object><name>smile</name>"
        f"<bndbox>{box}</bndbox></object></annotation>"
    )
    rules = replace(RULES, origin=1)
    found = audit(root, rules)
    assert kinds(found) == {"box_negative": 1, "box_outside": 1, "box_whole_picture": 1}
    write_mended(found, target, 1)
    mended = (target / "train" / "annotations" / "a.xml").read_text()
    assert text.format(1, 1, 80, 60) in mended
    assert usable(audit(target, rules)) == usable(found)
    untouched = "train/annotations/s1.xml"
    assert (target / untouched).read_bytes() == (root / untouched).read_bytes()


def test_a_name_in_a_folder_below_is_mended_with_its_folder(root: Path, target: Path) -> None:
    path = add_photo(root / "train", "a", filename="SUB/A.PNG")
    folder = root / "train" / "img" / "Sub"
    folder.mkdir()
    picture_of(path).rename(folder / "a.png")
    other = path.with_name("other.xml")
    path.rename(other)  # it is not found by the name of the XML file
    found = audit(root, RULES)
    assert kinds(found) == {"filename_spelling": 1}
    assert [told for _, told in write_mended(found, target, 0)] == ["<filename> is now Sub/a.png"]
    after = audit(target, RULES)
    assert after.problems == ()
    assert usable(after) == usable(found)


def test_a_name_that_two_pictures_have_is_not_guessed(root: Path, target: Path) -> None:
    path = add_photo(root / "train", "a", filename="gone.jpg")
    picture_of(add_photo(root / "train", "b", filename="a.tif")).rename(
        picture_of(path).with_suffix(".tif")
    )
    found = audit(root, RULES)
    assert kinds(found) == {"names_collide": 1, "filename_wrong": 1}
    assert write_mended(found, target, 0) == []
    assert hashes(target) == hashes(root)


@pytest.mark.parametrize("name", ["a\x07", os.fsdecode(b"caf\xe9")])
def test_a_name_that_xml_cannot_hold_is_left(root: Path, target: Path, name: str) -> None:
    path = add_photo(root / "train", "a", ("Smile", SMILE[1]))
    picture_of(path).rename(picture_of(path).with_name(f"{name}.png"))
    path.rename(path.with_name(f"{name}.xml"))
    found = audit(root, RULES)
    assert kinds(found) == {"filename_wrong": 1, "label_spelling": 1}
    assert [p.kind for p, _ in write_mended(found, target, 0)] == ["label_spelling"]
    assert kinds(audit(target, RULES)) == {"filename_wrong": 1}


def test_of_two_names_none_is_chosen(root: Path, target: Path) -> None:
    path = add_photo(root / "train", "a", ("Smile", SMILE[1]))
    change(path, "</filename>", "</filename><filename>b.png</filename>")
    found = audit(root, RULES)
    assert kinds(found)["tag_repeated"] == 1
    assert {p.kind for p, _ in write_mended(found, target, 0)} == {"label_spelling"}
    assert kinds(audit(target, RULES))["label_spelling"] == 0
    assert (target / path.relative_to(root)).read_text().count("<filename>") == 2


@pytest.mark.parametrize("content", [b"", broken_png()])
def test_of_a_broken_picture_neither_size_nor_border_is_known(
    root: Path, target: Path, content: bytes
) -> None:
    faces = [("Smile", Box(-10, -10, 50, 90)), ("sad", Box(-30, 20, 40, 50))]
    path = add_photo(root / "train", "a", *faces)
    change(path, "<width>80<", "<width>wide<")
    picture_of(path).write_bytes(content)
    found = audit(root, RULES)
    assert {p.kind: told for p, told in write_mended(found, target, 0)} == {
        "label_spelling": "<name> is now smile"
    }
    after = next(p for p in audit(target, RULES).folders["train"].photos if p.image.stem == "a")
    assert [(face.label, face.box) for face in after.faces] == [("smile", faces[0][1]), faces[1]]
    assert "<width>wide</width>" in (target / path.relative_to(root)).read_text()


def test_a_face_that_cannot_be_read_is_left(root: Path, target: Path) -> None:
    path = add_photo(root / "train", "a", SMILE, SAD)
    change(path, "<xmin>20</xmin>", "<xmin>20.5</xmin>")
    change(path, "<name>sad</name>", "")
    found = audit(root, RULES)
    assert kinds(found) == {"coordinate_float": 1, "tag_missing": 1}
    assert write_mended(found, target, 0) == []
    assert hashes(target) == hashes(root)


def test_a_box_off_its_picture_stays_where_it_is(root: Path, target: Path) -> None:
    box = Box(-10, 70, 40, 120)
    add_photo(root / "train", "a", ("Smile", box))
    found = audit(root, RULES)
    write_mended(found, target, 0)
    after = audit(target, RULES)
    assert kinds(after) == {"box_off_picture": 1}
    assert after.problems[0].box == box


def test_linked_folders_are_copied_with_what_is_in_them(tmp_path: Path, target: Path) -> None:
    add_clean(tmp_path / "real")
    root = tmp_path / "data"
    (root / "test").mkdir(parents=True)
    (root / "train").symlink_to(tmp_path / "real" / "train")
    for name in ("img", "annotations"):
        (root / "test" / name).symlink_to(tmp_path / "real" / "test" / name)
    write_mended(audit(root, RULES), target, 0)
    assert hashes(target) == hashes(tmp_path / "real")
    assert not any(path.is_symlink() for path in target.rglob("*"))


def test_an_empty_folder_may_be_filled(root: Path, target: Path) -> None:
    target.mkdir(parents=True)
    write_mended(audit(root, RULES), target, 0)
    assert hashes(target) == hashes(root)


def test_a_folder_with_something_in_it_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    with pytest.raises(DataError) as caught:
        write_mended(audit(root, RULES), tmp_path / "full", 0)
    assert str(caught.value) == (
        f"--fix {tmp_path / 'full'}: is not an empty folder; name another, or remove it first"
    )
    assert hashes(tmp_path / "full").keys() == {"mine.txt"}


def test_a_file_is_no_target(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"--fix .*file: is not an empty folder"):
        check_target(root, tmp_path / "file")


@pytest.mark.parametrize("way", ["inside", "through_a_link", "with_dots", "itself"])
def test_a_folder_in_the_data_set_is_refused(root: Path, tmp_path: Path, way: str) -> None:
    (tmp_path / "link").symlink_to(root)
    (root / "train" / "empty").mkdir()
    target = {
        "inside": root / "mended",
        "through_a_link": tmp_path / "link" / "mended",
        "with_dots": tmp_path / "other" / ".." / "data" / "train" / "empty",
        "itself": tmp_path / "link",
    }[way]
    before = hashes(root)
    with pytest.raises(DataError, match=r"^--fix .*: (lies in .*, which is not written to|is not)"):
        write_mended(audit(root, RULES), target, 0)
    assert hashes(root) == before


def test_the_copy_appears_whole_or_not_at_all(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_photo(root / "train", "a", ("Smile", SMILE[1]))
    found = audit(root, RULES)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mending, "edit_annotation", full)
    with pytest.raises(OSError, match="No space left"):
        write_mended(found, target, 0)
    assert list(target.parent.iterdir()) == []


def test_files_that_may_not_be_written_to_are_copied_as_ones_that_may(
    root: Path, target: Path
) -> None:
    path = add_photo(root / "train", "a", ("Smile", SMILE[1]))
    path.chmod(0o444)
    write_mended(audit(root, RULES), target, 0)
    assert all(file.stat().st_mode & 0o200 for file in target.rglob("*") if file.is_file())
    write_annotation(target / path.relative_to(root), "a.png", (80, 60), [SMILE])
