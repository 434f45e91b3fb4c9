"""Reading an evaluation for a card: whole, with parts missing, damaged."""

from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.card.card_content import content, write_evaluation

from emotion.errors import DataError
from emotion.evaluation.card.scores import place_name, read_evaluation


def test_an_evaluation_is_read(tmp_path: Path) -> None:
    found = read_evaluation(write_evaluation(tmp_path, content()))
    assert (found.data, found.part, found.date) == ("faces5/test", "test", "2026-11-25")
    assert str(found.scores[0]) == "0.700 (0.640 to 0.750)"
    assert (found.classes[1].label, found.classes[1].faces) == ("sad", 12)
    assert found.classes[1].precision is None
    assert str(found.classes[1].recall) == "0.400 (0.340 to 0.450)"
    assert [score.name for score in found.end_to_end["sad"]] == [
        "faces found",
        "found and named rightly, all faces",
    ]
    calibration = {score.name: str(score) for score in found.calibration}
    assert calibration["log loss (nats)"] == "0.900 (0.840 to 0.950)"
    assert calibration["Brier score (0 to 2)"] == "0.400"
    assert (found.slices["sad"][0].small, found.slices["sad"][1].worse) == (True, True)
    assert (found.looks, found.temperature) == (1, 1.5)


@pytest.mark.parametrize(
    "part", ["about", "scores", "classes", "end_to_end", "calibration", "slices", "labels"]
)
@pytest.mark.parametrize("absent", [True, False])
def test_parts_may_be_missing_or_null(tmp_path: Path, part: str, absent: bool) -> None:
    some = content() | {part: None}
    if absent:
        del some[part]
    found = read_evaluation(write_evaluation(tmp_path, some))
    assert found.faces == 112


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"format": None},
        {"about": "x"},
        {"classes": [{"faces": 1}]},
        {"scores": {"accuracy": {"value": 1}}},
        {"slices": [{"name": "x"}]},
        {"faces": "many"},
    ],
)
def test_what_is_no_evaluation_is_one_clear_error(tmp_path: Path, changed: Any) -> None:
    write_evaluation(tmp_path, content() | changed)
    with pytest.raises(DataError, match=r"metrics\.json: expected what this version"):
        read_evaluation(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_damaged_json_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(DataError, match=r"metrics\.json: expected what this version"):
        read_evaluation(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_evaluation(tmp_path / "none")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/me/faces5/test", "faces5/test"),
        ("/home/me/faces5/", "faces5"),
        ("../shared/data/faces5", "faces5"),
        ("C:\\Users\\me\\faces", "faces"),
        ("/test", "test"),
        (".", "data"),
        ("/", "data"),
        ("..", "data"),
        ("", "data"),
    ],
)
def test_folders_above_the_data_are_not_named(path: str, name: str) -> None:
    assert place_name(path) == name
