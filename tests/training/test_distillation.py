"""Teachers: the loss against torch's own KL divergence, and which of them are refused."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import interpolate, kl_div, log_softmax

from emotion.errors import CheckpointError, ConfigError
from emotion.experiments.outcome import RunResult
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import read_checkpoint, rebuild
from emotion.training.distillation import Teachers

SPEC = InputSpec(size=64)


def pixels(size: int = 64, n: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator)


def test_without_teachers_the_loss_stays_as_it_is() -> None:
    loss = torch.tensor(3.0)
    for teachers in (Teachers([], 0.5, 2.0, SPEC), Teachers(["absent.ckpt"], 0.0, 2.0, SPEC)):
        assert not teachers
        assert teachers.blend(loss, torch.zeros(4, 5), pixels()) is loss


def test_gradient_is_that_of_torchs_divergence_from_the_teachers_mean(
    run_result: RunResult,
) -> None:
    path = str(run_result.checkpoint)
    heat, weight, faces = 3.0, 0.7, pixels()
    network = rebuild(read_checkpoint(run_result.checkpoint))
    with torch.no_grad():
        expected_shares = (network(faces) / heat).softmax(dim=1)
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
    own = logits.square().sum()
    # Twice the same: their mean is that of one.
    Teachers([path, path], weight, heat, SPEC).blend(own, logits, faces).backward()  # type: ignore[no-untyped-call]
    found = logits.grad
    logits.grad = None
    divergence = kl_div(log_softmax(logits / heat, dim=1), expected_shares, reduction="sum")
    ((1 - weight) * logits.square().sum() + weight * heat**2 * divergence).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found, logits.grad)


def test_teachers_of_another_size_see_the_pixels_resized(run_result: RunResult) -> None:
    teachers = Teachers([str(run_result.checkpoint)], 0.5, 1.0, InputSpec(size=128))
    large = pixels(128)
    network = rebuild(read_checkpoint(run_result.checkpoint))
    small = interpolate(large.float(), (64, 64), mode="bilinear", antialias=True)
    with torch.no_grad():
        torch.testing.assert_close(teachers.shares(large), network(small).softmax(dim=1))


def test_what_is_refused(run_result: RunResult, tmp_path: Path) -> None:
    path = str(run_result.checkpoint)
    with pytest.raises(ConfigError, match=r"model.teachers: expected a list of checkpoints"):
        Teachers(path, 0.5, 2.0, SPEC)
    with pytest.raises(ConfigError, match=r"model.distillation: expected a share from 0 to 1"):
        Teachers([path], 1.5, 2.0, SPEC)
    with pytest.raises(ConfigError, match=r"model.distillation_temperature: expected above 0"):
        Teachers([path], 0.5, 0.0, SPEC)
    with pytest.raises(CheckpointError, match=r"model.teachers: .*absent.ckpt: no such file"):
        Teachers([str(tmp_path / "absent.ckpt")], 0.5, 2.0, SPEC)
    with pytest.raises(ConfigError, match=r"was trained with input.margin=0.0, and this run has"):
        Teachers([path], 0.5, 2.0, InputSpec(size=64, margin=0.1))
    with pytest.raises(ConfigError, match=r"input.labels"):
        Teachers([path], 0.5, 2.0, InputSpec(labels=("a", "b"), size=64))
