"""Mixup: training on pairs of faces, laid over one another."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotion.errors import ConfigError

# numpy fills short keys up with zeros; a last word of its own keeps these draws apart from those of
# the sampler and of the augmentation.
_STREAM = 2


@dataclass(frozen=True)
class Mixing:
    """How one batch is mixed.

    Attributes:
        share: what each face keeps of itself, 0.5 to 1.
        partners: for each face the one that gives the rest, B, int64.
    """

    share: float
    partners: Tensor

    def mix(self, pixels: Tensor) -> Tensor:
        """Lays each face's partner over it.

        Args:
            pixels: B x 3 x size x size, uint8, RGB.

        Returns:
            The same shape, float32, from 0 to 255. Normalising is linear, so that it makes no
            difference that the network does it afterwards.
        """
        own = pixels.float()
        return self.share * own + (1 - self.share) * own[self.partners.to(own.device)]

    def loss(
        self,
        criterion: Callable[[Tensor, Tensor, Tensor | None], Tensor],
        logits: Tensor,
        targets: Tensor,
        shares: Tensor | None = None,
    ) -> Tensor:
        """Mixes the losses as the pixels are mixed.

        Cross-entropy is linear in its target, so that this is the loss of the mixed targets; and
        weights and smoothing are those of each of the two classes.

        Args:
            criterion: gives a scalar for logits, class indices and shares.
            logits: B x classes, of the mixed pixels.
            targets: B class indices, before mixing.
            shares: B x classes, before mixing; None for the classes alone.
        """
        partners = self.partners.to(targets.device)
        others = None if shares is None else shares[partners]
        own = criterion(logits, targets, shares)
        rest = criterion(logits, targets[partners], others)
        return self.share * own + (1 - self.share) * rest


class Mixup:
    """Draws how batches are mixed.

    After Zhang et al., 2018, "mixup: Beyond empirical risk minimization". As in the authors' code
    a batch is mixed with itself in another order, by one share from Beta(alpha, alpha). The larger
    of the share and its rest stays with the face itself: that gives the same mixed pictures, each
    as likely, and a face's own class is never the lesser one.

    Under DDP and accumulation each device mixes the faces that it has at a time. The draw depends
    on (seed, epoch, batch, device) alone, and takes nothing from torch's own generator.

    Args:
        alpha: of the Beta distribution: 0 is off, 0.2 mixes little, 1 makes all shares equally
            likely.
        seed: any non-negative integer.

    Raises:
        ConfigError: alpha is negative or no number, or the seed is no whole number from 0.
    """

    def __init__(self, alpha: float, seed: int) -> None:
        if isinstance(alpha, bool | str | None) or not 0 <= alpha <= 100:
            raise ConfigError(
                "model.mixup: expected 0 (off) to 100, the alpha of a Beta distribution, such as"
                f" 0.2; got {alpha}"
            )
        if type(seed) is not int or seed < 0:
            raise ConfigError(f"model.seed: expected a whole number from 0, got {seed}")
        self.alpha, self.seed = alpha, seed

    def draw(self, size: int, epoch: int, batch: int, device: int) -> Mixing | None:
        """Draws how a batch is mixed.

        Args:
            size: faces in it, on this device.
            epoch: from 0.
            batch: its number in the epoch, from 0.
            device: its rank, from 0.

        Returns:
            None where mixup is off.
        """
        if self.alpha == 0:
            return None
        generator = np.random.default_rng([self.seed, epoch, batch, device, _STREAM])
        share = generator.beta(self.alpha, self.alpha)
        return Mixing(max(share, 1 - share), torch.from_numpy(generator.permutation(size)))
