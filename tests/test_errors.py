"""Errors: one family, and messages that stay readable however many problems there are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    EmotionError,
    PictureError,
    summarise,
)


@pytest.mark.parametrize("kind", [CheckpointError, ConfigError, DataError, PictureError])
def test_every_error_of_a_user_is_an_emotion_error_and_a_value_error(
    kind: type[EmotionError],
) -> None:
    assert issubclass(kind, EmotionError)
    assert issubclass(kind, ValueError)


def test_the_error_of_a_picture_names_it_and_keeps_kind_and_reason() -> None:
    error = PictureError(Path("img/a.jpg"), "picture_empty", "empty file")
    assert str(error) == "img/a.jpg: empty file"
    assert (error.kind, error.reason) == ("picture_empty", "empty file")


def test_ten_problems_are_all_listed() -> None:
    assert summarise([f"p{k}" for k in range(10)]) == "p0\np1\np2\np3\np4\np5\np6\np7\np8\np9"


def test_the_eleventh_problem_is_counted() -> None:
    lines = summarise([f"p{k}" for k in range(11)]).splitlines()
    assert lines[9:] == ["p9", "… and 1 more"]


@given(st.lists(st.text("abc :/.", min_size=1), max_size=60))
def test_listed_and_counted_problems_are_all_problems(problems: list[str]) -> None:
    lines = summarise(problems).split("\n") if problems else []
    counted = int(lines.pop().split()[2]) if len(problems) > 10 else 0
    assert lines == problems[:10]
    assert len(lines) + counted == len(problems)
