"""Numbers of faces in a video: who keeps one, who gets a new one, and laws of the pairing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.faces.boxes import Box
from emotion.inference.videos.tracks import Tracker


def square(x: float, y: float = 200, side: int = 100) -> Box:
    left, top = round(x - side / 2), round(y - side / 2)
    return Box(left, top, left + side, top + side)


def test_new_faces_are_numbered_from_left_to_right() -> None:
    assert Tracker().numbers([square(700), square(100), square(400)], 0.0) == [3, 1, 2]


def test_no_face_has_no_number() -> None:
    tracker = Tracker()
    assert tracker.numbers([], 0.0) == []
    assert tracker.numbers([square(100)], 0.1) == [1]
    assert tracker.numbers([], 0.2) == []


@pytest.mark.parametrize("rate", [60, 30, 10, 5])
def test_a_face_that_walks_keeps_its_number(rate: int) -> None:
    tracker = Tracker()
    times = np.arange(0, 3, 1 / rate)
    # 250 pixels a second: two and a half of its widths.
    assert {tracker.numbers([square(100 + 250 * t)], t)[0] for t in times} == {1}


@pytest.mark.parametrize("rate", [30, 15])
def test_faces_that_cross_keep_their_numbers(rate: int) -> None:
    tracker = Tracker()
    for t in np.arange(0, 4, 1 / rate):
        rightwards, leftwards = square(100 + 200 * t), square(900 - 200 * t, y=215)
        assert tracker.numbers([rightwards, leftwards], t) == [1, 2]


def test_faces_that_cross_behind_one_another_keep_their_numbers() -> None:
    tracker = Tracker()
    for t in np.arange(0, 4, 1 / 25):
        boxes = [square(100 + 200 * t), square(900 - 200 * t)]
        hidden = abs(t - 2) < 0.25  # the one behind is not found
        numbers = tracker.numbers(boxes[:1] if hidden else boxes, t)
        assert numbers == ([1] if hidden else [1, 2])


def test_a_face_that_was_hidden_for_a_moment_keeps_its_number() -> None:
    tracker = Tracker(patience=1.0)
    assert tracker.numbers([square(100), square(400)], 0.0) == [1, 2]
    for t in np.arange(0.1, 0.95, 0.1):
        assert tracker.numbers([square(100)], float(t)) == [1]
    assert tracker.numbers([square(100), square(400)], 0.95) == [1, 2]


def test_a_face_that_was_away_for_long_is_a_new_one_and_numbers_are_not_used_again() -> None:
    tracker = Tracker(patience=1.0)
    assert tracker.numbers([square(100), square(400)], 0.0) == [1, 2]
    for t in (0.5, 1.1):
        assert tracker.numbers([square(100)], t) == [1]
    assert tracker.numbers([square(100), square(400)], 1.2) == [1, 3]


def test_the_gap_is_one_of_seconds_not_of_frames() -> None:
    for rate in (5, 50):
        tracker = Tracker(patience=1.0)
        tracker.numbers([square(100)], 0.0)
        for t in np.arange(1 / rate, 0.9, 1 / rate):
            tracker.numbers([], float(t))
        assert tracker.numbers([square(100)], 0.95) == [1]


def test_a_face_far_from_the_one_that_left_is_a_new_one() -> None:
    tracker = Tracker()
    assert tracker.numbers([square(100)], 0.0) == [1]
    assert tracker.numbers([square(230)], 0.04) == [2]


def test_a_face_of_another_size_is_a_new_one() -> None:
    tracker = Tracker()
    assert tracker.numbers([square(100, side=40)], 0.0) == [1]
    assert tracker.numbers([square(100, side=120)], 0.04) == [2]


def test_a_newcomer_does_not_take_the_number_of_who_stays() -> None:
    tracker = Tracker()
    assert tracker.numbers([square(200), square(290)], 0.0) == [1, 2]
    # The second leaves, and somebody appears on the other side of the first: pairing as many as
    # possible would move both numbers on.
    numbers = tracker.numbers([square(200), square(115)], 0.04)
    assert numbers == [1, 3]


def test_a_trembling_box_is_not_taken_for_motion() -> None:
    rng = np.random.default_rng(5)
    tracker = Tracker()
    for t in np.arange(0, 2, 1 / 30):
        tracker.numbers([square(300 + rng.normal(0, 5), 200 + rng.normal(0, 5))], float(t))
    assert tracker.numbers([square(300)], 2.9) == [1]


def test_memory_does_not_grow_with_passers_by() -> None:
    tracker = Tracker()
    for k in range(500):
        assert tracker.numbers([square(100)], 2.0 * k) == [k // 2 + 1] if k % 2 else True
        tracker.numbers([], 2.0 * k + 1.5)
    assert len(tracker._tracks) <= 1


boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.integers(0, 300),
    st.integers(0, 200),
    st.integers(1, 150),
    st.integers(1, 150),
)
films = st.lists(st.lists(boxes, max_size=6), min_size=1, max_size=8)


@given(films, st.floats(0.001, 3))
def test_each_face_gets_one_number_and_no_two_the_same(film: list[list[Box]], step: float) -> None:
    tracker = Tracker()
    known: set[int] = set()
    for place, faces in enumerate(film):
        numbers = tracker.numbers(faces, place * step)
        assert len(numbers) == len(faces)
        assert len(set(numbers)) == len(numbers)
        new = set(numbers) - known
        assert new == set(range(len(known) + 1, len(known) + 1 + len(new)))
        known |= new


@given(films, st.floats(0.01, 2), st.randoms(use_true_random=False))
def test_the_order_of_the_faces_changes_nothing(
    film: list[list[Box]], step: float, random: "np.random.Generator"
) -> None:
    one, other = Tracker(), Tracker()
    for place, faces in enumerate(film):
        shuffled = list(faces)
        random.shuffle(shuffled)
        first = zip(faces, one.numbers(faces, place * step), strict=True)
        second = zip(shuffled, other.numbers(shuffled, place * step), strict=True)
        assert sorted(first) == sorted(second)


@given(
    st.lists(boxes, min_size=1, max_size=6, unique=True),
    st.lists(st.floats(0.001, 20), min_size=1, max_size=8),
)
def test_faces_that_do_not_move_keep_their_numbers_at_any_frame_rate(
    faces: list[Box], steps: list[float]
) -> None:
    tracker = Tracker()
    first = tracker.numbers(faces, 0.0)
    for time in np.cumsum(steps):
        assert tracker.numbers(faces, float(time)) == first
