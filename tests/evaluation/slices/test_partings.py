"""Parting faces into groups: each face in one, limits where they are said to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.evaluation.slices.partings import Parting, by_quality, by_thirds, by_value, by_view
from emotion.faces.detectors import VIEWS
from emotion.faces.qualities import Qualities

WORDS = ("low", "middle", "high")


def members(parting: Parting) -> list[str]:
    """Gives the name of each face's group."""
    return [parting.names[number] for number in parting.groups]


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (3.0, "below 64 px"),
        (63.9, "below 64 px"),
        (64.0, "64–127 px"),
        (127.99, "64–127 px"),
        (128.0, "128–255 px"),
        (256.0, "256 px and more"),
        (5000.0, "256 px and more"),
    ],
)
def test_face_sizes_have_limits_that_a_person_understands(size: float, name: str) -> None:
    parting = by_quality([Qualities(size, 1, 1, 1, False)])[0]
    assert parting.name == "face size"
    assert members(parting) == [name]


def test_each_quality_is_one_parting() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0, 100, (90, 3)).tolist()
    faces = [Qualities(100, a, b, c, i % 2 == 1) for i, (a, b, c) in enumerate(drawn)]
    names = ["face size", "sharpness", "brightness", "contrast", "box at the border"]
    partings = by_quality(faces)
    assert [parting.name for parting in partings] == names
    for parting, quality in zip(partings[1:4], names[1:4], strict=True):
        values = np.array([getattr(face, quality) for face in faces])
        assert np.bincount(parting.groups).tolist() == [30, 30, 30]
        assert values[parting.groups == 0].max() < values[parting.groups == 1].min()
        assert values[parting.groups == 1].max() < values[parting.groups == 2].min()
    assert members(partings[4])[:2] == ["inside the picture", "at the border"]
    assert all(parting.about.endswith(".") for parting in partings[:4])


def test_thirds_are_named_by_what_is_in_them() -> None:
    parting = by_thirds("x", "", WORDS, [1, 2, 3, 40, 50, 60, 700, 800, 1900])
    assert parting.names == ["low: 1 to 3", "middle: 40 to 60", "high: 700 to 1,900"]
    assert parting.groups.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert by_thirds("x", "", WORDS, [0.5, 0.52, 0.6]).names == [
        "low: 0.500",
        "middle: 0.520",
        "high: 0.600",
    ]


@pytest.mark.parametrize(
    ("values", "names", "groups"),
    [
        ([5, 5, 5, 5], ["all alike: 5"], [0, 0, 0, 0]),
        ([5], ["all alike: 5"], [0]),
        ([1, 9], ["low: 1.0", "high: 9.0"], [0, 1]),
        ([1, 1, 1, 1, 9], ["low: 1.0", "high: 9.0"], [0, 0, 0, 0, 1]),
        ([1, 9, 9, 9, 9], ["low: 1.0", "high: 9.0"], [0, 1, 1, 1, 1]),
        ([1, 5, 5, 5, 5, 9], ["low: 1.0", "middle: 5.0", "high: 9.0"], [0, 1, 1, 1, 1, 2]),
    ],
)
def test_equal_values_stay_together(
    values: list[float], names: list[str], groups: list[int]
) -> None:
    parting = by_thirds("x", "", WORDS, values)
    assert parting.names == names
    assert parting.groups.tolist() == groups


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_thirds_keep_the_order_and_hold_all_faces(values: list[float]) -> None:
    parting = by_thirds("x", "", WORDS, values)
    assert len(parting.groups) == len(values)
    assert set(parting.groups.tolist()) == set(range(len(parting.names)))
    for one, other in zip(values, parting.groups.tolist(), strict=True):
        for value, group in zip(values, parting.groups.tolist(), strict=True):
            assert one != value or other == group
            assert one >= value or other <= group
    if len(set(values)) == len(values) >= 3:
        counts = np.bincount(parting.groups)
        assert counts.max() - counts.min() <= 1


def test_views_stand_in_the_detectors_order_and_not_found_last() -> None:
    views = [None, "tilted right", "ahead", "from above", "looking left"]
    parting = by_view(views)
    assert members(parting) == ["not found", *views[1:]]
    assert parting.names == [*VIEWS, "from above", "not found"]


def test_a_detector_without_views_tells_found_from_not_found() -> None:
    assert members(by_view(["", None, ""])) == ["found", "not found", "found"]


def test_values_stand_as_a_reader_would_order_them() -> None:
    values = ["(not given)", "18-40", "9-17", "(others: 3 values)", "100+", "(old)", "b", "A"]
    parting = by_value("age", values)
    assert members(parting) == values
    given = ["9-17", "18-40", "100+", "(old)", "A", "b"]
    assert list(parting.names) == [*given, "(not given)", "(others: 3 values)"]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=30))
def test_any_values_are_told_apart_exactly(values: list[str]) -> None:
    assert members(by_value("x", values)) == values
