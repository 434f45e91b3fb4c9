"""The examples of docs/export.md do what the page says."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tests.exports import TEMPERATURE, THRESHOLD, Exported
from tests.node import find_node

from emotion.exporting.onnx_file import save_onnx
from emotion.faces.boxes import Box
from emotion.inference.model_info import ModelInfo
from emotion.inference.onnx_classifier import OnnxClassifier
from emotion.inference.sealing import read_sealed

PAGE = (Path(__file__).parents[1] / "docs" / "export.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def photo() -> NDArray[np.uint8]:
    """Draws a picture of 120 x 90 with soft and hard edges: H x W x 3, uint8."""
    coarse = np.random.default_rng(1).integers(0, 256, (18, 24, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((120, 90), Image.Resampling.BILINEAR))


def ask_node(folder: Path, box: Box) -> dict[str, Any]:
    """Runs the page's example on `model.onnx` and the drawn photo in a folder."""
    node = find_node(folder)
    (folder / "photo.rgb").write_bytes(photo().tobytes())
    (folder / "emotion.mjs").write_text(example("js"))
    numbers = [str(n) for n in (120, 90, *box.to_inclusive())]
    command = [node, "emotion.mjs", "model.onnx", "photo.rgb", *numbers]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_javascript_example_gives_the_same_answer(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").symlink_to(exported.onnx)
    box = Box(10, 5, 100, 80)
    found = ask_node(tmp_path, box)
    classifier = OnnxClassifier(exported.onnx)
    labels = classifier.input.labels
    (row,) = classifier.probabilities(classifier.input.pixels(photo(), box)[None])
    assert list(found["probabilities"]) == list(labels)
    np.testing.assert_allclose(list(found["probabilities"].values()), row, atol=1e-4)
    assert found["answer"] == (labels[int(row.argmax())] if row.max() >= THRESHOLD else "unsure")


def weighing(size: int) -> onnx.ModelProto:
    """Makes a graph that weighs each pixel otherwise, so that the wrong ones are noticed."""
    weights = np.random.default_rng(2).normal(0, 1e-4, (size * size * 3, 5)).astype(np.float32)
    weights -= weights.mean(axis=0)  # the brightness as a whole is of no account
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    ends = (
        helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", size, size, 3]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 5]),
    )
    initial = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "weighing", [ends[0]], [ends[1]], initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("box", "margin", "square"),
    [
        (Box(10, 5, 100, 80), 0.0, False),  # shrinks
        (Box(30, 30, 61, 50), 0.25, True),  # grows
        (Box(-10, 40, 50, 130), 0.15, True),  # is clipped
        (Box(70, 10, 119, 77), 0.5, False),
    ],
)
def test_the_javascript_example_cuts_out_the_same_face(
    exported: Exported, tmp_path: Path, box: Box, margin: float, square: bool
) -> None:
    info = read_sealed(exported.onnx, "onnx")
    info = replace(info, input=replace(info.input, margin=margin, square=square))
    save_onnx(tmp_path / "model.onnx", weighing(info.input.size), info)
    found = list(ask_node(tmp_path, box)["probabilities"].values())
    classifier = OnnxClassifier(tmp_path / "model.onnx")
    beside = Box(box.left + 1, box.top, box.right + 1, box.bottom)
    pixels = [classifier.input.pixels(photo(), each) for each in (box, beside)]
    row, other = classifier.probabilities(np.stack(pixels))
    np.testing.assert_allclose(found, row, atol=1e-3)  # a pixel may be rounded the other way
    assert np.abs(other - row).max() > 1e-2, "one pixel aside is noticed"


def test_the_table_names_all_metadata(exported: Exported) -> None:
    info: ModelInfo = read_sealed(exported.onnx, "onnx")
    assert info.temperature == TEMPERATURE
    content = json.loads(info.to_json())
    names = {name for name in content if name != "input"}
    names |= {f"input.{name}" for name in content["input"]}
    table = PAGE.split("## Metadata")[1].split("## ")[0]
    assert (
        set(re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.M)))) == names
    )
