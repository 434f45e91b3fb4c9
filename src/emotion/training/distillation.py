"""Learning from the answers of networks that were trained before."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from emotion.errors import CheckpointError, ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import read_checkpoint, rebuild
from emotion.training.network import EmotionNetwork


class Teachers:
    """Networks whose mean answer is learnt beside the labels.

    Hinton et al., 2015, "Distilling the knowledge in a neural network" (arXiv:1503.02531). With
    teachers' logits v and a student's z for a face, the loss becomes

        (1 - w) loss(labels) + w T^2 CE(softmax(z / T), mean over teachers of softmax(v / T))

    T^2 keeps the gradients of both parts of one size whatever T is. The teachers see the very
    pixels that the student sees, augmented and mixed, resized where theirs are of another size
    (Beyer et al., 2022, "Knowledge distillation: a good teacher is patient and consistent").

    They are no part of a module's state: checkpoints hold the student alone.

    Args:
        paths: their checkpoints; none for no distillation.
        weight: w, from 0 to 1.
        temperature: T, above 0.
        spec: what the student takes and gives.

    Raises:
        ConfigError: a setting out of its range, or teachers that cut faces out in another way or
            have other labels.
        CheckpointError: one of them cannot be read.
    """

    def __init__(
        self, paths: Sequence[str], weight: float, temperature: float, spec: InputSpec
    ) -> None:
        if isinstance(paths, str) or not all(isinstance(path, str) for path in paths):
            raise ConfigError(f"model.teachers: expected a list of checkpoints, got {paths}")
        if isinstance(weight, bool | str | None) or not 0 <= weight <= 1:
            raise ConfigError(f"model.distillation: expected a share from 0 to 1, got {weight}")
        if isinstance(temperature, bool | str | None) or not 0 < temperature <= 100:
            raise ConfigError(
                f"model.distillation_temperature: expected above 0, such as 2; got {temperature}"
            )
        self.weight, self.temperature = weight, temperature
        read = [_read(Path(path), spec) for path in paths] if weight else []
        self._networks = [network for network, _ in read]
        self._sizes = [size for _, size in read]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def to(self, device: torch.device) -> None:
        """Moves them to where the pixels are."""
        self._networks = [network.to(device) for network in self._networks]
        if device.type == "cpu":  # as the student, see `EmotionModule.setup`
            for network in self._networks:
                network.to(memory_format=torch.channels_last)

    def blend(self, loss: Tensor, logits: Tensor, pixels: Tensor) -> Tensor:
        """Gives the loss with what the teachers say in it, a sum over faces as it was.

        Args:
            loss: of the labels, a scalar.
            logits: of the student, B x classes.
            pixels: that it saw, B x 3 x size x size, uint8 or float 0 to 255.
        """
        if not self._networks:
            return loss
        heat = self.temperature
        said = cross_entropy(logits.float() / heat, self.shares(pixels), reduction="sum")
        return (1 - self.weight) * loss + self.weight * heat**2 * said

    @torch.no_grad()
    def shares(self, pixels: Tensor) -> Tensor:
        """Gives the mean of their softened answers, B x classes, float32, rows summing to 1."""
        answers = [
            network(_resized(pixels, size)).float() / self.temperature
            for network, size in zip(self._networks, self._sizes, strict=True)
        ]
        return torch.stack([answer.softmax(dim=1) for answer in answers]).mean(dim=0)


def _read(path: Path, spec: InputSpec) -> tuple[EmotionNetwork, int]:
    try:
        checkpoint = read_checkpoint(path)
        network = rebuild(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"model.teachers: {error}") from error
    theirs = checkpoint.input
    for name in ("labels", "margin", "square"):
        own, other = getattr(spec, name), getattr(theirs, name)
        if own != other:
            raise ConfigError(
                f"model.teachers: {path} was trained with input.{name}={other}, and this run has"
                f" {own}; set input.{name} to the same"
            )
    return network.requires_grad_(False), theirs.size


def _resized(pixels: Tensor, size: int) -> Tensor:
    if pixels.shape[-1] == size:
        return pixels
    return interpolate(pixels.float(), (size, size), mode="bilinear", antialias=True)
