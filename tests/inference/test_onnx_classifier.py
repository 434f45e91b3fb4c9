"""Exported ONNX files in onnxruntime."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.exports import Exported, faces

import emotion.inference.onnx_classifier
from emotion.errors import CheckpointError, ConfigError
from emotion.exporting.onnx_file import save_onnx
from emotion.inference.onnx_classifier import OnnxClassifier
from emotion.inference.sealing import read_sealed, seal
from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint


@pytest.mark.parametrize("batch", [0, 1, 7, 16])
def test_probabilities_are_those_of_the_checkpoint(exported: Exported, batch: int) -> None:
    pixels = faces(batch)
    answer = OnnxClassifier(exported.onnx).probabilities(pixels)
    checkpoint = CheckpointClassifier(read_checkpoint(exported.checkpoint), "cpu")
    assert answer.dtype == np.float32
    assert answer.shape == (batch, 5)
    if batch:
        np.testing.assert_allclose(answer, checkpoint.probabilities(pixels), atol=1e-5)
        np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-6)


def test_many_faces_are_answered_in_their_order(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = OnnxClassifier(exported.onnx).probabilities(faces(11))
    monkeypatch.setattr(emotion.inference.onnx_classifier, "PIECE", 3 * 64**2 + 1)
    pieces = OnnxClassifier(exported.onnx).probabilities(faces(11))
    np.testing.assert_allclose(pieces, whole, atol=1e-6)


def test_pixels_in_any_layout_give_the_same(exported: Exported) -> None:
    classifier, pixels = OnnxClassifier(exported.onnx), faces(4)
    turned = np.asfortranarray(pixels)
    np.testing.assert_array_equal(
        classifier.probabilities(turned), classifier.probabilities(pixels)
    )


def test_several_threads_get_what_one_gets(exported: Exported) -> None:
    classifier, pixels = OnnxClassifier(exported.onnx), faces(24)
    expected = [classifier.probabilities(pixels[i : i + 1]) for i in range(24)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: classifier.probabilities(pixels[i : i + 1]), range(24)))
    np.testing.assert_array_equal(found, expected)


def test_a_damaged_file_never_reaches_onnxruntime(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(exported.onnx.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "x.onnx"
    path.write_bytes(content)

    def opened(*_: object, **__: object) -> None:
        pytest.fail("opened by onnxruntime")

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    with pytest.raises(CheckpointError, match=r"x\.onnx: is not as it was written"):
        OnnxClassifier(path)


def sealed_graph(
    path: Path, exported: Exported, shape: Sequence[str | int], classes: int, factor: float = 1.0
) -> Path:
    """Writes another graph with the metadata of a real export: a mean of pixels for each class."""
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape)
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [shape[0], classes])
    weight = numpy_helper.from_array(np.full((3, classes), factor, np.float32), "weight")
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weight"], ["probabilities"]),
    ]
    axes = numpy_helper.from_array(np.array([1, 2], np.int64), "axes")
    graph = helper.make_graph(nodes, "other", [pixels], [out], [weight, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    save_onnx(path, model, read_sealed(exported.onnx, "onnx"))
    return path


@pytest.mark.parametrize(
    ("shape", "classes"), [(["b", 64, 64, 3], 4), (["b", 32, 32, 3], 5), (["b", 64, 64], 5)]
)
def test_a_graph_that_does_not_fit_its_metadata_is_refused(
    exported: Exported, tmp_path: Path, shape: list[str | int], classes: int
) -> None:
    if len(shape) == 3:
        model = onnx.load(exported.onnx)
        model.graph.output[0].name = "other"
        model.graph.node[-1].output[0] = "other"
        save_onnx(tmp_path / "x.onnx", model, read_sealed(exported.onnx, "onnx"))
    else:
        sealed_graph(tmp_path / "x.onnx", exported, shape, classes)
    with pytest.raises(
        CheckpointError, match=r"its graph takes .* expected pixels tensor\(uint8\)"
    ):
        OnnxClassifier(tmp_path / "x.onnx")


def test_answers_that_are_no_numbers_are_an_error(exported: Exported, tmp_path: Path) -> None:
    path = sealed_graph(tmp_path / "x.onnx", exported, ["b", 64, 64, 3], 5, float("nan"))
    with pytest.raises(CheckpointError, match=r"x\.onnx: gives no numbers"):
        OnnxClassifier(path).probabilities(faces(1))


def test_what_onnxruntime_cannot_open_is_told(
    exported: Exported, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(exported.onnx)
    model.graph.node[0].op_type = "NoSuchOperator"
    del model.metadata_props[:]
    helper.set_model_props(model, {"emotion": read_sealed(exported.onnx, "onnx").to_json()})
    path = tmp_path / "x.onnx"
    path.write_bytes(model.SerializeToString())
    seal(path, "onnx")
    with pytest.raises(CheckpointError, match=r"x\.onnx: onnxruntime cannot open it \(.*NoSuch"):
        OnnxClassifier(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "cuda:x", "tpu", "cpu:1"])
def test_a_device_that_is_not_there_is_told(exported: Exported, device: str) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers() and "x" not in device:
        pytest.skip("this onnxruntime knows GPUs")
    with pytest.raises(ConfigError, match=f"--device {device}: not on this machine"):
        OnnxClassifier(exported.onnx, device)


def test_the_file_tells_nothing_of_the_machine_that_wrote_it(exported: Exported) -> None:
    for kind in ("onnx", "pt2", "safetensors"):
        content = exported.of(kind).read_bytes()
        assert str(Path(__file__).parents[2]).encode() not in content
        assert b"site-packages" not in content
