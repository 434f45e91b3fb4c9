"""Pictures for an audit: few, chosen evenly, and never from outside the data set."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotion.data.check_samples import BOXES, choose_samples, draw_sample
from emotion.faces.images import write_image


def problem(picture: str | None, **values: Any) -> dict[str, Any]:
    base = {"file": "a.xml", "line": 3, "object": 1, "message": "odd", "box": None, "others": []}
    return {**base, "picture": picture, **values}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("samples") / "data"
    image = np.zeros((60, 80, 3), np.uint8)
    for name in ("img/a.png", "img/b.png", "../outside.png"):
        write_image(root / name, image)
    (root / "img" / "broken.png").write_bytes((root / "img" / "a.png").read_bytes()[:60])
    (root / "img" / "text.jpg").write_text("no picture")
    return root


def test_six_are_chosen_evenly_from_first_to_last() -> None:
    samples = choose_samples([problem(f"{number}.jpg") for number in range(101)])
    assert [sample.names for sample in samples] == [
        (f"{number}.jpg",) for number in (0, 20, 40, 60, 80, 100)
    ]


def test_few_are_all_shown_and_none_is_none() -> None:
    assert [s.names for s in choose_samples([problem("a.jpg"), problem("b.jpg")])] == [
        ("a.jpg",),
        ("b.jpg",),
    ]
    assert choose_samples([problem(None)]) == []


def test_problems_of_one_picture_are_one_sample_with_each_object_once() -> None:
    (sample,) = choose_samples(
        [
            problem("a.jpg", object=1, box=[1, 2, 30, 40]),
            problem("a.jpg", object=1, box=[1, 2, 30, 40]),
            problem("a.jpg", object=2, box=[5, 6, 7, 8]),
            problem("a.jpg", object=None),
        ]
    )
    assert sample.boxes == {"a.jpg": (("1", (1, 2, 31, 41)), ("2", (5, 6, 8, 9)))}


def test_copies_stand_side_by_side_once_whichever_is_named_first() -> None:
    (sample,) = choose_samples(
        [
            problem("a.jpg", others=["b.png", "a.xml"], box=[0, 0, 9, 9]),
            problem("b.png", others=["a.jpg"], box=[1, 1, 9, 9]),
        ]
    )
    assert sample.names == ("a.jpg", "b.png")
    assert sample.boxes == {"a.jpg": (("1", (0, 0, 10, 10)),), "b.png": (("1", (1, 1, 10, 10)),)}
    assert sample.left == 0


@pytest.mark.parametrize(("copies", "shown"), [(1, 6), (2, 3), (3, 2), (50, 2)])
def test_of_copies_too_six_pictures_are_shown_at_most(copies: int, shown: int) -> None:
    groups = [[f"{n}_{k}.jpg" for k in range(copies)] for n in range(20)]
    samples = choose_samples([problem(names[0], others=names[1:]) for names in groups])
    assert len(samples) == shown
    assert sum(len(sample.names) for sample in samples) <= 6
    assert all(len(sample.names) + sample.left == copies for sample in samples)


def test_a_picture_is_drawn_with_its_boxes(root: Path) -> None:
    (sample,) = choose_samples([problem("img/a.png", box=[10, 10, 39, 39])])
    (picture,) = draw_sample(root, sample)
    assert picture.uri.startswith("data:image/jpeg;base64,")
    assert (picture.width, picture.height) == (320, 240)
    assert picture.boxes == 1
    assert picture.notes == ()


@pytest.mark.parametrize(
    ("box", "note"),
    [
        ([10, 10, 99, 50], "hatched: outside the picture"),
        ([10, 10, 11, 11], "a part of 80 × 60 pixels"),
        ([9000, 10, 9010, 20], "a box lies too far outside to be shown"),
    ],
)
def test_a_note_says_how_to_read_the_picture(root: Path, box: list[int], note: str) -> None:
    (sample,) = choose_samples([problem("img/a.png", box=box)])
    (picture,) = draw_sample(root, sample)
    assert note in picture.notes


def test_boxes_that_are_too_many_are_counted(root: Path) -> None:
    many = [problem("img/a.png", object=n, box=[n, 0, n + 20, 50]) for n in range(1, 31)]
    (sample,) = choose_samples(many)
    (picture,) = draw_sample(root, sample)
    assert picture.boxes == BOXES
    assert f"{30 - BOXES} more boxes are not drawn" in picture.notes


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("img/missing.png", "no such file"),
        ("img/broken.png", "cannot be decoded"),
        ("img/text.jpg", "not a picture"),
        ("img", "expected a picture, got a folder"),
        ("", "expected a picture, got a folder"),
        ("img/" + "x" * 5000 + ".jpg", "name too long"),
        ("img/a\x00.png", "null byte"),
        ("img/a\ud800.png", "surrogates not allowed"),
        ("../outside.png", "lies outside the data set and was not opened"),
        ("img/../../outside.png", "lies outside the data set and was not opened"),
        ("/etc/hostname", "lies outside the data set and was not opened"),
    ],
)
def test_a_picture_that_cannot_be_shown_says_why(root: Path, name: str, reason: str) -> None:
    (sample,) = choose_samples([problem(name, box=[0, 0, 5, 5])])
    (picture,) = draw_sample(root, sample)
    assert (picture.name, picture.uri, picture.boxes) == (name, "", 0)
    assert reason in picture.notes[0].lower()
    assert str(root) not in picture.notes[0]


def test_one_broken_copy_leaves_the_other_to_be_seen(root: Path) -> None:
    (sample,) = choose_samples([problem("img/broken.png", others=["img/b.png"])])
    assert [bool(picture.uri) for picture in draw_sample(root, sample)] == [False, True]
