"""What model files say of themselves: what goes in comes out, and what is odd is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import CheckpointError
from emotion.faces.inputs import InputSpec
from emotion.inference.model_info import FORMAT, ModelInfo

INFO = ModelInfo(
    input=InputSpec(labels=("calm", "웃음"), size=96, margin=0.1),
    temperature=1.25,
    threshold=None,
    architecture="mobilenet_v2",
    epoch=4,
    checkpoint_sha256="a" * 64,
    data_sha256=None,
    licence="ask",
    versions={"torch": "2"},
)


def changed(**fields: Any) -> str:
    return json.dumps(json.loads(INFO.to_json()) | fields)


@given(st.floats(0.01, 100), st.none() | st.floats(0, 1), st.text())
def test_what_goes_in_comes_out(temperature: float, threshold: float | None, text: str) -> None:
    info = replace(INFO, temperature=temperature, threshold=threshold, licence=text)
    assert ModelInfo.from_json(info.to_json(), "m.onnx") == info
    assert "\n" not in info.to_json()


def test_the_same_values_give_the_same_text() -> None:
    assert replace(INFO, versions=dict(INFO.versions)).to_json() == INFO.to_json()


def test_a_later_version_is_refused_with_both_versions() -> None:
    text = changed(format=FORMAT + 1, version="9.0")
    with pytest.raises(CheckpointError, match=r"m\.onnx: written by emotion 9\.0 in format 2;"):
        ModelInfo.from_json(text, "m.onnx")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "its metadata are no JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "its metadata are no JSON"),
        (changed(format=None), "its format is None, expected 1"),
        (changed(temperature=0), "its temperature is 0"),
        (changed(temperature=True), "its temperature is True"),
        (changed(threshold=1.5), "its threshold is 1.5"),
        (changed(threshold="0.5"), "its threshold is '0.5'"),
        (changed(versions=3), "its metadata are damaged"),
        (changed(input={}), "the input settings have"),
        (json.dumps({"format": FORMAT}), r"its metadata are damaged \(KeyError: 'input'\)"),
    ],
)
def test_what_is_damaged_is_refused(text: str, told: str) -> None:
    with pytest.raises(CheckpointError, match=told):
        ModelInfo.from_json(text, "m.onnx")
