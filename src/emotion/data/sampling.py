"""Which samples make up each batch, on each device."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler


class BatchSampler(Sampler[list[tuple[int, int]]]):
    """Cuts an epoch into global batches and gives each device its part of each.

    For training (`shuffle`) an epoch is a new random order, cut into batches of `batch_size`; the
    last may be smaller. If it has fewer samples than there are devices it is left out, since every
    device must take every step. Otherwise the order is kept and the batches are made as equal as
    they can be: each sample comes exactly once, on one device, none is repeated to fill up.

    Args:
        total: number of samples.
        batch_size: samples in a global batch, over all devices.
        rank: this device, from 0.
        world: number of devices.
        shuffle: training order, new in each epoch.
        seed: of the order.

    Yields:
        The batch's samples for this device, as (epoch, index): the epoch reaches workers that way.
    """

    def __init__(
        self, total: int, batch_size: int, rank: int, world: int, shuffle: bool, seed: int
    ) -> None:
        self.total, self.batch_size = total, batch_size
        self.rank, self.world = rank, world
        self.shuffle, self.seed = shuffle, seed
        self.epoch = 0
        self.sampler = self  # Lightning looks here for `set_epoch`

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, from 0; Lightning calls this before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self._global_batches())

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for batch in self._global_batches():
            yield [(self.epoch, int(index)) for index in batch[self.rank :: self.world]]

    def _global_batches(self) -> list[NDArray[np.int64]]:
        if not self.shuffle:
            count = -(-self.total // self.batch_size)
            return np.array_split(np.arange(self.total), count)
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.total)
        batches = np.split(order, range(self.batch_size, self.total, self.batch_size))
        return batches if len(batches[-1]) >= self.world else batches[:-1]
