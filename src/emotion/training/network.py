"""The network: MobileNet-v2 with one output a class, which normalises its own input."""

from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from emotion.errors import CheckpointError
from emotion.faces.inputs import InputSpec

ARCHITECTURE = "mobilenet_v2"
HEAD = "classifier.1."  # torchvision's name of the last layer


class EmotionNetwork(nn.Module):
    """MobileNet-v2 (Sandler et al., 2018, by torchvision) from uint8 pixels to logits.

    Args:
        spec: gives the number of classes, and the mean and std that are taken off here, so that
            pixels stay uint8 until they are on their device.
        dropout: before the last layer; torchvision's own is 0.2.
    """

    factor: Tensor
    offset: Tensor

    def __init__(self, spec: InputSpec, dropout: float = 0.2) -> None:
        super().__init__()
        self.backbone = mobilenet_v2(num_classes=len(spec.labels), dropout=dropout)
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (spec.mean, spec.std))
        # Not in the state dict: they come from the input settings, which travel beside it.
        self.register_buffer("factor", 1 / (255 * std), persistent=False)
        self.register_buffer("offset", -mean / std, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Gives logits, B x classes, for RGB, B x 3 x size x size, uint8 or float 0 to 255."""
        # (pixels / 255 - mean) / std in one pass over the pixels: half the time on a CPU.
        normalised = torch.addcmul(self.offset, pixels.float(), self.factor)
        logits: Tensor = self.backbone(normalised)
        return logits


def load_weights(network: EmotionNetwork, weights: str | None) -> None:
    """Starts a network from given weights.

    Args:
        network: changed in place.
        weights: "imagenet" for torchvision's (downloaded once), a path to a state dict of
            torchvision's `mobilenet_v2` in any float type, or None to start at random. A last layer
            of another number of classes is left as it is.

    Raises:
        CheckpointError: the download failed, or the file is no such state dict.
    """
    if weights is None:
        return
    state = _downloaded() if weights == "imagenet" else _from_file(Path(weights))
    _load(network, state, weights)


def _downloaded() -> dict[str, Tensor]:
    try:
        # V1 is what `pretrained=True` gave at the time of the original.
        state = MobileNet_V2_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"model.weights=imagenet: torchvision's weights cannot be downloaded ({error}); set"
            " model.weights=/path/to/mobilenet_v2.pth to a state dict on disk, or"
            " model.weights=null to start at random"
        ) from error
    return dict(state)


def _from_file(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(
            f"model.weights={path}: no such file; expected imagenet, null, or a state dict's path"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    # torch.load raises nearly anything on a file that is not its own.
    except Exception as error:
        raise CheckpointError(
            f"model.weights={path}: not a state dict that loads with weights_only=True"
        ) from error
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(f"model.weights={path}: expected a state dict of tensors")
    return content


def _load(network: EmotionNetwork, state: dict[str, Tensor], place: str) -> None:
    own = network.backbone.state_dict()
    floats = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    floats |= {k: v for k, v in own.items() if k.startswith(HEAD) and not _fits(floats, k, v)}
    wrong = sorted(set(own) ^ set(floats)) + [k for k, v in own.items() if not _fits(floats, k, v)]
    if wrong:
        raise CheckpointError(
            f"model.weights={place}: not a state dict of torchvision's {ARCHITECTURE};"
            f" {len(wrong)} entries are missing, unknown or of another shape, such as {wrong[0]!r}"
        )
    network.backbone.load_state_dict(floats)


def _fits(state: dict[str, Tensor], key: str, value: Tensor) -> bool:
    return key in state and state[key].shape == value.shape
