"""Where it fails: accuracy by what faces are like, and by what a user knows of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.intervals import Draws, Interval, Units, draw
from emotion.evaluation.slices.differences import accuracy_of, against_rest, holm
from emotion.evaluation.slices.partings import Parting, by_quality, by_value, by_view
from emotion.faces.qualities import Qualities

# A group with fewer says little: the interval of 30 faces, half of them right, reaches 18 points to
# each side. Faces of one photo or person are alike, so these must not be too few either.
FEWEST_FACES, FEWEST_UNITS = 30, 10
WRONGLY = 0.05  # chance that any group is called clearly worse although none is


@dataclass(frozen=True)
class Group:
    """Faces that have something in common.

    Attributes:
        name: what that is.
        faces: how many there are, one or more.
        units: photos or persons that they are of.
        accuracy: share of right answers.
        rest: that of all other faces; None where there are none.
        difference: accuracy less that of the rest; likewise.
        p: of the difference; None where the group or its rest is too small to be judged.
        adjusted_p: p, with all groups that are judged allowed for; likewise.
        small: too few faces, photos or persons to say much.
    """

    name: str
    faces: int
    units: int
    accuracy: Interval
    rest: Interval | None
    difference: Interval | None
    p: float | None
    adjusted_p: float | None
    small: bool

    @property
    def lower(self) -> bool:
        """Whether the interval of the difference lies below 0, which may be chance."""
        return self.p is not None and self.difference is not None and self.difference.high < 0

    @property
    def worse(self) -> bool:
        """Whether it is lower also when it is allowed for that many groups are looked at."""
        return self.lower and self.adjusted_p is not None and self.adjusted_p < WRONGLY


@dataclass(frozen=True)
class Slicing:
    """One way to part the faces into groups.

    Attributes:
        name: what they are parted by.
        about: how that is measured; "" for a user's own column.
        unit: what is drawn anew: "photo" or "person".
        groups: each face is in one.
        comparisons: how many groups were held against their rest, in all slicings together.
    """

    name: str
    about: str
    unit: str
    groups: tuple[Group, ...]
    comparisons: int

    @property
    def judged(self) -> bool:
        """Whether any group has enough faces, and as many beside it, to be judged."""
        return any(group.p is not None for group in self.groups)

    @property
    def worse(self) -> tuple[Group, ...]:
        """Groups that are clearly worse than the rest."""
        return tuple(group for group in self.groups if group.worse)

    @property
    def lower(self) -> tuple[Group, ...]:
        """Groups that look worse than the rest, but may do so by chance."""
        return tuple(group for group in self.groups if group.lower and not group.worse)

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `metrics.json`."""
        groups = [
            asdict(group) | {"lower": group.lower, "worse": group.worse} for group in self.groups
        ]
        return asdict(self) | {"groups": groups}


def make_slices(
    qualities: Sequence[Qualities],
    views: Sequence[str | None] | None,
    columns: Mapping[str, Sequence[str]],
    right: NDArray[np.bool_],
    units: Units,
) -> list[Slicing]:
    """Computes accuracy by face size, sharpness, brightness, contrast, border, head and columns.

    A group is clearly worse where the interval of its difference to all other faces lies below 0,
    and its p, adjusted for all groups that are judged, is below 0.05.

    Args:
        qualities: of each face, n, one or more.
        views: how a detector saw each face, None where it did not find it; None without a detector.
        columns: of the user: name -> value of each face.
        right: whether each face's answer is right, n.
        units: what intervals draw anew.
    """
    partings = [*by_quality(qualities), *([] if views is None else [by_view(views)])]
    partings += [by_value(name, values) for name, values in columns.items()]
    all_groups = [_measure(parting, right, units) for parting in partings]
    comparisons, adjusted = _adjust(all_groups)
    return [
        Slicing(parting.name, parting.about, units.noun, groups, comparisons)
        for parting, groups in zip(partings, adjusted, strict=True)
    ]


def _measure(parting: Parting, right: NDArray[np.bool_], units: Units) -> tuple[Group, ...]:
    """Measures each group that has a face."""
    numbers = np.unique(parting.groups)
    members = parting.groups[:, None] == numbers
    present = np.unique(units.of_face)  # a photo without a face counts nowhere
    sums = units.sums(np.hstack([members, members & right[:, None]]))[present]
    drawn = draw(sums, units.strata[present])
    return tuple(
        _group(parting.names[number], place, members[:, place], drawn, units)
        for place, number in enumerate(numbers)
    )


def _group(name: str, place: int, inside: NDArray[np.bool_], drawn: Draws, units: Units) -> Group:
    counts = [len(np.unique(units.of_face[side])) for side in (inside, ~inside)]
    faces = [int(side.sum()) for side in (inside, ~inside)]
    small = [f < FEWEST_FACES or u < FEWEST_UNITS for f, u in zip(faces, counts, strict=True)]
    found = against_rest(drawn, place, (counts[0], counts[1])) if faces[1] else None
    return Group(
        name=name,
        faces=faces[0],
        units=counts[0],
        accuracy=found.accuracy if found else accuracy_of(drawn, place, counts[0]),
        rest=found.rest if found else None,
        difference=found.difference if found else None,
        p=found.p if found and not any(small) else None,
        adjusted_p=None,
        small=small[0],
    )


def _adjust(slicings: Sequence[tuple[Group, ...]]) -> tuple[int, list[tuple[Group, ...]]]:
    """Adjusts the p of all groups for their number."""
    judged = {
        (place, number): group.p
        for place, groups in enumerate(slicings)
        # Of two groups one comparison tells all.
        for number, group in enumerate(groups[:1] if len(groups) == 2 else groups)
        if group.p is not None
    }
    adjusted = dict(zip(judged, holm(list(judged.values())), strict=True))
    changed = []
    for place, groups in enumerate(slicings):
        numbers = [0, 0] if len(groups) == 2 else range(len(groups))
        pairs = zip(groups, numbers, strict=True)
        changed.append(tuple(replace(g, adjusted_p=adjusted.get((place, n))) for g, n in pairs))
    return len(judged), changed
