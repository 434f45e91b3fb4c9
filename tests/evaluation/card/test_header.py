"""The metadata, read back by a YAML library and held against the hub's specification."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.evaluation.card.card_content import content, write_evaluation

from emotion.evaluation.card.header import header
from emotion.evaluation.card.scores import read_evaluation

# Of modelcard.md in huggingface/hub-docs: what may stand where.
TOP = {"license", "license_name", "library_name", "pipeline_tag", "tags", "metrics", "model-index"}
RESULT = {"task": {"type", "name"}, "dataset": {"type", "name", "split"}}
METRIC = {"type", "value", "name", "args"}


def read(text: str) -> dict[str, Any]:
    first, body, rest = text.split("---\n")
    assert (first, rest) == ("", "")
    found: dict[str, Any] = yaml.safe_load(body)
    return found


def test_the_fields_are_those_of_the_specification(tmp_path: Path) -> None:
    evaluation = read_evaluation(write_evaluation(tmp_path, content()))
    found = read(header("my model", "Apache-2.0", [evaluation]))
    assert set(found) <= TOP
    assert found["license"] == "apache-2.0"
    assert found["pipeline_tag"] == "image-classification"
    assert found["metrics"] == ["accuracy", "f1", "recall"]
    (index,) = found["model-index"]
    assert index["name"] == "my model"
    (result,) = index["results"]
    for key, fields in RESULT.items():
        assert {"type"} <= set(result[key]) <= fields
    assert result["dataset"] == {"name": "faces5/test", "type": "custom", "split": "test"}
    for metric in result["metrics"]:
        assert {"type", "value"} <= set(metric) <= METRIC
    values = {(m["type"], m.get("args", {}).get("average")): m["value"] for m in result["metrics"]}
    assert values == {("accuracy", None): 0.7, ("recall", "macro"): 0.66, ("f1", "macro"): 0.65}
    assert "95 % interval 0.640 to 0.750" in result["metrics"][0]["name"]


def test_without_an_evaluation_there_are_no_results() -> None:
    found = read(header("x", None, []))
    assert set(found) == {"library_name", "pipeline_tag", "tags"}


@pytest.mark.parametrize(
    ("licence", "fields"),
    [
        (None, {}),
        ("MIT", {"license": "mit"}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        (
            "Only for us: ask!\n---",
            {"license": "other", "license_name": "only-for-us-ask"},
        ),
        ("§", {"license": "other", "license_name": "other"}),
    ],
)
def test_a_licence_is_stated_and_never_guessed(licence: str | None, fields: dict[str, str]) -> None:
    found = read(header("x", licence, []))
    assert {key: value for key, value in found.items() if "license" in key} == fields


@pytest.mark.parametrize("name", ["a\n---\nb", "a: b", "- a", "{x", "'\"", "null", "\x00", "&a *b"])
def test_any_name_leaves_the_header_whole(tmp_path: Path, name: str) -> None:
    some = content()
    some["about"]["data"] = f"/x/{name}"
    evaluation = read_evaluation(write_evaluation(tmp_path, some))
    found = read(header(name, None, [evaluation]))
    (index,) = found["model-index"]
    assert isinstance(index["name"], str)
    assert isinstance(index["results"][0]["dataset"]["name"], str)
    assert set(found) <= TOP
