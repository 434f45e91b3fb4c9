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

    Philox (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3") is made for that:
    the seed is its key, and its counter begins at (epoch, index), 2^128 steps from the next
    sample's. Setting a counter takes a tenth of the time of making a generator.

    One call at a time: threads need an augmentation each.

    Args:
        transforms: albumentations transforms, applied in order; the last leaves `size` pixels.
        size: side of the result in pixels.
        seed: any non-negative integer.
    """

    def __init__(self, transforms: Sequence[Any], size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self._compose = albumentations.Compose(list(transforms))
        key = np.random.SeedSequence(seed).generate_state(2, np.uint64)
        self._bits = np.random.Philox(key=key)
        self._start = self._bits.state  # before the first draw
        self._generator = np.random.Generator(self._bits)
        self._python_generator = random.Random()  # noqa: S311

    def __call__(self, pixels: NDArray[np.uint8], epoch: int, index: int) -> NDArray[np.uint8]:
        """Changes one crop.

        Args:
            pixels: h x w x 3, uint8, RGB; it is not written to.
            epoch: from 0, or how often the sample came before.
            index: the sample's position in its data set.

        Returns:
            size x size x 3, uint8, RGB.

        Raises:
            ConfigError: the transforms leave another size or type.
        """
        self._seed(epoch, index)
        # Every time, since another augmentation may have been given the same transforms.
        self._compose.set_random_state(self._generator, self._python_generator)
        result = self._compose(image=pixels)["image"]
        if result.shape != (self.size, self.size, 3) or result.dtype != np.uint8:
            raise ConfigError(
                f"data.augmentation: leaves {result.dtype} crops of {result.shape}, expected uint8"
                f" of {(self.size, self.size, 3)}; end it with RandomCrop or Resize to input.size"
            )
        return np.ascontiguousarray(result)

    def _seed(self, epoch: int, index: int) -> None:
        self._start["state"]["counter"][2:] = epoch, index  # of four words; the first ones count
        self._bits.state = self._start
        # The two generators must differ in state, or transforms that use both would move together.
        self._python_generator.seed(self._bits.random_raw())
