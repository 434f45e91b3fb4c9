"""Exported files that torch opens."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tests.exports import TEMPERATURE, THRESHOLD, Exported, faces

from emotion.errors import CheckpointError, ConfigError
from emotion.exported.classifiers import ProgramClassifier, SafetensorsClassifier
from emotion.inference.sealing import PLACEHOLDER, SEAL, seal
from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint


@pytest.fixture(scope="module")
def program(exported: Exported) -> ProgramClassifier:
    """The exported program, opened; that takes a second."""
    return ProgramClassifier(exported.pt2, "cpu")


@pytest.mark.parametrize("batch", [0, 1, 7])
def test_probabilities_are_those_of_the_checkpoint(
    exported: Exported, program: ProgramClassifier, batch: int
) -> None:
    pixels = faces(batch)
    checkpoint = CheckpointClassifier(read_checkpoint(exported.checkpoint), "cpu")
    expected = checkpoint.probabilities(pixels)
    weights = SafetensorsClassifier(exported.safetensors, "cpu").probabilities(pixels)
    np.testing.assert_array_equal(weights, expected)
    found = program.probabilities(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_temperature_and_threshold_travel_along(
    exported: Exported, program: ProgramClassifier
) -> None:
    classifier = SafetensorsClassifier(exported.safetensors, "cpu")
    assert classifier.temperature == classifier.info.temperature == TEMPERATURE
    assert (program.info.temperature, program.info.threshold) == (TEMPERATURE, THRESHOLD)


def test_torch_alone_runs_a_program(exported: Exported, program: ProgramClassifier) -> None:
    with exported.pt2.open("rb") as stream:
        alone = torch.export.load(stream).module()
    pixels = faces(3)
    found = alone(torch.from_numpy(pixels)).numpy()
    np.testing.assert_array_equal(found, program.probabilities(pixels))


def rewritten(exported: Exported, path: Path, change: str) -> Path:
    """Writes other tensors with the metadata of a real export."""
    with safe_open(exported.safetensors, "pt") as stream:
        texts = {**stream.metadata(), SEAL: PLACEHOLDER.decode()}
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    last = tensors["backbone.classifier.1.weight"]
    if change == "missing":
        del tensors["backbone.classifier.1.weight"]
    elif change == "shape":
        tensors["backbone.classifier.1.weight"] = last[:4].clone()
    elif change == "nan":
        tensors["backbone.classifier.1.weight"] = last * float("nan")
    else:
        texts["emotion"] = texts["emotion"].replace("mobilenet_v2", "mobilenet_v9")
    save_file(tensors, path, texts)
    seal(path, "safetensors")
    return path


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_tensors_that_do_not_fit_are_refused(
    exported: Exported, tmp_path: Path, change: str
) -> None:
    path = rewritten(exported, tmp_path / "x.safetensors", change)
    with pytest.raises(CheckpointError, match=r"x\.safetensors: its tensors do not fit"):
        SafetensorsClassifier(path, "cpu")


def test_another_network_is_refused(exported: Exported, tmp_path: Path) -> None:
    path = rewritten(exported, tmp_path / "x.safetensors", "network")
    with pytest.raises(CheckpointError, match=r"x\.safetensors: network mobilenet_v9"):
        SafetensorsClassifier(path, "cpu")


def test_answers_that_are_no_numbers_are_an_error(exported: Exported, tmp_path: Path) -> None:
    path = rewritten(exported, tmp_path / "x.safetensors", "nan")
    with pytest.raises(CheckpointError, match=r"x\.safetensors: gives no numbers"):
        SafetensorsClassifier(path, "cpu").probabilities(faces(1))


def test_a_device_that_is_not_there_is_told(exported: Exported) -> None:
    with pytest.raises(ConfigError, match="--device mps: not on this machine"):
        ProgramClassifier(exported.pt2, "mps")
