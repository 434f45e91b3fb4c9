"""`emotion export`: what passes the gate is written, all else leaves no trace."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tests.exports import faces

import emotion.exporting.exports
import emotion.exporting.onnx_file
import emotion.exporting.safetensors_file
import emotion.exporting.timing
from emotion.__main__ import main
from emotion.evaluation.results import measure
from emotion.evaluation.subjects import Subject
from emotion.experiments.outcome import RunResult
from emotion.exporting import int8_file
from emotion.exporting.faces import read_faces
from emotion.exporting.graph import ExportedGraph
from emotion.exporting.timing import Latency
from emotion.inference.checkpoint_files import find_checkpoint
from emotion.inference.classifiers import Classifier
from emotion.inference.model_info import ModelInfo
from emotion.inference.sealing import read_sealed
from emotion.models import open_model
from emotion.training.checkpoints import Checkpoint, CheckpointClassifier, store_calibration


@pytest.fixture
def run(run_result: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A calibrated run that may be written into; time and memory are not looked at closely."""
    folder = shutil.copytree(run_result.folder, tmp_path / "run")
    store_calibration(find_checkpoint(folder), 2.5, 0.4)
    monkeypatch.setattr(emotion.exporting.timing, "SECONDS", 0)
    monkeypatch.setattr(emotion.exporting.exports, "measure_memory", lambda path: None)
    return folder


def costing(monkeypatch: pytest.MonkeyPatch, **milliseconds: float) -> None:
    """Lets classifiers take these times, so that a busy machine does not decide."""

    def fake(classifiers: Mapping[str, Classifier], crops: NDArray[np.uint8]) -> dict[str, Latency]:
        taken = {name: milliseconds.get(name.replace("-", "_"), 9.0) for name in classifiers}
        return {name: Latency(each, 16 * each) for name, each in taken.items()}

    monkeypatch.setattr(emotion.exporting.exports, "time_classifiers", fake)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("onnx", marks=pytest.mark.slow),
        pytest.param("pt2", marks=pytest.mark.slow),
        "safetensors",
    ],
)
def test_a_float_file_is_written_beside_the_run(
    run: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), "--format", kind, "--licence", "CC0"]) == 0
    printed = capsys.readouterr().out
    path = run / f"model.{kind}"
    assert f"written: {path}" in printed
    assert "largest difference of a probability" in printed
    assert "(100.0%)" in printed
    model = open_model(path, "cpu")
    assert (model.temperature, model.threshold) == (2.5, 0.4)
    assert model.info is not None
    assert model.info.licence == "CC0"
    expected = open_model(run, "cpu").classifier.probabilities(faces(7))
    np.testing.assert_allclose(model.classifier.probabilities(faces(7)), expected, atol=1e-4)


def wrong_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the ONNX exporter get the last layer wrong."""
    right = emotion.exporting.onnx_file.to_onnx

    def wrong(graph: ExportedGraph, size: int) -> onnx.ModelProto:
        model = right(graph, size)
        bias = next(w for w in model.graph.initializer if w.name == "last.bias")
        values = numpy_helper.to_array(bias) + np.array([0, 0, 30, 0, 0], np.float32)
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))
        return model

    monkeypatch.setattr(emotion.exporting.onnx_file, "to_onnx", wrong)


def wrong_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the exporter of safetensors get the last layer wrong."""
    right = emotion.exporting.safetensors_file.write_safetensors

    def wrong(path: Path, checkpoint: Checkpoint, info: ModelInfo) -> None:
        name = "backbone.classifier.1.bias"
        bias = checkpoint.state[name] + torch.tensor([0.0, 0, 30, 0, 0])
        right(path, replace(checkpoint, state=checkpoint.state | {name: bias}), info)

    monkeypatch.setattr(emotion.exporting.safetensors_file, "write_safetensors", wrong)


@pytest.mark.parametrize(
    ("kind", "break_it"),
    [pytest.param("onnx", wrong_graph, marks=pytest.mark.slow), ("safetensors", wrong_tensors)],
)
def test_an_exporter_that_is_wrong_is_caught_and_an_older_file_stays(
    run: Path,
    kind: str,
    break_it: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    break_it(monkeypatch)
    before = sorted(path.name for path in run.iterdir())
    assert main(["export", str(run), "--format", kind]) == 2
    told = capsys.readouterr().err
    older = run / f"model.{kind}"
    assert f"{older}: not kept: a probability differs by" in told
    assert ", face 1: " in told
    assert "-> surprise 0.9" in told or "-> surprise 1.0000" in told
    assert sorted(path.name for path in run.iterdir()) == before
    older.write_bytes(b"older")
    assert main(["export", str(run), "--format", kind]) == 2
    assert older.read_bytes() == b"older"
    assert sorted(path.name for path in run.iterdir()) == sorted([*before, older.name])


@pytest.mark.slow
def test_8_bits_are_kept_where_they_are_smaller_and_not_slower(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costing(monkeypatch, onnx=5.0, onnx_int8=5.0)
    arguments = ["export", str(run), "--format", "onnx-int8", "--most-loss", "1"]
    assert main(arguments) == 0
    assert "calibrating on" in capsys.readouterr().err
    path = run / "model-int8.onnx"
    assert not (run / "model.onnx").exists()
    assert path.stat().st_size < 4e6
    assert read_sealed(path, "onnx").temperature == 2.5
    kinds = {node.op_type for node in onnx.load(path).graph.node}
    assert "QuantizeLinear" in kinds
    found = open_model(path).classifier.probabilities(faces(7))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    expected = open_model(run, "cpu").classifier.probabilities(faces(7))
    assert np.abs(found - expected).max() < 0.2


@pytest.mark.slow
def test_8_bits_that_are_slower_are_not_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costing(monkeypatch, onnx=5.0, onnx_int8=6.0)
    arguments = ["export", str(run), "--format", "onnx-int8", "--most-loss", "1"]
    assert main(arguments) == 1
    told = capsys.readouterr().err
    assert "not worth it: one face takes 6.0 ms and 5.0 with the float file" in told
    assert not (run / "model-int8.onnx").exists()


@pytest.mark.slow
def test_8_bits_that_lose_answers_are_not_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = emotion.exporting.onnx_file.save_onnx

    def wrong(path: Path, model: onnx.ModelProto, *rest: object) -> None:
        """Turns each answer into another one."""
        order = numpy_helper.from_array(np.array([1, 2, 3, 4, 0], np.int64), "order")
        model.graph.initializer.append(order)
        model.graph.node[-1].output[0] = "straight"
        turned = onnx.helper.make_node("Gather", ["straight", "order"], ["probabilities"], axis=1)
        model.graph.node.append(turned)
        right(path, model, *rest)  # type: ignore[arg-type]

    def as_answered(checkpoint: Checkpoint, data: Path | None) -> Subject:
        """Takes the checkpoint's own answers for the truth, so that any other is a loss."""
        subject = read_faces(checkpoint, data)
        answers = measure(subject.samples, CheckpointClassifier(checkpoint, "cpu")).answers
        pairs = zip(subject.samples, answers, strict=True)
        return replace(
            subject, samples=[replace(sample, target=int(answer)) for sample, answer in pairs]
        )

    monkeypatch.setattr(int8_file, "save_onnx", wrong)
    monkeypatch.setattr(emotion.exporting.exports, "read_faces", as_answered)
    code = main(["export", str(run), "--format", "onnx-int8", "--most-loss", "0"])
    told = capsys.readouterr().err
    assert code == 2
    assert "not kept: accuracy falls by 1.0000, from 1.0000 to 0.0000" in told
    assert "face 1: " in told
    assert not (run / "model-int8.onnx").exists()


def test_a_lone_checkpoint_needs_photos(
    run: Path, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = Path(shutil.copy(find_checkpoint(run), tmp_path / "alone.ckpt"))
    assert main(["export", str(alone), "--format", "safetensors"]) == 2
    told = capsys.readouterr().err
    assert f"{alone}: has no run folder with a config.yaml" in told
    assert "--data DIR" in told
    data = ["--data", str(sample_root / "test")]
    assert main(["export", str(alone), "--format", "safetensors", *data]) == 0
    assert (tmp_path / "model.safetensors").is_file()
    assert main(["export", str(alone), "--format", "onnx-int8", *data]) == 2
    assert "8 bits are calibrated on the run's own training photos" in capsys.readouterr().err


def test_photos_that_are_gone_are_told(
    run: Path, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, gone = run / "config.yaml", tmp_path / "gone"
    config.write_text(config.read_text().replace(str(sample_root), str(gone)))
    assert main(["export", str(run), "--format", "safetensors"]) == 2
    told = capsys.readouterr().err
    assert f"{gone}: the run's photos are no longer there" in told
    assert "--data DIR" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "."], "is a folder; name a file"),
        (["--most-loss", "2"], "--most-loss 2.0: expected a share from 0 to 1"),
        (["--most-loss", "nan"], "--most-loss nan: expected a share from 0 to 1"),
    ],
)
def test_options_that_are_wrong_are_told(
    run: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_checkpoint_itself_is_never_written_over(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = find_checkpoint(run)
    before = checkpoint.read_bytes()
    assert main(["export", str(run), "--out", str(checkpoint)]) == 2
    assert "is the checkpoint itself" in capsys.readouterr().err
    assert checkpoint.read_bytes() == before


def test_packages_that_are_missing_are_told(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["export", str(run), "--format", "safetensors"]) == 2
    assert "needs safetensors, not installed: pip install 'emotion[export]'" in (
        capsys.readouterr().err
    )
