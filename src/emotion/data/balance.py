"""How even the parts of a split are, and swaps that make them more so.

What is swapped are *bonds*: photos that stay together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

# Each outweighs any sum of relative deviations that could be traded for it.
PER_MISSING = 1e6  # a part has no face of a class
PER_EXCESS = 1e9  # a face, squared, beyond what rounding and the largest bond explain
SWEEPS = 10  # over all pairs of parts
SWAPS = 20  # between two parts in one sweep
KINDS = 256  # of bonds in a part, and
PAIRS = 4096  # of them between two parts, among which the best swap is looked for


@dataclass(frozen=True)
class Measure:
    """How far a part is from its share of everything; photos are counted as if they were a class.

    The sum over the classes of (held / expected - 1)^2, weighted by the part's share, plus what
    is due for a class that is missing and for faces beyond `low` and `high`.

    Attributes:
        expected: parts x (1 + classes): photos and faces that would be each part's share.
        low: likewise, the share rounded down, and down by what the largest bond moves at once.
        high: likewise, upwards.
        weights: likewise, of the squared deviations.
        scarce: for each class whether only few bonds have it.
    """

    expected: NDArray[np.float64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    weights: NDArray[np.float64]
    scarce: NDArray[np.bool_]

    @classmethod
    def of(cls, amounts: NDArray[np.int64], targets: Sequence[int]) -> "Measure":
        """Makes the measure for bonds and the photos that each part should have."""
        everything, sizes = amounts.sum(0), np.array(targets)[:, None]
        photos = int(everything[0])
        slack = np.maximum(amounts.max(0), 1) - 1
        holders = (amounts > 0).sum(0)
        return cls(
            expected=everything * sizes / photos,
            low=everything * sizes // photos - slack,
            high=-(-everything * sizes // photos) + slack,
            weights=photos / sizes / np.maximum(everything, 1) ** 2,
            scarce=(holders > 0) & (holders < 4 * len(targets)),
        )

    def cost(self, part: int, held: NDArray[np.int64]) -> NDArray[np.float64]:
        """Gives the cost of what a part holds: ... x (1 + classes), photos and faces."""
        off = held - self.expected[part]
        beyond = np.maximum(np.maximum(held - self.high[part], self.low[part] - held), 0)
        missing = (held == 0) & (self.expected[part] > 0)
        costs = self.weights[part] * off**2 + PER_EXCESS * beyond**2 + PER_MISSING * missing
        return np.asarray(costs.sum(-1), np.float64)


class Exchange:
    """Bonds that change places, kept by kind: bonds with the same amounts are the same to it."""

    def __init__(
        self,
        amounts: NDArray[np.int64],
        measure: Measure,
        fixed: Sequence[bool],
        placed: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        self.measure, self.fixed, self.placed, self.rng = measure, fixed, placed, rng
        kinds, kind = np.unique(amounts, axis=0, return_inverse=True)
        # Kind 0 is nothing: what a bond that only moves is exchanged for.
        self.kinds = np.concatenate([np.zeros_like(kinds[:1]), kinds])
        self.kind = kind.reshape(-1) + 1
        self.held = np.zeros_like(measure.low)
        np.add.at(self.held, placed, amounts)
        self.stock = np.zeros((len(fixed), len(self.kinds)), np.int64)
        np.add.at(self.stock, (placed, self.kind), 1)

    def run(self) -> float:
        """Swaps until nothing is gained, or for long enough; gives the cost of all parts."""
        parts = range(len(self.fixed))
        for _ in range(SWEEPS):
            if not sum(self._settle(first, second) for first, second in combinations(parts, 2)):
                break
        return sum(float(self.measure.cost(part, self.held[part])) for part in parts)

    def _settle(self, first: int, second: int) -> int:
        for swaps in range(SWAPS):
            best = self._best_swap(first, second)
            if best is None:
                return swaps
            self._move(best[0], first, second)
            self._move(best[1], second, first)
        return SWAPS

    def _best_swap(self, first: int, second: int) -> tuple[int, int] | None:
        """Finds the kinds whose swap gains most, or None where none does."""
        given, taken = self._candidates(first, second)
        if not len(given):
            return None
        gains = self.kinds[taken] - self.kinds[given]
        parts = ((first, gains), (second, -gains))
        before = sum(float(self.measure.cost(part, self.held[part])) for part, _ in parts)
        after = sum(self.measure.cost(part, self.held[part] + change) for part, change in parts)
        best = int(np.argmin(after))
        # A gain must be more than rounding errors.
        if np.min(after) > before - 1e-12 * (1 + before):
            return None
        return int(given[best]), int(taken[best])

    def _candidates(self, first: int, second: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        given, taken = (np.flatnonzero(self.stock[part]) for part in (first, second))
        given, taken = (self._some(kinds, KINDS) for kinds in (given, taken))
        if self.fixed[first] or self.fixed[second]:
            alike = self.kinds[given][:, None, 0] == self.kinds[taken][None, :, 0]
        else:
            given, taken = np.append(given, 0), np.append(taken, 0)
            alike = np.ones((len(given), len(taken)), bool)
        pairs = self._some(np.flatnonzero(alike), PAIRS)
        return given[pairs // len(taken)], taken[pairs % len(taken)]

    def _some(self, items: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        return items if len(items) <= most else self.rng.choice(items, most, replace=False)

    def _move(self, kind: int, source: int, goal: int) -> None:
        """Moves a bond of a kind, any one, from one part to another."""
        if kind == 0:
            return
        bond = self.rng.choice(np.flatnonzero((self.placed == source) & (self.kind == kind)))
        self.placed[bond] = goal
        self.held[source] -= self.kinds[kind]
        self.held[goal] += self.kinds[kind]
        self.stock[source, kind] -= 1
        self.stock[goal, kind] += 1
