"""Copies and persons: what stands apart that belongs together, told of each photo concerned."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.data.copies import (
    PlacedPhoto,
    find_identical,
    find_similar,
    judge_copies,
    judge_groups,
)
from emotion.data.duplicates import SIMILAR
from emotion.data.pictures import PictureFacts
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.problems import Problem


def placed(name: str, part: str = "train", *labels: str) -> PlacedPhoto:
    folder = Path("d") / part
    photo = AnnotatedPhoto(folder / "img" / f"{name}.jpg", folder / f"{name}.xml", ())
    return PlacedPhoto(photo, part, labels or ("smile",))


def facts(photos: Sequence[PlacedPhoto], *pictures: str | int) -> dict[Path, PictureFacts]:
    """Gives facts of pictures: a number has so many bits set, a text is one that is broken."""
    return {
        photo.photo.image: PictureFacts(picture, kind="picture_empty", reason="empty")
        if isinstance(picture, str)
        else PictureFacts(f"{picture:064x}", 9, 9, ((1 << picture) - 1).to_bytes(32, "big"))
        for photo, picture in zip(photos, pictures, strict=True)
    }


def names(sets: Sequence[Sequence[PlacedPhoto]]) -> list[str]:
    return ["".join(placed.photo.image.stem for placed in each) for each in sets]


def told(problems: Sequence[Problem]) -> list[tuple[str, str, str]]:
    """Gives the kind, the photo and the others of each problem."""
    for problem in problems:
        assert (problem.path, problem.line, problem.number) == (problem.annotation, None, None)
        assert problem.image is not None
        assert problem.image.stem == problem.path.stem
        assert problem.image not in problem.others
    return [(p.kind, p.path.stem, "".join(other.stem for other in p.others)) for p in problems]


def identical(*photos: PlacedPhoto) -> list[Problem]:
    return list(judge_copies("identical", "identical to", [photos]))


def test_identical_pictures_are_found_in_their_order() -> None:
    photos = [placed(name) for name in "abcdefg"]
    known = facts(photos, 1, 2, 1, 3, 2, 1, 90)
    assert names(find_identical(photos, known)) == ["acf", "be"]
    assert names(find_identical(photos[::-1], known)) == ["fca", "eb"]


def test_pictures_that_cannot_be_opened_or_decoded_are_no_copies() -> None:
    photos = [placed(name) for name in "abcd"]
    known = facts(photos, "", "", "same", "same")
    assert find_identical(photos, known) == []
    assert find_similar(photos, known) == []


def test_similar_pictures_are_found_and_bound_through_others() -> None:
    photos = [placed(name) for name in "abcde"]
    far = 3 * SIMILAR
    known = facts(photos, far, 0, SIMILAR, 2 * SIMILAR, far + SIMILAR + 1)
    assert names(find_similar(photos, known)) in (["abcd"], ["bcda"])
    known = facts(photos, 0, SIMILAR + 1, 0, 100, 100 + SIMILAR)
    assert names(find_similar(photos, known)) == ["de"]  # a and c are identical


def test_of_similar_pictures_every_identical_one_is_named() -> None:
    photos = [placed("a"), placed("b"), placed("c", "test"), placed("d"), placed("e")]
    known = facts(photos, 5, 5, 6, 200, 200)
    (similar,) = find_similar(photos, known)
    assert names([similar]) == ["abc"]
    across = [p for p in judge_copies("similar", "near", [similar]) if "across" in p.kind]
    assert told(across) == [
        ("similar_across_parts", "a", "c"),
        ("similar_across_parts", "b", "c"),
    ]


def test_no_photos_have_no_copies() -> None:
    assert find_identical([], {}) == find_similar([], {}) == []


def test_copies_in_one_part_with_one_label_are_told_of_all_but_the_first() -> None:
    problems = identical(placed("a"), placed("b"), placed("c"))
    assert told(problems) == [("identical", "b", "a"), ("identical", "c", "a")]
    assert str(problems[0]) == "d/train/b.xml: the picture is identical to a.jpg"


def test_copies_with_several_labels_are_all_told_with_one_that_differs() -> None:
    problems = identical(
        placed("a", "train", "sad"), placed("b"), placed("c"), placed("d", "train", "sad", "smile")
    )
    kind = "identical_labels_differ"
    assert told(problems) == [
        (kind, "a", "c"),
        (kind, "b", "a"),
        (kind, "c", "a"),
        (kind, "d", "a"),
    ]
    messages = [problem.message for problem in problems]
    assert messages[0] == "the picture is identical to c.jpg: sad here, smile there"
    assert messages[3] == "the picture is identical to a.jpg: sad, smile here, sad there"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["train", "test"], {"a": "b"}),
        (["test", "train"], {"b": "a"}),
        (["train", "val"], {"a": "b"}),
        (["val", "test"], {"a": "b"}),
        (["train", "train", "test"], {"a": "c", "b": "c"}),
        (["train", "val", "test"], {"a": "bc", "b": "c"}),
        (["train", *["test"] * 5], {"a": "bcd"}),
    ],
)
def test_of_parts_the_test_keeps_its_photos_and_training_gives_way_first(
    parts: list[str], expected: dict[str, str]
) -> None:
    photos = [placed(name, part) for name, part in zip("abcdef"[: len(parts)], parts, strict=True)]
    assert told(identical(*photos)) == [
        ("identical_across_parts", name, others) for name, others in expected.items()
    ]


def test_photos_may_be_apart_and_differ_at_once() -> None:
    problems = identical(placed("a"), placed("b", "test", "sad"))
    assert told(problems) == [
        ("identical_across_parts", "a", "b"),
        ("identical_labels_differ", "a", "b"),
        ("identical_labels_differ", "b", "a"),
    ]
    assert problems[0].message == "the picture in train is identical to test/b.jpg"


def test_persons_in_one_part_are_no_problem() -> None:
    photos = [placed("a"), placed("b"), placed("c", "test")]
    groups = {photo.photo.image: name for photo, name in zip(photos, ["x", "x", "y"], strict=True)}
    assert list(judge_groups(photos, groups)) == []
    assert list(judge_groups(photos, {})) == []


def test_persons_in_two_parts_are_told_of_those_that_give_way() -> None:
    photos = [placed("a"), placed("b", "val"), placed("c", "test"), placed("d"), placed("e")]
    known = dict(zip("abcd", ["Ann O'Neill", "Ann O'Neill", "Bob", "Bob"], strict=True))
    groups = {p.photo.image: known[p.photo.image.stem] for p in photos[:4]}
    problems = list(judge_groups(photos, groups))
    assert told(problems) == [("group_across_parts", "a", "b"), ("group_across_parts", "d", "c")]
    assert problems[0].message == 'the picture in train is of "Ann O\'Neill", as is val/b.jpg'


SETS = st.lists(
    st.tuples(
        st.integers(0, 250), st.sampled_from(["train", "val", "test"]), st.sampled_from("ab")
    ),
    max_size=25,
)


@settings(max_examples=10, deadline=None)
@given(rows=SETS)
def test_once_all_that_is_told_of_is_left_out_nothing_similar_stands_apart(
    rows: list[tuple[int, str, str]],
) -> None:
    photos = [placed(f"{n:02d}", part, label) for n, (_, part, label) in enumerate(rows)]
    known = facts(photos, *(picture for picture, _, _ in rows))
    sets = {
        "identical": find_identical(photos, known),
        "similar": find_similar(photos, known),
    }
    problems = [p for kind, each in sets.items() for p in judge_copies(kind, "like", each)]
    told(problems)
    gone = {problem.image for problem in problems if problem.kind.count("_") == 2}
    left = [
        (row, photo)
        for row, photo in zip(rows, photos, strict=True)
        if photo.photo.image not in gone
    ]
    for (one, part, label), first in left:
        for (two, other, another), second in left:
            # The bits of the fingerprints are made so that their numbers are their distance.
            if abs(one - two) <= SIMILAR and first is not second:
                assert (part, label) == (other, another)


@settings(max_examples=10, deadline=None)
@given(rows=SETS)
def test_sets_do_not_share_photos_and_do_not_depend_on_the_order(
    rows: list[tuple[int, str, str]],
) -> None:
    photos = [placed(f"{n:02d}", part, label) for n, (_, part, label) in enumerate(rows)]
    known = facts(photos, *(picture for picture, _, _ in rows))
    for find in (find_identical, find_similar):
        sets = [{p.photo.image.stem for p in each} for each in find(photos, known)]
        backwards = [{p.photo.image.stem for p in each} for each in find(photos[::-1], known)]
        assert sorted(map(sorted, sets)) == sorted(map(sorted, backwards))
        assert sum(map(len, sets)) == len(set().union(*sets))
        assert all(len(each) > 1 for each in sets)
    bound: dict[int, set[int]] = defaultdict(set)  # what a chain of near neighbours connects
    for picture, _, _ in sorted(rows):
        near = [key for key in bound if abs(key - picture) <= SIMILAR]
        merged = set().union(*(bound.pop(key) for key in near)) | {picture}
        bound[picture] = merged
    expected = sorted(
        sorted(f"{n:02d}" for n, (picture, _, _) in enumerate(rows) if picture in chain)
        for chain in bound.values()
        if len(chain) > 1
    )
    assert (
        sorted(sorted(p.photo.image.stem for p in s) for s in find_similar(photos, known))
        == expected
    )
