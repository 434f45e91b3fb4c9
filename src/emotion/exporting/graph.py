"""The network as it is exported: from pixels to probabilities, with nothing left to do outside."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from emotion.training.checkpoints import Checkpoint, rebuild
from emotion.training.network import mean_of_both, with_mirror_images

EXAMPLES = 2  # faces that a graph is traced with; with 1, the number would be taken for fixed


class ExportedGraph(nn.Module):
    """Normalisation, network, temperature and softmax in one.

    Batch norm is part of the convolutions, since its statistics no longer change, and dropout is
    left out: fewer steps, so that a session starts and runs faster.

    Args:
        checkpoint: gives weights, mean, std, temperature, and whether mirror images are asked too.

    Raises:
        CheckpointError: its tensors do not fit the network.
    """

    factor: Tensor
    offset: Tensor

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        network = rebuild(checkpoint)
        self.temperature, self.mirror = checkpoint.temperature, checkpoint.input.mirror
        self.features = _without_batch_norm(network.backbone.features)
        self.last = network.backbone.classifier[-1]
        self.register_buffer("factor", network.factor)
        self.register_buffer("offset", network.offset)
        self.requires_grad_(False).eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Gives B x classes, float32, rows summing to 1, for B x size x size x 3, uint8, RGB."""
        # In the order of `EmotionNetwork`, which takes channels first.
        planes = pixels.permute(0, 3, 1, 2).float()
        normalised = planes * self.factor + self.offset
        if self.mirror:
            normalised = with_mirror_images(normalised)
        logits: Tensor = self.last(self.features(normalised).mean(dim=(2, 3)))
        if self.mirror:
            logits = mean_of_both(logits)
        if self.temperature != 1:
            logits = logits / self.temperature
        return logits.softmax(dim=1)

    def examples(self, size: int) -> tuple[Tensor]:
        """Gives pixels to trace the graph with: 2 x size x size x 3, uint8."""
        return (torch.zeros(EXAMPLES, size, size, 3, dtype=torch.uint8),)


def _without_batch_norm(module: nn.Module) -> nn.Module:
    """Makes each batch norm part of the convolution before it, in place."""
    for child in module.children():
        _without_batch_norm(child)
    if isinstance(module, nn.Sequential):
        for place in range(len(module) - 1):
            first, second = module[place], module[place + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[place] = fuse_conv_bn_eval(first, second)
                module[place + 1] = nn.Identity()
    return module
