"""Which samples make up each batch, on each device."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

# numpy fills short keys up with zeros; a last word of its own keeps the piles apart from the order
# of the epochs and from the augmentation.
_STREAM = 1


class BalancedDraws:
    """Endless draws in which all classes come equally often.

    Draw d, from 0, is of class d mod k, of the k classes that occur. Each class has a pile of its
    samples: the draw takes the next from it, and when the pile is through it is shuffled anew. So
    after any number of draws the classes differ by one draw at most, and so do the samples of a
    class. Any stretch of draws follows from the seed alone: a run that is continued goes on.

    Args:
        classes: each sample's class, int64.
        seed: any non-negative integer.
    """

    def __init__(self, classes: NDArray[np.int64], seed: int) -> None:
        self.members = [np.flatnonzero(classes == number) for number in np.unique(classes)]
        self.seed = seed

    def between(self, first: int, last: int) -> NDArray[np.int64]:
        """Gives the draws from `first` up to but not including `last`, class after class.

        Returns:
            n x 2, int64: how often the sample was drawn before, and its index. No two draws are
            alike.
        """
        k = len(self.members)
        # Draws d < x with d mod k = c are c, c + k, …: ceil((x - c) / k) of them.
        stretches = [self._from_pile(c, -((c - first) // k), -((c - last) // k)) for c in range(k)]
        return np.concatenate(stretches)

    def _from_pile(self, number: int, first: int, last: int) -> NDArray[np.int64]:
        members = self.members[number]
        rounds, places = np.divmod(np.arange(first, last), len(members))
        piles = {i: self._shuffled(number, i) for i in np.unique(rounds).tolist()}
        indices = [piles[i][j] for i, j in zip(rounds.tolist(), places.tolist(), strict=True)]
        return np.column_stack([rounds, np.array(indices, dtype=np.int64)])

    def _shuffled(self, number: int, turn: int) -> NDArray[np.int64]:
        generator = np.random.default_rng([self.seed, number, turn, _STREAM])
        return generator.permutation(self.members[number])


class BatchSampler(Sampler[list[tuple[int, int]]]):
    """Cuts an epoch into global batches and gives each device its part of each.

    For training (`shuffle`) an epoch is a new random order, cut into batches of `batch_size`; the
    last may be smaller. Otherwise the order is kept and the batches are made as equal as they can
    be. Either way all of an epoch comes, each draw on one device, none is left out or repeated to
    fill up; every device takes every step, where need be with an empty share. The first device's
    share is never empty.

    Args:
        total: number of samples.
        batch_size: samples in a global batch, over all devices.
        rank: this device, from 0.
        world: number of devices.
        shuffle: training order, new in each epoch.
        seed: of the order.
        classes: each sample's class, for a training epoch that is as long as any other but has all
            classes that occur equally often, see `BalancedDraws`: samples of rare classes are
            repeated, not all of frequent ones come. None takes each sample once.

    Yields:
        The batch's samples for this device, as (round, index): how often the sample came before,
        from 0. Where each sample comes once an epoch that is the epoch. No two draws of a run are
        alike, so the round is what an augmentation can be drawn from; it reaches workers that way.

    Raises:
        ValueError: `classes` without `shuffle`, or not one a sample.
    """

    def __init__(
        self,
        total: int,
        batch_size: int,
        rank: int,
        world: int,
        shuffle: bool,
        seed: int,
        classes: NDArray[np.int64] | None = None,
    ) -> None:
        if classes is not None and (not shuffle or len(classes) != total):
            raise ValueError("classes: expected one for each of the samples of a training part")
        self.total, self.batch_size = total, batch_size
        self.rank, self.world = rank, world
        self.shuffle, self.seed = shuffle, seed
        self.draws = None if classes is None else BalancedDraws(classes, seed)
        self.epoch = 0
        self.skipped = (0, 0)
        self.sampler = self  # Lightning looks here for `set_epoch`
        self._places = self._cut()

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, from 0; Lightning calls this before each."""
        self.epoch = epoch

    def skip(self, epoch: int, batches: int) -> None:
        """Leaves out the first batches of one epoch, in which they were trained on already.

        The length stays that of a whole epoch.
        """
        self.skipped = (epoch, batches)

    def sizes(self) -> list[int]:
        """Gives how many samples each global batch has, over all devices."""
        return [len(places) for places in self._places]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order = self._order()
        epoch, batches = self.skipped
        for places in self._places[batches if epoch == self.epoch else 0 :]:
            part = order[places[self.rank :: self.world]]
            yield [(turn, index) for turn, index in part.tolist()]

    def _cut(self) -> list[NDArray[np.int64]]:
        """Gives the places in the epoch's order that make up each global batch."""
        places = np.arange(self.total)
        if not self.shuffle:
            return np.array_split(places, -(-self.total // self.batch_size))
        return np.split(places, range(self.batch_size, self.total, self.batch_size))

    def _order(self) -> NDArray[np.int64]:
        """Gives the epoch's samples as total x 2: round and index."""
        order = np.arange(self.total)
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.total)
        if self.draws is None:
            return np.column_stack([np.full(self.total, self.epoch), order])
        first = self.epoch * self.total
        return self.draws.between(first, first + self.total)[order]
