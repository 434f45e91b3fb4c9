"""Classifiers from exported files that need torch: .pt2 and .safetensors.

Both are checked for their seal first. A safetensors file holds numbers only. A .pt2 file holds a
program, see `emotion.exported.programs`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotion.errors import CheckpointError
from emotion.exported.programs import check_program
from emotion.faces.inputs import InputSpec
from emotion.inference.model_info import ModelInfo
from emotion.inference.sealing import read_sealed
from emotion.training.checkpoints import Checkpoint, CheckpointClassifier, choose_device
from emotion.training.network import ARCHITECTURE

if TYPE_CHECKING:
    from collections.abc import Callable


class SafetensorsClassifier(CheckpointClassifier):
    """Names the emotion of face crops with the weights of a safetensors file.

    Args:
        path: a file that `emotion export` wrote.
        device: "cpu", "cuda", …; None for a GPU where there is one.

    Attributes:
        info: what the file says of itself.

    Raises:
        CheckpointError: the file is damaged, was changed, or is not one of this project.
        ConfigError: there is no such device.
    """

    def __init__(self, path: Path, device: str | None = None) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        self.info: ModelInfo = read_sealed(path, "safetensors")
        if self.info.architecture != ARCHITECTURE:
            raise CheckpointError(
                f"{path}: network {self.info.architecture}; this version has {ARCHITECTURE}"
            )
        try:
            state = load_file(path)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path}: safetensors cannot open it ({error})") from error
        info = self.info
        super().__init__(
            Checkpoint(path, info.input, state, info.epoch, info.temperature, info.threshold),
            device,
        )


class ProgramClassifier:
    """Names the emotion of face crops with the program of a .pt2 file.

    Args:
        path: a file that `emotion export` wrote.
        device: "cpu", "cuda", …; None for a GPU where there is one.

    Attributes:
        info: what the file says of itself.

    Raises:
        CheckpointError: the file is damaged, was changed, is not one of this project, or would run
            other code than a network.
        ConfigError: there is no such device.
    """

    def __init__(self, path: Path, device: str | None = None) -> None:
        self.path = path
        self.info: ModelInfo = read_sealed(path, "pt2")
        check_program(path)
        self.device = choose_device(device)
        self._program = _load(path, self.device)

    @property
    def input(self) -> InputSpec:
        """How a face becomes an input, and the labels; from the file."""
        return self.info.input

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Gives B x classes, float32, rows summing to 1, for B x size x size x 3, uint8, RGB."""
        classes = len(self.input.labels)
        if not len(pixels):
            return np.zeros((0, classes), np.float32)
        batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device)
        with torch.inference_mode():
            answer: NDArray[np.float32] = self._program(batch).cpu().numpy()
        if answer.shape != (len(pixels), classes) or answer.dtype != np.float32:
            raise CheckpointError(
                f"{self.path}: gives {answer.dtype} {answer.shape}, expected float32"
                f" {(len(pixels), classes)}, as its metadata say"
            )
        if not np.isfinite(answer).all():
            raise CheckpointError(f"{self.path}: gives no numbers; its weights are damaged")
        return answer


def _load(path: Path, device: torch.device) -> "Callable[[Tensor], Tensor]":
    from torch.export.passes import move_to_device_pass

    try:
        with path.open("rb") as stream:
            program = torch.export.load(stream)
        if device.type != "cpu":
            program = move_to_device_pass(program, device)
        module: Callable[[Tensor], Tensor] = program.module()
    # torch.export.load raises nearly anything on a file that is not its own.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path}: this torch ({torch.__version__}) cannot open it ({reason}); a .pt2 file is"
            " for the version that wrote it and later ones. Export the checkpoint again"
        ) from error
    return module
