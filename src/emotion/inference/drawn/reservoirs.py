"""A fair choice of a few out of many, made while they pass by."""

from collections.abc import Callable
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np

T = TypeVar("T")


class Reservoir(Generic[T]):
    """Keeps a sample of what passes, in which each had the same chance (Vitter's algorithm R).

    Which ones are kept depends on the seed and on their order alone.
    """

    def __init__(self, most: int, seed: str) -> None:
        """Begins empty.

        Args:
            most: how many are kept.
            seed: of the choice.
        """
        self.passed = 0
        self._most = most
        self._seed = crc32(seed.encode())
        self._kept: dict[int, tuple[int, T]] = {}

    def wants(self, ahead: int = 0) -> bool:
        """Tells whether the next one would be kept, or one that comes later."""
        return self._place(self.passed + ahead) < self._most

    def add(self, make: Callable[[], T]) -> None:
        """Takes the next one, which is made only where it is kept."""
        place = self._place(self.passed)
        if place < self._most:
            self._kept[place] = (self.passed, make())
        self.passed += 1

    def kept(self) -> list[T]:
        """Gives what is kept, in the order in which it passed."""
        return [item for _, item in sorted(self._kept.values(), key=lambda pair: pair[0])]

    def _place(self, number: int) -> int:
        if number < self._most:
            return number
        # Drawn anew from the number, so that asking does not change what comes.
        generator = np.random.default_rng([self._seed, number])
        return int(generator.integers(number + 1))
