"""Training that starts from an ONNX file of half precision: the network of the checkpoint again."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest
import torch
from tests.exports import Exported

from emotion.errors import CheckpointError
from emotion.exporting.graph import ExportedGraph
from emotion.exporting.half_file import write_half
from emotion.exporting.information import gather_information
from emotion.inference.onnx_classifier import OnnxClassifier
from emotion.training.bundled_weights import bundled_weights
from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint, rebuild


@pytest.fixture(scope="module")
def half(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written with the graph that was traced for the float file: tracing takes seconds."""
    checkpoint = read_checkpoint(exported.checkpoint)
    path = tmp_path_factory.mktemp("half") / "model.onnx"
    with pytest.MonkeyPatch.context() as patch:
        traced = onnx.load(exported.onnx)
        patch.setattr("emotion.exporting.half_file.to_onnx", lambda *_: traced)
        write_half(path, ExportedGraph(checkpoint), checkpoint, gather_information(checkpoint))
    return path


def test_the_file_answers_as_the_checkpoint_within_half_precision(
    half: Path, exported: Exported
) -> None:
    checkpoint = CheckpointClassifier(read_checkpoint(exported.checkpoint), "cpu")
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (8, 64, 64, 3), dtype=torch.uint8, generator=generator).numpy()
    answers = OnnxClassifier(half).probabilities(pixels)
    assert abs(answers - checkpoint.probabilities(pixels)).max() < 5e-3
    assert half.stat().st_size < 5e6


def test_a_runtime_has_nothing_to_complain_of(half: Path) -> None:
    code = f"import onnxruntime; onnxruntime.InferenceSession({str(half)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_weights_are_those_of_the_checkpoint_batch_norm_included(
    half: Path, exported: Exported
) -> None:
    network = rebuild(read_checkpoint(exported.checkpoint))
    expected, found = network.backbone.state_dict(), bundled_weights(half)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        if not name.endswith("num_batches_tracked"):
            largest = tensor.abs().max().item()
            torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-3 * largest)
    network.backbone.load_state_dict(found)


def test_other_files_are_refused(exported_onnx: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no file of the format onnx-half"):
        bundled_weights(exported_onnx)
    with pytest.raises(CheckpointError, match=r"model.weights=bundled: .*absent.onnx"):
        bundled_weights(tmp_path / "absent.onnx")


@pytest.fixture
def exported_onnx(tmp_path: Path) -> Path:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"\x08\x08not a model")
    return path
