"""Problems: each kind is known by its name, and a problem is one line for people."""

import re
from pathlib import Path
from typing import get_args

import pytest

from emotion.faces import problems
from emotion.faces.problems import KINDS, LONGEST, Kind, Problem, Scope, Severity

# What can be put right without knowing which of two things is meant.
MENDABLE = {
    *("label_spelling", "filename_wrong", "filename_spelling", "path_leaves_folder", "size_wrong"),
    *("coordinate_float", "box_reversed", "box_negative", "box_outside"),
}


def test_each_kind_is_there_once() -> None:
    assert len(KINDS) == len(problems._KINDS)
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_says_what_is_wrong_and_what_to_do(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.name)
    assert kind.severity in get_args(Severity)
    assert kind.scope in get_args(Scope)
    for text in (kind.title, kind.remedy):
        assert text == text.strip()
        assert text
        assert not text.endswith(".")
    assert kind.mendable == (kind.name in MENDABLE)


def test_what_leaves_a_face_in_doubt_is_an_error() -> None:
    warnings = {name for name, kind in KINDS.items() if kind.severity == "warning"}
    assert warnings == {
        *("no_object", "coordinate_float", "box_reversed", "box_whole_picture", "boxes_repeated"),
        *("origin_one_based", "size_wrong", "filename_wrong", "filename_spelling"),
        *("identical", "similar"),
    }


@pytest.mark.parametrize(("line", "text"), [(None, "img/a.xml: odd"), (7, "img/a.xml:7: odd")])
def test_a_problem_reads_as_a_compiler_writes_it(line: int | None, text: str) -> None:
    assert str(Problem("box_empty", Path("img/a.xml"), "odd", line)) == text


@pytest.mark.parametrize("length", [1, LONGEST - 1, LONGEST])
def test_a_message_is_kept_whole(length: int) -> None:
    message = "x" * length
    assert Problem("box_empty", Path("a.xml"), message).message == message


def test_a_message_without_end_is_cut() -> None:
    problem = Problem("box_empty", Path("a.xml"), "x" * 10_000_000)
    assert problem.message == "x" * (LONGEST - 1) + "…"
