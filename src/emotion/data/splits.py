"""Which photos are trained on, which choose the epoch, and which test: no two parts share a face.

What is divided are *bonds*: photos that must stay together, such as those of one person, or copies
of one picture. A photo that is bound to no other is a bond of its own. Where each bond is one photo
with one face, each class has its share of each part to within one photo; otherwise as nearly as
whole bonds allow.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.data.placement import place as place_bonds
from emotion.data.placement import sums_from
from emotion.errors import ConfigError, DataError, summarise

Amount = int | float | None  # of photos: a count, a share, or all others


def split(
    counts: NDArray[np.int64],
    bonds: NDArray[np.int64],
    names: Sequence[str],
    wanted: Mapping[str, Amount],
    labels: Sequence[str],
    seed: int,
    place: str,
) -> NDArray[np.int64]:
    """Divides photos into parts that are alike in their classes and share no bond.

    The result depends on names, bonds, counts and seed: not on the order in which the photos come,
    nor on the bonds' numbers, nor on the machine.

    Args:
        counts: photos x classes, faces of each class in each photo.
        bonds: one number for each photo; photos with equal numbers stay together.
        names: relative path of each photo, each another.
        wanted: part -> how many photos: a count, which is met exactly; a share between 0 and 1,
            which is met to the nearest photo where enough photos stand alone, and else as nearly as
            is good for the classes; or None, once at most, for all others.
        labels: class names.
        seed: 0 or more; 0 is a seed like any other.
        place: names the data set in errors.

    Returns:
        For each photo the index of its part in `wanted`.

    Raises:
        ConfigError: a setting is neither a count nor a share, or nothing is left for training.
        DataError: the counts do not add up or cannot be made of whole bonds, a part would be
            empty, or a class has fewer bonds than there are parts.
    """
    targets = _targets(wanted, len(names), place)
    units = _unite(counts, bonds, names)
    parts = f"{len(wanted)} parts ({', '.join(wanted)})"
    _require_bonds(units, len(wanted), parts, "ask for fewer parts", labels, place)
    placed = _place(units, targets, [type(amount) is int for amount in wanted.values()], seed)
    if placed is None:
        raise DataError(f"{place}: {_why_unreachable(units, targets, wanted, seed)}")
    sizes = np.bincount(placed, units.sizes, len(targets)).astype(int).tolist()
    _require_photos(dict(zip(wanted, sizes, strict=True)), wanted, place)
    return units.of_photos(placed)


def folds(
    counts: NDArray[np.int64],
    bonds: NDArray[np.int64],
    names: Sequence[str],
    k: int,
    labels: Sequence[str],
    seed: int,
    place: str,
) -> NDArray[np.int64]:
    """Divides photos into k folds of like size and classes that share no bond.

    Args:
        counts: photos x classes, faces of each class in each photo.
        bonds: one number for each photo; photos with equal numbers stay together.
        names: relative path of each photo, each another.
        k: number of folds, 2 or more.
        labels: class names.
        seed: 0 or more.
        place: names the data set in errors.

    Returns:
        For each photo its fold, from 1 to k.

    Raises:
        ConfigError: k is not 2 or more.
        DataError: there are more folds than photos, or than bonds of some class.
    """
    if type(k) is not int or k < 2:
        raise ConfigError(f"data.folds: expected 2 or more, got {k}")
    units = _unite(counts, bonds, names)
    _require_bonds(units, k, f"data.folds={k}", "ask for fewer folds", labels, place)
    targets = [len(names) // k + (fold < len(names) % k) for fold in range(k)]
    # Equal in size to one photo, or, with groups, as nearly as is good for the classes.
    placed = place_bonds(units.amounts, targets, [not units.joined] * k, seed)
    assert placed is not None  # single photos make any size
    return units.of_photos(placed) + 1


@dataclass(frozen=True)
class _Units:
    """The bonds, in the order of the first of their photos' names.

    Attributes:
        order: the photos, sorted by name.
        unit: bond of each photo in that order.
        amounts: bonds x (1 + classes): photos, then faces of each class.
    """

    order: NDArray[np.int64]
    unit: NDArray[np.int64]
    amounts: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Photos of each bond."""
        return self.amounts[:, 0]

    @property
    def joined(self) -> bool:
        """Whether any bond joins photos."""
        return len(self.amounts) < len(self.order)

    def count(self, number: int) -> str:
        """Gives a number of bonds as text; they are called groups only if any joins photos."""
        word = "group" if self.joined else "photo"
        return f"{number} {word}{'' if number == 1 else 's'}"

    def of_photos(self, placed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Gives each photo, in the order in which they came, what its bond was given."""
        result = np.empty(len(self.order), np.int64)
        result[self.order] = placed[self.unit]
        return result


def _unite(counts: NDArray[np.int64], bonds: NDArray[np.int64], names: Sequence[str]) -> _Units:
    # One name may come in another Unicode form on another machine.
    keys = [(unicodedata.normalize("NFC", name), name) for name in names]
    order = np.array(sorted(range(len(names)), key=keys.__getitem__), np.int64)
    _, first, unit = np.unique(bonds[order], return_index=True, return_inverse=True)
    unit = np.argsort(np.argsort(first))[unit]
    amounts = np.zeros((len(first), 1 + counts.shape[1]), np.int64)
    np.add.at(amounts, unit, np.insert(counts[order], 0, 1, axis=1))
    return _Units(order, unit, amounts)


def _place(
    units: _Units, targets: Sequence[int], exact: Sequence[bool], seed: int
) -> NDArray[np.int64] | None:
    """Places the bonds, each part exactly where that is easy, else those where it must be."""
    easy = sums_from(sorted(units.sizes.tolist(), reverse=True))[0].bits is None
    placed = place_bonds(units.amounts, targets, [True] * len(targets), seed) if easy else None
    return place_bonds(units.amounts, targets, exact, seed) if placed is None else placed


def _targets(wanted: Mapping[str, Amount], total: int, place: str) -> list[int]:
    """Gives the photos that each part should have."""
    for part, amount in wanted.items():
        is_count = type(amount) is int and amount > 0
        is_share = isinstance(amount, float) and 0 < amount < 1
        if not (is_count or is_share or amount is None):
            raise ConfigError(
                f"data.{part}: expected a count, or a share between 0 and 1, got {amount}"
            )
    asked = {part: amount for part, amount in wanted.items() if amount is not None}
    if len(asked) < len(wanted) - 1:
        keys = _listed(f"data.{part}" for part in wanted if part not in asked)
        raise ConfigError(f"{keys}: expected a count or a share for all but one, got null")
    shares = {part: amount for part, amount in asked.items() if isinstance(amount, float)}
    if sum(shares.values()) > 1 - 1e-9:
        raise ConfigError(
            f"{_settings(shares)} are shares of {sum(shares.values()):g} in all; expected less than"
            " 1, so that photos are left for the other part"
        )
    sizes = {p: round(a * total) if isinstance(a, float) else a for p, a in asked.items()}
    left = total - sum(sizes.values())
    if left < 0 or (left > 0 and len(asked) == len(wanted)):
        raise DataError(
            f"{place}: {_settings(asked)} {'ask' if len(asked) > 1 else 'asks'} for"
            f" {total - left} photos, but there are {total}; set data.train=null, and data.val to a"
            " share such as 0.2"
        )
    targets = {part: sizes.get(part, left) for part in wanted}
    _require_photos(targets, wanted, place)
    return list(targets.values())


def _require_photos(sizes: Mapping[str, int], wanted: Mapping[str, Amount], place: str) -> None:
    if not all(sizes.values()):
        made = ", ".join(f"{part} {size}" for part, size in sizes.items())
        raise DataError(
            f"{place}: {_settings(wanted)} would make {made} of {sum(sizes.values())} photos;"
            " expected at least one in each"
        )


def _require_bonds(
    units: _Units, count: int, parts: str, way_out: str, labels: Sequence[str], place: str
) -> None:
    """Checks that each part can have a photo, and a face of each class that there is at all."""
    everything, *of_classes = (units.amounts > 0).sum(0).tolist()
    problems = [
        f"{place}: class {label}: {units.count(held)} for {parts}, each of which needs at least"
        f" one; add photos of it, {way_out}, or leave the class out with data.label_map"
        for label, held in zip(labels, of_classes, strict=True)
        if 0 < held < count
    ]
    if everything < count:
        few = units.count(everything)
        problems = [f"{place}: {few} for {parts}, each of which needs at least one; {way_out}"]
    if problems:
        raise DataError(summarise(problems))


def _why_unreachable(
    units: _Units, targets: Sequence[int], wanted: Mapping[str, Amount], seed: int
) -> str:
    """Says which counts cannot be made of whole bonds, and which near ones can."""
    sums = sums_from(units.sizes.tolist())[0]
    counts = {
        part: target
        for (part, amount), target in zip(wanted.items(), targets, strict=True)
        if isinstance(amount, int)
    }
    near = {part: sums.near(n) for part, n in counts.items() if not sums.make(n)}
    if near:
        text = "; ".join(f"nearest for data.{p}: {_listed(map(str, n))}" for p, n in near.items())
        found = f"{_settings({part: counts[part] for part in near})} cannot be made; {text}"
    else:
        placed = place_bonds(units.amounts, targets, [False] * len(targets), seed)
        assert placed is not None
        made = np.bincount(placed, units.sizes, len(targets)).astype(int).tolist()
        text = ", ".join(f"data.{p}={n}" for p, n in zip(wanted, made, strict=True) if p in counts)
        found = f"{_settings(counts)} were not found together; found was {text}"
    return (
        f"{units.count(len(units.amounts))} of {units.sizes.min()} to {units.sizes.max()} photos"
        f" (data.groups, copies) stay whole, and {found}; set these, or shares such as"
        " data.val=0.2"
    )


def _settings(wanted: Mapping[str, Amount]) -> str:
    return _listed(
        f"data.{part}={'null' if amount is None else amount}" for part, amount in wanted.items()
    )


def _listed(texts: Iterable[str]) -> str:
    """Gives "a", "a and b", or "a, b and c"."""
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last
