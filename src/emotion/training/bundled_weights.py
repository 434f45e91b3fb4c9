"""The weights of the model in the box, as a network that can be trained on."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emotion.bundled import bundled_model
from emotion.errors import CheckpointError
from emotion.onnx_tensors import BATCH_NORM, read_tensors, read_text

EPSILON = 1e-5  # of torch's batch norm
LAST = {"last.weight": "classifier.1.weight", "last.bias": "classifier.1.bias"}


def bundled_weights(path: Path | None = None) -> dict[str, Tensor]:
    """Gives a state dict of torchvision's mobilenet_v2.

    In the file each batch norm is part of the convolution before it,

        W' = W * gamma / sqrt(var + eps)

    and stands in the metadata, so that W is found again: to the 11 bits of a float16, but for
    channels that batch norm had switched off, whose W is taken as 0.

    Args:
        path: a file of the format onnx-half; None for the one in the box.

    Raises:
        CheckpointError: it cannot be read, or is of another format.
    """
    path = bundled_model() if path is None else path
    try:
        tensors = read_tensors(path)
        state = {
            name.removeprefix("backbone."): values
            for name, values in read_text(path, BATCH_NORM).items()
        }
        for name in [name for name in tensors if name.endswith(".weight") and name not in LAST]:
            state[name] = tensors[name] / _scale(state, name)
        state |= {LAST[name]: tensors[name] for name in LAST}
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"model.weights=bundled: {path} cannot be read, or is no file of the format onnx-half"
            f" ({error}); install emotion again"
        ) from error
    counts = {name.replace("running_mean", "num_batches_tracked") for name in state}
    steps = {name: torch.tensor(0) for name in counts if name.endswith("num_batches_tracked")}
    return {name: torch.from_numpy(np.array(values)) for name, values in state.items()} | steps


def _scale(state: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Gives what each channel of a convolution was multiplied by, so that it can be divided by."""
    place, _, number = name.removesuffix(".weight").rpartition(".")
    norm = f"{place}.{int(number) + 1}"
    scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + EPSILON)
    off = np.abs(scale) < 1e-6
    return np.where(off, np.float32(np.inf), scale)[:, None, None, None]
