"""The network: MobileNet-v2 with one output a class, which normalises its own input."""

import os
import shutil
import sys
from pathlib import Path
from typing import Literal, Self
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from emotion.bundled import NAME as BUNDLED
from emotion.errors import CheckpointError, ConfigError
from emotion.faces.inputs import InputSpec

ARCHITECTURE = "mobilenet_v2"
HEAD = "classifier.1."  # torchvision's name of the last layer
BACKBONE = "backbone."  # of torchvision's tensors among the network's
BATCH_NORMS = ("live", "frozen")


class EmotionNetwork(nn.Module):
    """MobileNet-v2 (Sandler et al., 2018, by torchvision) from uint8 pixels to logits.

    Args:
        spec: gives the number of classes, the mean and std that are taken off here, so that pixels
            stay uint8 until they are on their device, and whether mirror images are asked too.
        dropout: before the last layer; torchvision's own is 0.2.
        batch_norm: "live" normalises by the faces at hand while training, and keeps running
            statistics of them; "frozen" uses the statistics that it started with and leaves them
            as they are. The factors and offsets after the normalising learn either way.

    Attributes:
        features_frozen: train the last layer alone: the features are as in evaluation and get no
            gradients. Takes effect with the next `train()`.
        mirror: in evaluation, give the mean logits of a face and its mirror image.

    Raises:
        ConfigError: `batch_norm` is neither.
    """

    factor: Tensor
    offset: Tensor

    def __init__(
        self,
        spec: InputSpec,
        dropout: float = 0.2,
        batch_norm: Literal["live", "frozen"] = "live",
    ) -> None:
        super().__init__()
        if batch_norm not in BATCH_NORMS:
            raise ConfigError(f"model.batch_norm: expected live or frozen, got {batch_norm}")
        self.batch_norm, self.features_frozen, self.mirror = batch_norm, False, spec.mirror
        self.backbone = mobilenet_v2(num_classes=len(spec.labels), dropout=dropout)
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (spec.mean, spec.std))
        # Not in the state dict: they come from the input settings, which travel beside it.
        self.register_buffer("factor", 1 / (255 * std), persistent=False)
        self.register_buffer("offset", -mean / std, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Gives logits, B x classes, for RGB, B x 3 x size x size, uint8 or float 0 to 255."""
        # (pixels / 255 - mean) / std in one pass over the pixels: half the time on a CPU.
        normalised = torch.addcmul(self.offset, pixels.float(), self.factor)
        if self.mirror and not self.training:
            return mean_of_both(self.backbone(with_mirror_images(normalised)))
        logits: Tensor
        if self.training and self.features_frozen:
            with torch.no_grad():
                features = self.backbone.features(normalised)
            # As in torchvision's own forward.
            logits = self.backbone.classifier(adaptive_avg_pool2d(features, 1).flatten(1))
        else:
            logits = self.backbone(normalised)
        return logits

    def train(self, mode: bool = True) -> Self:
        """As torch's, but what is frozen stays as in evaluation."""
        super().train(mode)
        if self.features_frozen:
            self.backbone.features.eval()
        for module in self.modules():
            if self.batch_norm == "frozen" and isinstance(
                module, nn.BatchNorm2d | nn.SyncBatchNorm
            ):
                module.eval()
        return self

    def parameter_groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Gives the parameters of the last layer, and all others."""
        head = [p for name, p in self.backbone.named_parameters() if name.startswith(HEAD)]
        rest = [p for name, p in self.backbone.named_parameters() if not name.startswith(HEAD)]
        return head, rest


def with_mirror_images(pixels: Tensor) -> Tensor:
    """Gives 2B x C x H x W: the pictures, B x C x H x W, and after them their mirror images."""
    return torch.cat([pixels, pixels.flip(3)])


def mean_of_both(logits: Tensor) -> Tensor:
    """Gives B x classes: the mean logits, of 2B x classes, of each picture and its mirror image."""
    return logits.reshape(2, -1, logits.shape[1]).mean(dim=0)


def check_compiler() -> None:
    """Checks that there is the C++ compiler that torch.compile wants.

    Raises:
        ConfigError: there is none.
    """
    # What torch's inductor looks for.
    name = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(name) is None:
        raise ConfigError(
            f"model.compile: expected a C++ compiler, and {name} is not on the PATH; install one"
            " (on Debian: apt install g++), name another in CXX, or set model.compile=false"
        )


def load_weights(network: EmotionNetwork, weights: str | None) -> None:
    """Starts a network from given weights.

    Args:
        network: changed in place.
        weights: "imagenet" for torchvision's (downloaded once), "bundled" for those of the model
            in the box, a path to a checkpoint of another run or to a state dict of torchvision's
            `mobilenet_v2` in any float type, or None to start at random. A last layer of another
            number of classes is left as it is.

    Raises:
        CheckpointError: the download failed, or the file holds no such state dict.
    """
    if weights is None:
        return
    _load(network, _state(weights), weights)


def _state(weights: str) -> dict[str, Tensor]:
    if weights == "imagenet":
        return _downloaded()
    if weights == BUNDLED:
        from emotion.training.bundled_weights import bundled_weights

        return bundled_weights()
    return _from_file(Path(weights))


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
            f"model.weights={path}: no such file; expected imagenet, bundled, null, or the path"
            " of a checkpoint or a state dict"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    # torch.load raises nearly anything on a file that is not its own.
    except Exception as error:
        raise CheckpointError(
            f"model.weights={path}: not a state dict that loads with weights_only=True"
        ) from error
    if isinstance(content, dict) and "emotion" in content:  # a checkpoint of another run
        from emotion.training.checkpoints import network_tensors

        tensors = network_tensors(content, path)
        content = {name.removeprefix(BACKBONE): value for name, value in tensors.items()}
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(
            f"model.weights={path}: expected a checkpoint, or a state dict of tensors"
        )
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
