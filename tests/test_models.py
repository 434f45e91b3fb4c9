"""Any model by its file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.exports import TEMPERATURE, THRESHOLD, Exported, faces

from emotion.errors import CheckpointError
from emotion.experiments.outcome import RunResult
from emotion.models import open_model


@pytest.mark.parametrize("kind", ["checkpoint", "onnx", "pt2", "safetensors"])
def test_all_formats_give_the_same_answers(kind: str, exported: Exported, tmp_path: Path) -> None:
    renamed = tmp_path / "model.bin"
    renamed.symlink_to(exported.of(kind))
    model = open_model(renamed, "cpu")
    assert (model.temperature, model.threshold) == (TEMPERATURE, THRESHOLD)
    assert (model.info is None) == (kind == "checkpoint")
    expected = open_model(exported.checkpoint, "cpu").classifier.probabilities(faces(3))
    found = model.classifier.probabilities(faces(3))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_folder_of_a_run_is_its_checkpoint(run_result: RunResult) -> None:
    model = open_model(run_result.folder, "cpu")
    assert model.path == run_result.checkpoint
    assert (model.temperature, model.threshold) == (1.0, None)


def test_a_checkpoint_of_another_project_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "x.onnx")
    with pytest.raises(CheckpointError, match=r"x\.onnx: a checkpoint, but of another project"):
        open_model(tmp_path / "x.onnx")


def test_an_onnx_file_is_opened_without_torch(exported: Exported) -> None:
    code = (
        "import sys; from pathlib import Path; from emotion.models import open_model\n"
        f"model = open_model(Path({str(exported.onnx)!r}))\n"
        "heavy = ('torch', 'torchvision', 'onnx', 'cv2', 'scipy', 'matplotlib', 'safetensors')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("kind", ["checkpoint", "pt2"])
def test_without_torch_the_way_out_is_told(kind: str, exported: Exported) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "sys.modules['torch'] = None\n"
        "from emotion.models import open_model\n"
        f"open_model(Path({str(exported.of(kind))!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs torch, which is not installed; an .onnx file needs neither" in done.stderr
    assert "CheckpointError" in done.stderr.splitlines()[-1]


def test_without_safetensors_the_way_out_is_told(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    text = "needs safetensors, which is not installed; an .onnx file needs neither"
    with pytest.raises(CheckpointError, match=text):
        open_model(exported.safetensors)
