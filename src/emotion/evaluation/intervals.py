"""How far a score may be off: 95 % intervals by resampling photos, or persons."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, t

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 0  # fixed: the same predictions give the same interval
# Strata with fewer units are joined: one unit alone would be the same in every draw.
SMALLEST_STRATUM = 10
BLOCK = 20_000_000  # counts in memory at once
FEW = 500  # units whose draws are kept, 40 MB
DRAWS = 100_000_000  # counts drawn at most: where many units all differ, resamples are fewer

Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Interval:
    """A score with the interval that holds it in 95 of 100 repetitions with other photos."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Units:
    """What is drawn anew: photos or persons, since faces of one are not independent.

    Attributes:
        of_face: unit of each face, n, int64, from 0.
        strata: stratum of each unit, int64: the class that most of its faces have, or -1.
        noun: what a unit is: "photo" or "person".
        numbers: unit of each name.
    """

    of_face: NDArray[np.int64]
    strata: NDArray[np.int64]
    noun: str
    numbers: Mapping[Hashable, int]

    @classmethod
    def by_name(
        cls,
        names: Sequence[Hashable],
        targets: NDArray[np.int64],
        noun: str = "photo",
        faceless: Sequence[Hashable] = (),
    ) -> Self:
        """Makes one unit of the faces with the same name.

        Args:
            names: of each face's photo or person.
            targets: true class of each face, n, int64.
            noun: what a unit is.
            faceless: names of photos or persons without a face; they are units too.
        """
        numbers: dict[Hashable, int] = {}
        of_face = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        for name in faceless:
            numbers.setdefault(name, len(numbers))
        counts = np.zeros((len(numbers), int(targets.max(initial=0)) + 1), np.int64)
        np.add.at(counts, (of_face, targets), 1)
        strata = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
        return cls(of_face, _joined(strata), noun, numbers)

    def __len__(self) -> int:
        return len(self.strata)

    def sums(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Adds up the values of each unit's faces: from n x k to units x k, float64."""
        total = np.zeros((len(self), *values.shape[1:]))
        np.add.at(total, self.of_face, values)
        return total


def _joined(strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Joins strata with few units with one another, and these, if still few, with the next."""
    numbers, counts = np.unique(strata, return_counts=True)
    joined: list[np.int64] = []
    size = 0
    for place in np.argsort(counts, kind="stable"):
        if counts[place] >= SMALLEST_STRATUM and (not joined or size >= SMALLEST_STRATUM):
            break
        joined.append(numbers[place])
        size += int(counts[place])
    return np.where(np.isin(strata, joined), joined[0], strata) if joined else strata


@dataclass(frozen=True)
class Draws:
    """Sums over all units, as they were and as other units of the same kind would have given them.

    Attributes:
        total: what was counted, k, float64.
        drawn: resamples x k, float64.
        units: how many units there are.
    """

    total: NDArray[np.float64]
    drawn: NDArray[np.float64]
    units: int

    def interval(
        self, score: Score, support: int | None = None, signed: bool = False
    ) -> Interval | None:
        """Gives a score with its interval.

        It is the percentile bootstrap interval, stratified, with percentiles moved outwards as
        Student's t is wider than the normal distribution: without, few units give too narrow ones
        ("expanded percentile interval", Hesterberg, The American Statistician 69, 2015). Where all
        draws agree on 0 or 1 they say nothing; there it is the exact binomial one (Clopper and
        Pearson, 1934).

        Args:
            score: from sums ... x k to ... scores, 0 to 1; NaN where there is none.
            support: number of units that the score rests on; None for all.
            signed: it is a difference, which may lie on both sides of 0.

        Returns:
            None where the score has no meaning for what was counted.
        """
        value = float(score(self.total))
        if np.isnan(value):
            return None
        drawn = score(self.drawn)
        drawn = drawn[~np.isnan(drawn)]
        units = self.units if support is None else support
        if len(drawn) == 0 or (drawn == drawn[0]).all():
            low, high = _exact(value, units, signed)
        else:
            low, high = np.quantile(drawn, expanded_tails(units))
        return Interval(value, min(float(low), value), max(float(high), value))


def expanded_tails(units: int) -> tuple[float, float]:
    """Gives the two shares of draws at which the interval ends, for that many units."""
    tail = (1 - LEVEL) / 2
    if units < 2:
        return 0.0, 1.0
    moved = float(norm.cdf(np.sqrt(units / (units - 1)) * t.ppf(tail, units - 1)))
    return moved, 1 - moved


def _exact(value: float, units: int, signed: bool) -> tuple[float, float]:
    if signed:  # a unit that differs otherwise would move it by 1 at most, either way
        unseen = float(binomtest(0, units).proportion_ci(LEVEL, "exact").high)
        return (1 - unseen) * value - unseen, (1 - unseen) * value + unseen
    if not 0 <= value <= 1:
        return value, value
    ci = binomtest(round(value * units), units).proportion_ci(LEVEL, "exact")
    return ci.low, ci.high


def draw(sums: NDArray[np.float64], strata: NDArray[np.int64], resamples: int = RESAMPLES) -> Draws:
    """Draws units with replacement, as many of each stratum as there are, again and again.

    Up to `FEW` units the draws are the same whatever is summed up, so that scores of the same faces
    go together wherever they are computed. Of more, those with the same sums are interchangeable: a
    draw is one multinomial over the distinct ones, and where these are counts of a few classes the
    cost does not depend on how many faces there are.

    Args:
        sums: units x k, see `Units.sums`.
        strata: stratum of each unit, int64.
        resamples: how many to draw; fewer where the distinct units are so many that it would take
            more than `DRAWS` counts.
    """
    if len(sums) <= FEW:
        drawn = _times_of_few(strata.tobytes(), resamples) @ sums
    else:
        drawn = _drawn_of_many(sums, strata, resamples)
    return Draws(sums.sum(axis=0), drawn, len(sums))


@lru_cache(maxsize=2)
def _times_of_few(strata: bytes, resamples: int) -> NDArray[np.float64]:
    """Draws how often each unit comes: resamples x units."""
    of_unit = np.frombuffer(strata, np.int64)
    rng = np.random.default_rng(SEED)
    times = np.zeros((resamples, len(of_unit)))  # as numbers that are multiplied fast
    for stratum in np.unique(of_unit):
        members = of_unit == stratum
        count = int(members.sum())
        times[:, members] = rng.multinomial(count, np.full(count, 1 / count), resamples)
    return times


def _drawn_of_many(
    sums: NDArray[np.float64], strata: NDArray[np.int64], resamples: int
) -> NDArray[np.float64]:
    rng = np.random.default_rng(SEED)
    kinds = [_distinct(sums[strata == stratum]) for stratum in np.unique(strata)]
    most = sum(len(distinct) for distinct, _ in kinds)
    resamples = max(min(resamples, DRAWS // max(most, 1)), 200)
    drawn = np.zeros((resamples, sums.shape[1]))
    for distinct, counts in kinds:
        block = max(BLOCK // len(distinct), 1)
        for start in range(0, resamples, block):
            some = slice(start, min(start + block, resamples))
            drawn[some] += _times_of_kinds(rng, counts, some.stop - some.start) @ distinct
    return drawn


def _times_of_kinds(
    rng: np.random.Generator, counts: NDArray[np.int64], draws: int
) -> NDArray[np.int64]:
    """Draws how often each kind of unit comes: draws x kinds."""
    units = int(counts.sum())
    if units > 2 * len(counts):
        return rng.multinomial(units, counts / units, draws)
    # Where few units are alike it is ten times faster to draw them one by one.
    kind = np.repeat(np.arange(len(counts)), counts)
    chosen = (kind[rng.integers(0, units, units)] for _ in range(draws))
    return np.stack([np.bincount(one, minlength=len(counts)) for one in chosen])


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    return distinct, counts.astype(np.int64)
