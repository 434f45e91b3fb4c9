"""The data set as a whole: coordinates that count from 1, and classes that cannot be split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.overall import judge_classes, judge_origin
from emotion.data.pictures import PictureFacts
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto, PhotoFolder
from emotion.faces.labels import LabelScheme

BOX = Box(10, 10, 50, 50)
SCHEME = LabelScheme(mapping={"happy": "smile", "fear": None})


def folder(name: str, photos: Sequence[Sequence[AnnotatedFace]]) -> PhotoFolder:
    path = Path("d") / name
    images = [path / "img" / f"{number}.jpg" for number in range(len(photos))]
    annotated = tuple(
        AnnotatedPhoto(image, path / f"{image.stem}.xml", tuple(faces))
        for image, faces in zip(images, photos, strict=True)
    )
    return PhotoFolder(path, annotated, tuple(images), ())


def boxed(*boxes: Box) -> list[AnnotatedFace]:
    return [AnnotatedFace("smile", box, False, 1, number) for number, box in enumerate(boxes, 1)]


def labelled(*labels: str) -> list[AnnotatedFace]:
    return [AnnotatedFace(label, BOX, False, 1, number) for number, label in enumerate(labels, 1)]


def origins(folders: Mapping[str, PhotoFolder], broken: Sequence[Path] = ()) -> list[str]:
    facts = {
        image: PictureFacts("ab", kind="picture_empty")
        if image in broken
        else PictureFacts("ab", 100, 80, bytes(32))
        for part in folders.values()
        for image in part.pictures
    }
    return [f"{p.kind} {p.path}: {p.message}" for p in judge_origin(folders, facts)]


ENDS = Box(60, 40, 101, 81)  # as 101,81 in a file that counts from 1 are the last pixels


@pytest.mark.parametrize(
    ("boxes", "ends"),
    [
        ([Box(1, 1, 50, 50), ENDS], 1),
        ([Box(1, 1, 50, 50), ENDS, Box(50, 1, 101, 50), Box(1, 1, 50, 81)], 3),
        ([Box(1, 1, 101, 81)], 1),
        ([Box(1, 1, 100, 80)], 0),  # nothing says so
        ([Box(0, 1, 50, 50), ENDS], 0),
        ([Box(1, 0, 50, 50), ENDS], 0),
        ([Box(-3, 5, 50, 50), ENDS], 0),
        ([Box(60, 40, 102, 80), ENDS], 0),  # these are simply wrong
        ([], 0),
    ],
)
def test_coordinates_from_one_are_noticed(boxes: list[Box], ends: int) -> None:
    expected = (
        f"origin_one_based d/train: {ends} boxes end one pixel beyond their picture, none ends"
        " farther out, and none begins at 0"
    )
    assert origins({"train": folder("train", [boxed(*boxes)])}) == [expected] * bool(ends)


def test_each_folder_is_judged_on_its_own() -> None:
    folders = {
        "train": folder("train", [boxed(Box(0, 0, 50, 50))]),
        "val": folder("val", [boxed(ENDS), boxed()]),
        "test": folder("test", []),
    }
    assert [told.split(":")[0] for told in origins(folders)] == ["origin_one_based d/val"]


def test_broken_pictures_have_no_border() -> None:
    part = folder("train", [boxed(ENDS), boxed(Box(0, 0, 9000, 9000))])
    assert origins({"train": part}) == []
    assert len(origins({"train": part}, broken=[part.pictures[1]])) == 1
    assert origins({"train": part}, broken=part.pictures) == []


BOXES = st.builds(
    lambda x, y, w, h: Box(x, y, min(x + w, 100), min(y + h, 80)),
    st.integers(0, 90),
    st.integers(0, 70),
    st.integers(2, 100),
    st.integers(2, 80),
)


@given(boxes=st.lists(BOXES, min_size=1, max_size=8))
def test_right_boxes_are_never_suspected_and_moved_ones_where_one_touches_the_border(
    boxes: list[Box],
) -> None:
    assert origins({"all": folder("", [boxed(*boxes)])}) == []
    moved = [Box(b.left + 1, b.top + 1, b.right + 1, b.bottom + 1) for b in boxes]
    touching = any(box.right == 100 or box.bottom == 80 for box in boxes)
    assert len(origins({"all": folder("", [boxed(*moved)])})) == touching


def small(
    folders: Mapping[str, Sequence[Sequence[str]]], groups: Mapping[str, str] | None = None
) -> list[str]:
    parts = {
        part: folder(part, [labelled(*labels) for labels in photos])
        for part, photos in folders.items()
    }
    named = {Path("d") / name: group for name, group in (groups or {}).items()}
    found = list(judge_classes(parts, SCHEME, named))
    assert {problem.kind for problem in found} <= {"class_too_small"}
    return [f"{problem.path}: {problem.message}" for problem in found]


NEED = "train and validation need one each"


@pytest.mark.parametrize("part", ["train", "all"])
def test_a_class_of_one_photo_cannot_be_split(part: str) -> None:
    photos = [["smile"], ["smile", "sad", "sad"], ["anger"], ["happy"]]
    assert small({part: photos}) == [
        f"d/{part}: class anger has 1 photo; {NEED}",
        f"d/{part}: class sad has 1 photo; {NEED}",
    ]


def test_a_class_without_photos_is_none() -> None:
    assert small({"train": [["smile"], ["smile"]]}) == []


def test_mapped_and_misspelt_labels_count_for_their_class() -> None:
    assert small({"train": [["smile"], ["happy"]]}) == []
    assert small({"train": [["smile"], [" Smile"]]}) == []
    assert small({"train": [["smile"], ["fear"]]}) == [f"d/train: class smile has 1 photo; {NEED}"]


def test_what_is_dropped_or_unknown_is_no_class() -> None:
    assert small({"train": [["fear"], ["joy"], ["smile"], ["smile"]]}) == []


def test_with_a_folder_for_validation_nothing_is_split() -> None:
    assert small({"train": [["smile"]], "val": [["sad"]]}) == []


def test_the_test_photos_are_not_split() -> None:
    assert small({"train": [["smile"], ["smile"]], "test": [["sad"]]}) == []
    assert small({"test": [["sad"]]}) == []


def test_persons_are_counted_where_they_are_known() -> None:
    photos = {"train": [["smile"], ["smile"], ["sad"], ["sad"]]}
    groups = {f"train/img/{number}.jpg": person for number, person in enumerate("aabc")}
    assert small(photos, groups) == [f"d/train: class smile has 1 person; {NEED}"]
