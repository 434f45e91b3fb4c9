from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emotion.errors import CheckpointError
from emotion.experiments.outcome import RunResult
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import (
    CheckpointClassifier,
    _softmax,
    read_checkpoint,
    store_calibration,
)


def only_primitives(value: Any) -> bool:
    if isinstance(value, dict):
        return all(only_primitives(k) and only_primitives(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(only_primitives(v) for v in value)
    return value is None or isinstance(value, torch.Tensor | str | int | float | bool)


def test_a_checkpoint_is_plain_data(trained: RunResult) -> None:
    for path in trained.checkpoint.parent.iterdir():
        content = torch.load(path, weights_only=True)
        assert only_primitives(content), path


def test_a_checkpoint_tells_its_input_and_epoch(run_result: RunResult) -> None:
    checkpoint = read_checkpoint(run_result.checkpoint)
    assert checkpoint.input == InputSpec(size=64)
    assert checkpoint.epoch == run_result.selection.epoch
    assert run_result.checkpoint.name == f"epoch_{checkpoint.epoch:03d}.ckpt"


def test_a_classifier_gives_probabilities_in_any_batch(run_result: RunResult) -> None:
    classifier = CheckpointClassifier(read_checkpoint(run_result.checkpoint), "cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    together = classifier.probabilities(pixels)
    assert together.shape == (5, 5)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)
    alone = np.concatenate([classifier.probabilities(pixels[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def rewritten(run_result: RunResult, path: Path, **changes: Any) -> Path:
    content = torch.load(run_result.checkpoint, weights_only=True)
    content["emotion"] |= changes
    torch.save(content, path)
    return path


def test_what_is_no_checkpoint_is_refused_with_a_reason(
    run_result: RunResult, tmp_path: Path
) -> None:
    path = tmp_path / "x.ckpt"
    with pytest.raises(CheckpointError, match=r"x\.ckpt: no such file; expected a checkpoint"):
        read_checkpoint(path)
    with pytest.raises(CheckpointError, match="got a folder"):
        read_checkpoint(tmp_path)
    path.write_text("not a checkpoint")
    with pytest.raises(CheckpointError, match=r"x\.ckpt: not a checkpoint, damaged"):
        read_checkpoint(path)
    path.write_bytes(run_result.checkpoint.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"x\.ckpt: not a checkpoint, damaged"):
        read_checkpoint(path)
    torch.save({"state_dict": {}, "epoch": 3}, path)
    with pytest.raises(CheckpointError, match="of another project"):
        read_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="not a checkpoint; expected one"):
        read_checkpoint(path)


def test_a_checkpoint_of_another_format_is_refused(run_result: RunResult, tmp_path: Path) -> None:
    path = rewritten(run_result, tmp_path / "later.ckpt", format=99)
    with pytest.raises(CheckpointError, match=r"format 99.*reads format 1"):
        read_checkpoint(path)


@pytest.mark.parametrize("change", [{"size": 7}, {"labels": ["one"]}, {"std": [0, 0, 0]}])
def test_input_settings_out_of_range_are_refused(
    run_result: RunResult, tmp_path: Path, change: dict[str, Any]
) -> None:
    settings = InputSpec(size=64).to_dict() | change
    path = rewritten(run_result, tmp_path / "odd.ckpt", input=settings)
    with pytest.raises(CheckpointError, match=r"odd\.ckpt: input\."):
        read_checkpoint(path)
    path = rewritten(run_result, tmp_path / "odd.ckpt", input={"size": 64})
    with pytest.raises(CheckpointError, match=r"the input settings have \['size'\]"):
        read_checkpoint(path)


def test_tensors_that_do_not_fit_are_refused(run_result: RunResult, tmp_path: Path) -> None:
    settings = InputSpec(labels=("a", "b"), size=64).to_dict()
    path = rewritten(run_result, tmp_path / "two.ckpt", input=settings)
    with pytest.raises(CheckpointError, match="do not fit mobilenet_v2 with 2 classes"):
        CheckpointClassifier(read_checkpoint(path), "cpu")


def test_a_temperature_divides_the_logits(run_result: RunResult, tmp_path: Path) -> None:
    plain = CheckpointClassifier(read_checkpoint(run_result.checkpoint), "cpu")
    path = rewritten(run_result, tmp_path / "warm.ckpt", temperature=0.5)
    warm = CheckpointClassifier(read_checkpoint(path), "cpu")
    assert (plain.temperature, warm.temperature) == (1.0, 0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    before, after = plain.probabilities(pixels), warm.probabilities(pixels)
    squared = before.astype(np.float64) ** 2  # dividing logits by a half squares probabilities
    np.testing.assert_allclose(after, squared / squared.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert after.dtype == np.float32


@pytest.mark.parametrize("temperature", [0.05, 0.9, 1.0, 3.0, 20.0, 1e6])
def test_no_temperature_changes_the_answer(temperature: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2000, 5, generator=generator) * 4
    logits[:1000] = 1 + torch.randint(0, 4, (1000, 5), generator=generator) * 2.0**-23  # neighbours
    answers = logits.softmax(dim=1).argmax(dim=1).numpy()
    scaled = _softmax(logits, temperature)
    np.testing.assert_array_equal(scaled.argmax(axis=1), answers)
    np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-6)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def test_storing_a_temperature_leaves_all_else_as_it_is(trained: RunResult, tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    path.write_bytes(trained.checkpoint.read_bytes())
    link = tmp_path / "link.ckpt"
    link.symlink_to(path)
    before = torch.load(path, weights_only=True)
    store_calibration(path, 1.7, None)
    store_calibration(link, 2.5, 0.4)
    assert link.is_symlink()
    checkpoint = read_checkpoint(path)
    assert (checkpoint.temperature, checkpoint.threshold) == (2.5, 0.4)
    after = torch.load(path, weights_only=True)
    assert after["emotion"].pop("temperature") == 2.5
    assert after["emotion"].pop("threshold") == 0.4
    assert same(before, after)
    assert only_primitives(after)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.ckpt", "x.ckpt"]


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), True, "1", None])
def test_a_temperature_that_is_none_is_refused(
    run_result: RunResult, tmp_path: Path, value: Any
) -> None:
    path = rewritten(run_result, tmp_path / "odd.ckpt", temperature=value)
    with pytest.raises(CheckpointError, match=r"odd\.ckpt: its temperature is .*above 0"):
        read_checkpoint(path)
    content = path.read_bytes()
    with pytest.raises(CheckpointError, match="its temperature is"):
        store_calibration(path, value, None)
    assert path.read_bytes() == content


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "0.5"])
def test_a_threshold_that_is_none_is_refused(
    run_result: RunResult, tmp_path: Path, value: Any
) -> None:
    path = rewritten(run_result, tmp_path / "odd.ckpt", threshold=value)
    with pytest.raises(CheckpointError, match=r"odd\.ckpt: its threshold is .*from 0 to 1"):
        read_checkpoint(path)
    content = path.read_bytes()
    with pytest.raises(CheckpointError, match="its threshold is"):
        store_calibration(path, 1.0, value)
    assert path.read_bytes() == content


def test_a_checkpoint_that_cannot_be_written_stays_as_it_is(
    run_result: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.ckpt"
    path.write_bytes(run_result.checkpoint.read_bytes())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match=r"x\.ckpt: the checkpoint cannot be written"):
        store_calibration(path, 2.0, None)
    assert path.read_bytes() == run_result.checkpoint.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["x.ckpt"]
