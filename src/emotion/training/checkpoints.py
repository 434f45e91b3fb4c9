"""Checkpoints: what is in one, and a classifier from it.

A checkpoint is plain data (tensors and primitives), only ever loaded with `weights_only=True`.
Beside Lightning's own entries it holds, under "emotion", the input settings and the labels, and
once they were fitted the temperature and the threshold.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotion import __version__
from emotion.errors import CheckpointError, ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.network import ARCHITECTURE, EmotionNetwork

FORMAT = 1  # raised when a checkpoint of this version could no longer be read by the last one
PREFIX = "network."  # of the network's tensors among the module's


def pack(spec: InputSpec) -> dict[str, Any]:
    """Gives the entry "emotion" of a checkpoint."""
    return {
        "format": FORMAT,
        "version": __version__,
        "architecture": ARCHITECTURE,
        "input": spec.to_dict(),
    }


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read and checked.

    Attributes:
        path: the file.
        input: the input settings it was trained with.
        state: the network's state dict.
        epoch: epoch at whose end it was written, from 1.
        temperature: what logits are divided by; 1 where none was fitted.
        threshold: probability below which an answer is "unsure"; None for always answering.
    """

    path: Path
    input: InputSpec
    state: dict[str, Tensor]
    epoch: int
    temperature: float = 1.0
    threshold: float | None = None


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        CheckpointError: the file is missing, not a checkpoint, or not one of this project.
    """
    content = _load(path)
    entry, _ = _own(content, path)
    spec = InputSpec.from_dict(_mapping(entry.get("input"), path), str(path))
    epoch = content.get("epoch", 0)
    if type(epoch) is not int:
        raise CheckpointError(f"{path}: its epoch is {epoch!r}, expected a number")
    fitted = _temperature(entry, path), _threshold(entry, path)
    return Checkpoint(path, spec, network_tensors(content, path), epoch + 1, *fitted)


def network_tensors(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Gives the network's tensors of a checkpoint that was loaded, by their names in the network.

    Raises:
        CheckpointError: it is not one of this project.
    """
    _, state = _own(content, path)
    return {
        k.removeprefix(PREFIX): v
        for k, v in state.items()
        if k.startswith(PREFIX) and isinstance(v, Tensor)
    }


def store_calibration(path: Path, temperature: float, threshold: float | None) -> None:
    """Writes temperature and threshold into a checkpoint, in one step; all else stays as it is.

    Args:
        path: the checkpoint.
        temperature: a finite number above 0.
        threshold: a probability, or None for always answering.

    Raises:
        CheckpointError: it is no checkpoint of this project, or cannot be written.
    """
    from emotion.training.saving import WholeCheckpointIO  # Lightning, which only writing needs

    content = _load(path)
    fitted = {"temperature": temperature, "threshold": threshold}
    entry = {**_own(content, path)[0], **fitted}
    _temperature(entry, path)
    _threshold(entry, path)
    # Through a link, so that it stays one.
    WholeCheckpointIO().save_checkpoint({**content, "emotion": entry}, path.resolve())


def _own(content: Mapping[str, Any], path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Gives the entries "emotion" and "state_dict" of a checkpoint of this project."""
    entry = content.get("emotion")
    state = content.get("state_dict")
    if not isinstance(entry, Mapping) or not isinstance(state, Mapping):
        raise CheckpointError(
            f"{path}: a checkpoint, but of another project; expected one that `emotion train` wrote"
        )
    if entry.get("format") != FORMAT or entry.get("architecture") != ARCHITECTURE:
        raise CheckpointError(
            f"{path}: format {entry.get('format')}, network {entry.get('architecture')}; this"
            f" version ({__version__}) reads format {FORMAT}, network {ARCHITECTURE}"
        )
    return entry, state


def _temperature(entry: Mapping[str, Any], path: Path) -> float:
    value = entry.get("temperature", 1.0)
    if type(value) not in (int, float) or not math.isfinite(value) or value <= 0:
        raise CheckpointError(
            f"{path}: its temperature is {value!r}, expected a finite number above 0;"
            " `emotion calibrate` stores one"
        )
    return float(value)


def _threshold(entry: Mapping[str, Any], path: Path) -> float | None:
    value = entry.get("threshold")
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise CheckpointError(
            f"{path}: its threshold is {value!r}, expected a number from 0 to 1;"
            " `emotion calibrate --error` stores one"
        )
    return float(value)


def _load(path: Path) -> Mapping[str, Any]:
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a checkpoint (*.ckpt), got a folder")
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; expected a checkpoint (*.ckpt)")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    # torch.load raises nearly anything on a file that is not its own.
    except Exception as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, damaged, or one that would run code when loaded;"
            " expected a *.ckpt that `emotion train` wrote"
        ) from error
    return _mapping(content, path)


def _mapping(content: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: not a checkpoint; expected one that `emotion train` wrote")
    return content


def rebuild(checkpoint: Checkpoint) -> EmotionNetwork:
    """Gives the network of a checkpoint, in evaluation mode, on the CPU.

    Raises:
        CheckpointError: the tensors are not those of this network.
    """
    network = EmotionNetwork(checkpoint.input)
    try:
        network.load_state_dict(checkpoint.state)
    except RuntimeError as error:
        raise CheckpointError(
            f"{checkpoint.path}: its tensors do not fit {ARCHITECTURE} with"
            f" {len(checkpoint.input.labels)} classes; the file is damaged or was changed"
        ) from error
    return network.eval()


class CheckpointClassifier:
    """Names the emotion of face crops with a checkpoint's network.

    Args:
        checkpoint: as `read_checkpoint` gives it.
        device: "cpu", "cuda", …; None for a GPU where there is one.

    Attributes:
        input: how a face becomes an input, and the labels; from the checkpoint.
        temperature: what logits are divided by; from the checkpoint.
    """

    def __init__(self, checkpoint: Checkpoint, device: str | None = None) -> None:
        self.input = checkpoint.input
        self.path = checkpoint.path
        self.temperature = checkpoint.temperature
        self.device = choose_device(device)
        network = rebuild(checkpoint).to(self.device)
        self._network = network.to(memory_format=torch.channels_last)

    @property
    def network(self) -> EmotionNetwork:
        """The network, in evaluation mode; not to be changed."""
        return self._network

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Gives B x classes, float32, rows summing to 1, for B x size x size x 3, uint8, RGB."""
        batch = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
        with torch.inference_mode():
            logits = self._network(batch.to(self.device))
        answer = _softmax(logits, self.temperature)
        if not np.isfinite(answer).all():
            raise CheckpointError(f"{self.path}: gives no numbers; its weights are damaged")
        return answer


def _softmax(logits: Tensor, temperature: float) -> NDArray[np.float32]:
    """Gives the softmax of logits / temperature; which class is ahead does not change."""
    plain: NDArray[np.float32] = logits.float().softmax(dim=1).cpu().numpy()
    if temperature == 1:
        return plain
    scaled: NDArray[np.float32] = (
        (logits.cpu().double() / temperature).softmax(dim=1).float().numpy()
    )
    top = plain.argmax(axis=1)
    # In float32 two classes may have become equal: the one that was ahead stays so by one bit.
    tied = np.flatnonzero(scaled.argmax(axis=1) != top)
    scaled[tied, top[tied]] = np.nextafter(scaled[tied].max(axis=1), np.float32(2))
    return scaled


def choose_device(name: str | None) -> torch.device:
    """Gives a device that answers.

    Args:
        name: "cpu", "cuda", …; None for a GPU where there is one.

    Raises:
        ConfigError: there is no such device here.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=device).cpu()
    # Each backend has its own way to say that it is not there.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(f"--device {name}: not on this machine; cpu always is") from error
    return device
