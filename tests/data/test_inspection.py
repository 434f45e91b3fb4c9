"""Inspection of one photo: exact limits, and pairs of boxes as plain geometry says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emotion.data.inspection import SAME_FACE, Inspector
from emotion.data.pictures import PictureFacts
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import Problem

SCHEME = LabelScheme(mapping={"happy": "smile", "fear": None, "person": None})
FACTS = PictureFacts("ab", 100, 80, bytes(32))


def photo(
    *faces: tuple[str, Box], size: tuple[int, int] | None = None, image: Path | None = None
) -> AnnotatedPhoto:
    annotated = tuple(
        AnnotatedFace(label, box, False, 10 * number, number)
        for number, (label, box) in enumerate(faces, 1)
    )
    return AnnotatedPhoto(
        image or Path("d/img/a.jpg"), Path("d/annotations/a.xml"), annotated, size
    )


def inspect(photo: AnnotatedPhoto, facts: PictureFacts = FACTS) -> list[Problem]:
    return list(Inspector(SCHEME).inspect(photo, facts))


def kinds(*boxes: Box) -> list[str]:
    return [problem.kind for problem in inspect(photo(*(("smile", box) for box in boxes)))]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(0, 0, 50, 50), []),
        (Box(50, 30, 100, 80), []),
        (Box(-1, 0, 50, 50), ["box_negative"]),
        (Box(0, -1, 50, 50), ["box_negative"]),
        (Box(50, 30, 101, 80), ["box_outside"]),
        (Box(50, 30, 100, 81), ["box_outside"]),
        (Box(-1, 30, 50, 81), ["box_negative", "box_outside"]),
        (Box(100, 30, 140, 70), ["box_off_picture"]),
        (Box(30, 80, 70, 120), ["box_off_picture"]),
        (Box(-40, 30, 0, 70), ["box_off_picture"]),
        (Box(-40, -40, 0, 0), ["box_off_picture"]),
        (Box(0, 0, 24, 24), []),
        (Box(0, 0, 23, 50), ["box_too_small"]),
        (Box(0, 0, 50, 23), ["box_too_small"]),
        (Box(77, 0, 150, 50), ["box_outside", "box_too_small"]),  # of which 23 are inside
        (Box(76, 0, 150, 50), ["box_outside"]),
        (Box(0, 0, 100, 80), ["box_whole_picture"]),
        (Box(1, 1, 100, 80), ["box_whole_picture"]),  # as counted from 1
        (Box(0, 0, 99, 79), ["box_whole_picture"]),  # as if the width were the last pixel
        (Box(1, 1, 99, 80), []),
        (Box(0, 0, 100, 78), []),
        (Box(-9, -9, 200, 200), ["box_negative", "box_outside", "box_whole_picture"]),
    ],
)
def test_boxes_are_held_against_the_picture(box: Box, expected: list[str]) -> None:
    assert kinds(box) == expected


def test_messages_give_corners_as_the_file_has_them() -> None:
    (outside,) = inspect(photo(("smile", Box(50, 30, 101, 70))))
    assert str(outside) == (
        "d/annotations/a.xml:10: the box 50,30,100,69 ends beyond its picture of 100 x 80"
    )
    (off,) = inspect(photo(("smile", Box(0, 0, 40, 40)), ("smile", Box(100, 0, 140, 40))))
    assert str(off) == (
        "d/annotations/a.xml:20: the box 100,0,139,39 lies outside its picture of 100 x 80"
    )
    assert (off.tag, off.number, off.box, off.label) == ("bndbox", 2, Box(100, 0, 140, 40), "smile")
    assert (off.image, off.annotation) == (Path("d/img/a.jpg"), Path("d/annotations/a.xml"))


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("smile", None),
        ("happy", None),
        ("fear", None),
        ("Smile", "<name> is 'Smile', not 'smile'"),
        (" sad", "<name> is ' sad', not 'sad'"),
        ("Ha ppy", "<name> is 'Ha ppy', not 'happy'"),
        ("joy", "unknown label 'joy'; expected neutral, anger, surprise, smile, sad"),
        (
            "smile\u200b",
            "unknown label 'smile\\u200b'; expected neutral, anger, surprise, smile, sad",
        ),
    ],
)
def test_labels_are_held_against_the_scheme(label: str, expected: str | None) -> None:
    problems = inspect(photo((label, Box(0, 0, 40, 40))))
    assert [problem.message for problem in problems] == ([expected] if expected else [])
    assert {(p.tag, p.number, p.line) for p in problems} <= {("name", 1, 10)}


def test_a_label_as_long_as_its_file_is_cut_short() -> None:
    faces = [(letter * 100_000, Box(0, 0, 40, 40)) for letter in "ab"]
    for problem in inspect(photo(*faces)):
        assert len(problem.message) < 300


def test_of_a_broken_picture_only_labels_are_judged() -> None:
    facts = PictureFacts("ab", kind="picture_truncated", reason="cut short")
    broken = photo(("joy", Box(-5, 0, 2, 2)), ("sad", Box(-5, 0, 2, 2)), size=(7, 7))
    label, picture = inspect(broken, facts)
    assert label.kind == "label_unknown"
    assert picture == Problem(
        "picture_truncated",
        Path("d/img/a.jpg"),
        "cut short",
        annotation=Path("d/annotations/a.xml"),
        image=Path("d/img/a.jpg"),
    )


@pytest.mark.parametrize("size", [None, (100, 80)])
def test_a_size_that_is_right_or_not_stated_is_no_problem(size: tuple[int, int] | None) -> None:
    assert inspect(photo(size=size)) == []


@pytest.mark.parametrize(
    ("stored", "orientation", "stated", "kind"),
    [
        ((60, 40), 1, (60, 41), "size_wrong"),
        ((60, 40), 1, (40, 60), "size_wrong"),  # nothing turns it
        ((60, 40), 6, (60, 40), "size_transposed"),
        ((60, 40), 8, (60, 40), "size_transposed"),
        ((60, 40), 6, (60, 41), "size_wrong"),
        ((60, 40), 3, (40, 60), "size_wrong"),  # upside down, which leaves the size
    ],
)
def test_a_size_is_transposed_only_where_exif_turns_the_picture(
    tmp_path: Path, stored: tuple[int, int], orientation: int, stated: tuple[int, int], kind: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", stored).save(tmp_path / "a.jpg", exif=exif)
    upright = stored[::-1] if orientation in (6, 8) else stored
    facts = PictureFacts("ab", *upright, bytes(32))
    (problem,) = inspect(photo(size=stated, image=tmp_path / "a.jpg"), facts)
    assert (problem.kind, problem.tag) == (kind, "size")
    width, height = upright
    told = f"<size> is {stated[0]} x {stated[1]}, but the picture is {width} x {height}"
    more = " once EXIF has turned it upright" if kind == "size_transposed" else ""
    assert problem.message == told + more


def test_a_turned_picture_with_its_upright_size_is_no_problem() -> None:
    assert inspect(photo(size=(60, 100)), PictureFacts("ab", 60, 100, bytes(32))) == []


CORNER = st.integers(0, 12)
SIDE = st.integers(24, 60)
FACES = st.lists(
    st.tuples(st.sampled_from(["smile", "happy", "sad", "fear"]), CORNER, CORNER, SIDE, SIDE),
    max_size=6,
)


@given(faces=FACES)
def test_pairs_of_boxes_are_those_that_overlap_by_nine_tenths(
    faces: Sequence[tuple[str, int, int, int, int]],
) -> None:
    boxes = [(label, Box(x, y, x + w, y + h)) for label, x, y, w, h in faces]
    found = [(p.kind, p.number) for p in inspect(photo(*boxes)) if p.kind.startswith("boxes")]
    expected: list[tuple[str, int]] = []
    meanings = {"smile": "smile", "happy": "smile", "sad": "sad"}
    used = [(n, meanings[label], box) for n, (label, box) in enumerate(boxes, 1) if label != "fear"]
    for place, (number, label, box) in enumerate(used):
        near = [(n, other) for n, other, b in used[:place] if overlap(b, box) > SAME_FACE]
        if near and near[0][1] == label:
            expected.append(("boxes_repeated", number))
        elif near:
            expected += [("boxes_conflict", near[0][0]), ("boxes_conflict", number)]
    assert found == expected


def overlap(first: Box, second: Box) -> float:
    """Gives intersection over union by counting pixels."""
    masks = np.zeros((2, 80, 100), bool)
    for mask, box in zip(masks, (first, second), strict=True):
        mask[box.top : box.bottom, box.left : box.right] = True
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def test_boxes_are_compared_by_what_lies_in_the_picture() -> None:
    faces = [("smile", Box(-100, 0, 50, 50)), ("sad", Box(-9, -300, 50, 50))]
    found = inspect(photo(*faces))
    conflicts = [problem for problem in found if problem.kind == "boxes_conflict"]
    assert [problem.message for problem in conflicts] == [
        "the box of 'smile' is nearly that of 'sad' in line 20",
        "the box of 'sad' is nearly that of 'smile' in line 10",
    ]


def test_what_is_dropped_may_lie_on_a_face() -> None:
    box = Box(10, 10, 50, 50)
    assert inspect(photo(("person", box), ("smile", box), ("fear", box))) == []


def test_the_smallest_face_may_be_set() -> None:
    inspector = Inspector(SCHEME, smallest=2)
    faces = [("smile", Box(5, 5, 7, 7)), ("sad", Box(5, 5, 6, 9))]
    assert [(p.kind, p.number) for p in inspector.inspect(photo(*faces), FACTS)] == [
        ("box_too_small", 2)
    ]
