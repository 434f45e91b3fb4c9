"""Random changes to training crops, the same for the same seed, epoch and sample."""

import os
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError

# Without this, importing albumentations asks the network for a newer version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations


class Augmentation:
    """A composition of albumentations transforms whose draws depend on the sample alone.

    albumentations keeps its own random generators, which neither numpy's nor torch's seed reaches,
    and which data loading workers would repeat after one another. Here each call sets them from
    (seed, epoch, index), so that the number of workers and of devices changes nothing.

    Args:
        transforms: albumentations transforms, applied in order; the last leaves `size` pixels.
        size: side of the result in pixels.
        seed: any non-negative integer.
    """

    def __init__(self, transforms: Sequence[Any], size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self._compose = albumentations.Compose(list(transforms))

    def __call__(self, pixels: NDArray[np.uint8], epoch: int, index: int) -> NDArray[np.uint8]:
        """Changes one crop.

        Args:
            pixels: h x w x 3, uint8, RGB; it is not written to.
            epoch: from 0.
            index: the sample's position in its data set.

        Returns:
            size x size x 3, uint8, RGB.

        Raises:
            ConfigError: the transforms leave another size or type.
        """
        generator = np.random.default_rng(np.random.SeedSequence([self.seed, epoch, index]))
        # The two generators must differ in state, or transforms that use both would move together.
        python_generator = random.Random(int(generator.integers(2**63)))  # noqa: S311
        self._compose.set_random_state(generator, python_generator)
        result = self._compose(image=pixels)["image"]
        if result.shape != (self.size, self.size, 3) or result.dtype != np.uint8:
            raise ConfigError(
                f"data.augmentation: leaves {result.dtype} crops of {result.shape}, expected uint8"
                f" of {(self.size, self.size, 3)}; end it with RandomCrop or Resize to input.size"
            )
        return np.ascontiguousarray(result)
