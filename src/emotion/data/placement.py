"""Bonds of photos placed into parts: exact where that is asked for, alike in their classes.

A *bond* is a set of photos that stay together. Large ones are placed first, each into the part
that lacks its classes most; then bonds change places as long as that brings the parts nearer to
their shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.data.balance import PER_MISSING, Exchange, Measure

TRIES = 8  # orders of placement, of which the best is kept
EFFORT = 20_000  # bonds times parts, after which the orders tried are enough


def place(
    amounts: NDArray[np.int64], targets: Sequence[int], fixed: Sequence[bool], seed: int
) -> NDArray[np.int64] | None:
    """Places bonds into parts.

    Args:
        amounts: bonds x (1 + classes): photos of each bond, then its faces of each class.
        targets: photos that each part should have, one or more; they add up to all.
        fixed: for each part, whether its target is met exactly, or as near as is good for the
            classes.
        seed: 0 or more.

    Returns:
        For each bond the index of its part; None where no way to the exact sizes was found. With
        one exact part, or two in all, there is none then.
    """
    measure = Measure.of(amounts, targets)
    least, best = np.inf, None
    for attempt in range(TRIES):
        rng = np.random.default_rng([seed, attempt])
        placed = _fill(amounts, measure, targets, fixed, rng)
        if placed is not None:
            cost = Exchange(amounts, measure, fixed, placed, rng).run()
            if cost < least:
                least, best = cost, placed
        if best is not None and (attempt + 1) * amounts.shape[0] * len(targets) >= EFFORT:
            break
    return best


@dataclass(frozen=True)
class Sums:
    """How many photos can be made of whole bonds.

    Attributes:
        total: photos of all bonds.
        bits: bit n is set where n photos can be made; None where every number up to the total can.
    """

    total: int = 0
    bits: int | None = None

    def make(self, number: int) -> bool:
        """Says whether this many photos can be made."""
        if not 0 <= number <= self.total:
            return False
        return self.bits is None or bool(self.bits >> number & 1)

    def near(self, number: int) -> list[int]:
        """Gives the nearest numbers below and above that can be made, without nothing and all."""
        below = (n for n in range(min(number, self.total - 1), 0, -1) if self.make(n))
        above = (n for n in range(max(number, 1), self.total) if self.make(n))
        return sorted({n for n in (next(below, 0), next(above, 0)) if n})

    def plus(self, size: int) -> "Sums":
        """Gives what can be made with one more bond."""
        total = self.total + size
        if self.bits is None and size <= self.total + 1:
            return Sums(total)
        bits = (1 << self.total + 1) - 1 if self.bits is None else self.bits
        bits |= bits << size
        return Sums(total, None if bits == (1 << total + 1) - 1 else bits)


def sums_from(sizes: Sequence[int]) -> list[Sums]:
    """Gives for each place in a sequence what can be made of the bonds from there to its end."""
    sums = [Sums()]
    for size in reversed(sizes):
        sums.append(sums[-1].plus(size))
    return sums[::-1]


def _fill(
    amounts: NDArray[np.int64],
    measure: Measure,
    targets: Sequence[int],
    fixed: Sequence[bool],
    rng: np.random.Generator,
) -> NDArray[np.int64] | None:
    """Places one bond after the other; None where that does not meet the exact sizes."""
    order = _order(amounts, measure.scarce, rng)
    parts = rng.permutation(len(targets)).tolist()  # of parts that gain alike, the first
    need = [target if exact else None for target, exact in zip(targets, fixed, strict=True)]
    after = sums_from(amounts[order, 0].tolist())[1:]
    tally = _Tally(measure)
    placed = np.zeros(len(amounts), np.int64)
    for bond, row, rest in zip(order.tolist(), amounts[order].tolist(), after, strict=True):
        allowed = _allowed(parts, need, row[0], rest)
        if not allowed:
            return None
        placed[bond] = part = tally.add(row, allowed)
        remaining = need[part]
        if remaining is not None:
            need[part] = remaining - row[0]
    return placed


def _order(
    amounts: NDArray[np.int64], scarce: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Orders bonds: those of scarce classes first, then large ones.

    Sizes up to twice as large count as equal and come at random; otherwise the largest persons
    would go the same way with every seed.
    """
    order = rng.permutation(len(amounts))
    common = ~(amounts[order][:, scarce] > 0).any(1)
    magnitude = np.frexp(amounts[order, 0])[1]
    return order[np.lexsort((-magnitude, common))]


def _allowed(parts: Sequence[int], need: Sequence[int | None], size: int, rest: Sums) -> list[int]:
    """Lists the parts that can take a bond so that the rest can still make the exact sizes."""
    exact = {part: n for part, n in enumerate(need) if n is not None}
    stuck = [part for part, n in exact.items() if not rest.make(n)]
    if len(stuck) > 1:
        return []
    owed = sum(exact.values())
    return [
        part
        for part in stuck or parts
        if (rest.make(exact[part] - size) if part in exact else owed <= rest.total)
    ]


class _Tally:
    """What each part holds while bonds are placed; plain numbers, since bonds come one by one."""

    def __init__(self, measure: Measure) -> None:
        self.expected: list[list[float]] = measure.expected.tolist()
        self.weights: list[list[float]] = measure.weights.tolist()
        self.scarce: list[bool] = measure.scarce.tolist()
        self.held = [[0] * len(row) for row in self.expected]

    def add(self, row: Sequence[int], parts: Sequence[int]) -> int:
        """Adds a bond to the part whose cost falls most, and gives that part."""
        amounts = [(column, amount) for column, amount in enumerate(row) if amount]
        best, chosen = np.inf, parts[0]
        for part in parts if len(parts) > 1 else ():
            held, expected, weights = self.held[part], self.expected[part], self.weights[part]
            change = 0.0
            for column, amount in amounts:
                off = held[column] - expected[column]
                change += weights[column] * amount * (2 * off + amount)
                if self.scarce[column] and not held[column]:
                    change -= PER_MISSING
            if change < best:
                best, chosen = change, part
        for column, amount in amounts:
            self.held[chosen][column] += amount
        return chosen
