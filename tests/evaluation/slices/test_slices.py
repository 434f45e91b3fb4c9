"""Slices: each face in one group, groups held against the rest, and no more claimed than is so."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from jinja2 import Environment
from numpy.typing import NDArray
from scipy.stats import binomtest

from emotion.evaluation.intervals import Units
from emotion.evaluation.slices.slices import FEWEST_FACES, FEWEST_UNITS, Slicing, make_slices
from emotion.faces.qualities import Qualities
from emotion.pages import rendering

ALIKE = Qualities(100.0, 50.0, 120.0, 40.0, False)
NAMES = ["face size", "sharpness", "brightness", "contrast", "box at the border"]


def units_of(names: Sequence[int], noun: str = "photo", faceless: Sequence[int] = ()) -> Units:
    return Units.by_name(names, np.zeros(len(names), np.int64), noun, faceless)


def by_column(
    values: Sequence[str], right: NDArray[np.bool_], units: Units | None = None
) -> Slicing:
    """Slices faces that are alike but for one column."""
    units = units or units_of(range(len(values)))
    slicings = make_slices([ALIKE] * len(values), None, {"camera": values}, right, units)
    assert [slicing.name for slicing in slicings] == [*NAMES, "camera"]
    return slicings[-1]


def rates(counts: dict[str, tuple[int, int]]) -> tuple[list[str], NDArray[np.bool_]]:
    """Makes faces: by group, how many of how many are right."""
    values = [name for name, (_, faces) in counts.items() for _ in range(faces)]
    right = [place < k for k, faces in counts.values() for place in range(faces)]
    return values, np.array(right)


def page(slicings: list[Slicing]) -> str:
    environment: Environment = rendering._environment()
    source = '{% from "report_slices.html" import slices %}{{ slices(part) }}'
    return " ".join(environment.from_string(source).render(part=slicings).split())


# --- what is measured


def test_groups_are_counted_and_scored() -> None:
    found = by_column(*rates({"a": (30, 40), "b": (48, 60), "c": (1, 5)}))
    assert [(group.name, group.faces, group.units) for group in found.groups] == [
        ("a", 40, 40),
        ("b", 60, 60),
        ("c", 5, 5),
    ]
    for group, (right, others) in zip(
        found.groups, ((30 / 40, 49 / 65), (0.8, 31 / 45), (0.2, 78 / 100)), strict=True
    ):
        assert group.rest is not None
        assert group.difference is not None
        assert group.accuracy.value == pytest.approx(right)
        assert group.rest.value == pytest.approx(others)
        assert group.difference.value == pytest.approx(right - others)
        assert group.accuracy.low < right < group.accuracy.high
        exact = binomtest(round(right * group.faces), group.faces).proportion_ci()
        assert group.accuracy.low == pytest.approx(exact.low, abs=0.2 if group.small else 0.03)


def test_all_qualities_views_and_columns_are_slicings() -> None:
    rng = np.random.default_rng(0)
    faces = [
        Qualities(size, a, b, c, size > 300)
        for size, a, b, c in zip(
            rng.uniform(30, 400, 240).tolist(), *rng.uniform(0, 99, (3, 240)).tolist(), strict=True
        )
    ]
    views = ["ahead", "tilted left", None] * 80
    columns = {"age": ["old", "young"] * 120, "camera": ["x"] * 240}
    right = rng.random(240) < 0.7
    found = make_slices(faces, views, columns, right, units_of(range(240)))
    assert [slicing.name for slicing in found] == [*NAMES, "head", "age", "camera"]
    for slicing in found:
        assert sum(group.faces for group in slicing.groups) == 240
        hits = sum(group.faces * group.accuracy.value for group in slicing.groups)
        assert hits == pytest.approx(right.sum())
    head = found[5].groups
    assert [group.name for group in head] == ["ahead", "tilted left", "not found"]
    assert head[2].accuracy.value == pytest.approx(right[2::3].mean())
    without = make_slices(faces, None, {}, right, units_of(range(240)))
    assert [slicing.name for slicing in without] == NAMES
    json.dumps([slicing.to_dict() for slicing in found], allow_nan=False)


def test_faces_that_are_all_alike_are_one_group() -> None:
    found = make_slices([ALIKE] * 50, ["ahead"] * 50, {}, np.arange(50) < 40, units_of(range(50)))
    assert [[group.name for group in slicing.groups] for slicing in found] == [
        ["64–127 px"],
        ["all alike: 50"],
        ["all alike: 120"],
        ["all alike: 40"],
        ["inside the picture"],
        ["ahead"],
    ]
    for slicing in found:
        (group,) = slicing.groups
        assert (group.rest, group.difference, group.p) == (None, None, None)
        assert not slicing.judged
        assert slicing.comparisons == 0
    assert "nothing to compare" in page(found)


def test_one_face_has_its_report() -> None:
    found = make_slices([ALIKE], [None], {"camera": ["x"]}, np.array([True]), units_of([0]))
    (group,) = found[-1].groups
    assert (group.faces, group.units, group.small) == (1, 1, True)
    assert group.accuracy.value == 1
    assert group.accuracy.low == pytest.approx(0.025)
    assert "too few faces to tell where it fails" in page(found)


def test_photos_without_a_face_count_nowhere() -> None:
    values, right = rates({"a": (30, 40), "b": (48, 60)})
    with_others = units_of(range(100), faceless=range(100, 300))
    assert by_column(values, right, with_others) == by_column(values, right)


def test_the_same_faces_give_the_same_slices() -> None:
    values, right = rates({"a": (30, 40), "b": (48, 60)})
    assert by_column(values, right) == by_column(values, right)


# --- what is claimed


def test_a_group_that_is_clearly_worse_is_called_so() -> None:
    found = by_column(*rates({"a": (90, 100), "b": (85, 100), "c": (20, 50)}))
    assert [group.name for group in found.worse] == ["c"]
    assert not found.lower
    text = page([found])
    assert "1 group is clearly worse than the rest" in text
    assert "<bdi>c</bdi> (40&nbsp;% against 88&nbsp;%)" in text


def test_a_difference_that_many_groups_explain_is_only_said_to_look_so() -> None:
    # p of about 0.02 among six comparisons.
    counts = {"a": (33, 50), "b": (42, 50), "c": (42, 50), "d": (41, 50), "e": (42, 50)}
    found = by_column(*rates(counts))
    assert found.comparisons == 5
    assert [group.name for group in found.lower] == ["a"]
    assert not found.worse
    (group,) = found.lower
    assert group.p is not None
    assert group.adjusted_p is not None
    assert group.p < 0.05 < group.adjusted_p == pytest.approx(5 * group.p)
    text = page([found])
    assert "Looks lower, but may be chance: <bdi>a</bdi>" in text
    assert "None is clearly worse" in text
    # The same two alone are one comparison, and clear.
    alone = by_column(*rates({"a": (33, 50), "rest": (167, 200)}))
    assert alone.comparisons == 1
    assert [group.name for group in alone.worse] == ["a"]


def test_two_groups_are_one_comparison() -> None:
    found = by_column(*rates({"a": (20, 60), "b": (50, 60)}))
    assert found.comparisons == 1
    assert [group.name for group in found.worse] == ["a"]
    one, other = found.groups
    assert one.adjusted_p == other.adjusted_p == one.p == pytest.approx(other.p)


def test_better_groups_are_never_called_worse() -> None:
    found = by_column(*rates({"a": (40, 40), "b": (30, 60)}))
    assert [group.name for group in found.worse] == ["b"]


@pytest.mark.parametrize(
    ("faces", "photos", "small"),
    [
        (FEWEST_FACES, FEWEST_FACES, False),
        (FEWEST_FACES - 1, FEWEST_FACES - 1, True),
        (FEWEST_FACES, FEWEST_UNITS, False),
        (FEWEST_FACES + 9, FEWEST_UNITS - 1, True),
    ],
)
def test_small_groups_are_marked_and_not_judged(faces: int, photos: int, small: bool) -> None:
    values, right = rates({"a": (0, faces), "b": (190, 200)})
    names = [place % photos for place in range(faces)] + list(range(1000, 1200))
    found = by_column(values, right, units_of(names, "person"))
    group, rest = found.groups
    assert (group.small, rest.small) == (small, False)
    assert (group.p is None) is small
    # Nor is the rest: it is held against a small group.
    assert (rest.p is None) is small
    assert found.judged is not small
    assert bool(found.worse) is not small
    text = page([found])
    assert (" – small" in text) is small
    assert ("Too few faces on one side" in text) is small
    assert (f", {photos} people" in text) is (photos != faces)


def test_chance_is_seldom_called_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    # 40 evaluations without any difference: of 5 % each at most 6 err, but for 1 in 100.
    from emotion.evaluation.intervals import draw
    from emotion.evaluation.slices import slices

    monkeypatch.setattr(slices, "draw", lambda sums, strata: draw(sums, strata, 500))
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(40):
        columns = {name: rng.choice(list("abcd"), 184).tolist() for name in "xyz"}
        right = rng.random(184) < 0.75
        found = make_slices([ALIKE] * 184, None, columns, right, units_of(range(184)))
        assert found[0].comparisons == 12
        wrong += any(slicing.worse for slicing in found)
    assert wrong <= 6


# --- the page


def test_texts_of_users_are_escaped_and_shortened() -> None:
    values, right = rates({"<b>" + "x" * 300: (30, 40), "\u202e": (30, 40)})
    slicings = make_slices([ALIKE] * 80, None, {"<script>": values}, right, units_of(range(80)))
    text = page(slicings)
    assert "<script>" not in text
    assert "<b>x" not in text
    assert "x" * 61 not in text
    assert "\u202e" not in text
    assert " style=" not in text
    assert 'id="slices"' in text


def test_a_page_without_slices_is_still_one() -> None:
    assert "too few faces" in page([])
