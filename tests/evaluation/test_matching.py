"""Pairing found and annotated boxes, against trying all pairings."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.evaluation.matching import match, overlap
from emotion.faces.boxes import Box

box_lists = st.lists(
    st.builds(
        lambda left, top, width, height: Box(left, top, left + width, top + height),
        *[st.integers(0, 12)] * 2,
        *[st.integers(1, 12)] * 2,
    ),
    max_size=4,
)


def test_overlap_is_shared_area_by_joint_area() -> None:
    # By hand: 5 x 10 shared, 100 + 100 - 50 together.
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0  # half-open: they only touch
    assert overlap(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 1


@given(one=box_lists.filter(bool), other=box_lists.filter(bool))
def test_overlap_is_that_of_counting_pixels(one: list[Box], other: list[Box]) -> None:
    def pixels(box: Box) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box.left, box.right) for y in range(box.top, box.bottom)}

    a, b = pixels(one[0]), pixels(other[0])
    assert overlap(one[0], other[0]) == pytest.approx(len(a & b) / len(a | b))


@given(annotated=box_lists, found=box_lists)
def test_it_is_the_best_of_all_pairings(annotated: list[Box], found: list[Box]) -> None:
    def value(places: tuple[int, ...]) -> tuple[int, float]:
        pairs = [
            overlap(annotated[i], found[j])
            for i, j in enumerate(places)
            if j < len(found) and overlap(annotated[i], found[j]) >= 0.3
        ]
        return len(pairs), round(sum(pairs), 9)

    places = range(len(found) + len(annotated))
    best = max(value(chosen) for chosen in permutations(places, len(annotated)))
    matching = match(annotated, found, least=0.3)
    ours = [iou for _, iou in matching.pairs.values()]
    assert (len(ours), round(sum(ours), 9)) == best
    assert len({place for place, _ in matching.pairs.values()}) == len(ours)
    assert sorted([*matching.pairs, *matching.missed]) == list(range(len(annotated)))
    assert len(matching.false) == len(found) - len(ours)


def test_finding_a_face_that_is_not_used_is_no_mistake() -> None:
    used, unused, nothing = Box(0, 0, 10, 10), Box(20, 0, 30, 10), Box(50, 50, 60, 60)
    matching = match([used], [unused, used, nothing], ignored=[unused])
    assert matching.pairs == {0: (1, 1.0)}
    assert (matching.ignored, matching.false, matching.missed) == ((0,), (2,), ())


def test_a_second_box_on_the_same_face_is_a_false_find() -> None:
    face, near = Box(0, 0, 10, 10), Box(1, 0, 11, 10)
    matching = match([face], [near, face])
    assert matching.pairs[0][0] == 1
    assert matching.false == (0,)


def test_two_pairs_go_before_one_better_one() -> None:
    # The second found box lies well on the first face, but then the other face would be missed.
    faces = [Box(0, 0, 10, 10), Box(6, 0, 16, 10)]
    found = [Box(0, 0, 7, 10), Box(2, 0, 12, 10)]
    assert set(match(faces, found, least=0.4).pairs) == {0, 1}


def test_nothing_found_is_all_missed() -> None:
    matching = match([Box(0, 0, 1, 1)] * 2, [])
    assert (matching.pairs, matching.missed, matching.false) == ({}, (0, 1), ())
