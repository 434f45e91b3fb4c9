"""Which photos are trained on, which choose the epoch, and which are kept for the test."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.data.audit import Audit
from emotion.data.duplicates import clusters
from emotion.data.parts import WHOLE
from emotion.data.split_file import (
    FrozenSplit,
    SplitEntry,
    check_unchanged,
    hash_files,
    read_split,
)
from emotion.data.splits import folds, split
from emotion.errors import ConfigError
from emotion.faces.folders import AnnotatedPhoto

AUTO = "auto"
SHARE = 0.2  # of the photos, for validation where nothing else is said

Photos = dict[str, list[AnnotatedPhoto]]


@dataclass(frozen=True)
class SplitPlan:
    """How photos are split where the folders do not say.

    Attributes:
        val: photos for validation: a count, a share, or "auto": the folder `val/` where there is
            one, a fifth of the others otherwise.
        train: photos for training: a count, or None for all others.
        test: photos kept for the test where there is no folder `test/`: a count, a share, or None.
        folds: parts of cross-validation, or None.
        fold: the one that is validated on, from 1.
        seed: any non-negative integer.
        file: a frozen split, which overrides all of the above but `fold`; or None.
    """

    val: str | int | float = AUTO
    train: int | None = None
    test: int | float | None = None
    folds: int | None = None
    fold: int = 1
    seed: int = 0
    file: Path | None = None


def assign(photos: Photos, audit: Audit, plan: SplitPlan) -> Photos:
    """Assigns every photo to train, val or test.

    Args:
        photos: clean ones, by the folder that they stand in.
        audit: of the same data set; photos of one person, and copies, stay together.
        plan: how to split.

    Returns:
        The photos of each part, sorted by their XML file's path within the data set.

    Raises:
        DataError: the plan cannot be met, or a file of a frozen split has changed; says which.
        ConfigError: the plan contradicts itself or the folders.
    """
    if plan.file is not None:
        return _frozen(photos, audit, plan.fold, plan.file)
    given: Photos = {part: photos[part] for part in ("val", "test") if part in photos}
    _check(plan, given)
    if plan.folds is None:
        _check_fold(plan.fold, 0)
    pool = photos.get("train", []) + photos.get(WHOLE, [])
    if plan.folds is not None:
        numbers = fold_numbers(pool, audit, plan)
        return _by_fold(pool, numbers, plan.fold) | given
    wanted: dict[str, int | float | None] = {"train": plan.train}
    if "val" not in given:
        wanted["val"] = SHARE if plan.val == AUTO else _number(plan.val)
    if plan.test is not None:
        wanted["test"] = plan.test
    chosen = split(*_described(pool, audit), wanted, audit.scheme.names, plan.seed, _place(audit))
    names = list(wanted)
    return {
        name: [photo for photo, part in zip(pool, chosen, strict=True) if names[part] == name]
        for name in names
    } | given


def fold_numbers(
    pool: Sequence[AnnotatedPhoto], audit: Audit, plan: SplitPlan
) -> NDArray[np.int64]:
    """Gives the fold of each photo, from 1.

    Raises:
        DataError: there are more folds than some class has photos, or persons.
    """
    assert plan.folds is not None
    place = _place(audit)
    return folds(*_described(pool, audit), plan.folds, audit.scheme.names, plan.seed, place)


def freeze(photos: Photos, audit: Audit, plan: SplitPlan) -> FrozenSplit:
    """Gives a split as it is written to a file: names within the data set, with hashes.

    Args:
        photos: those of each part, as `assign` gives them.
        audit: of the data set.
        plan: how they were split; with folds, each photo of train and val gets its fold's number.
            What a frozen split says of how it was made stays said.
    """
    how = {name: value for name, value in asdict(plan).items() if name != "file"}
    numbers: dict[str, int | None] = {}
    if plan.file is not None:
        frozen = read_split(plan.file)
        how = frozen.how | {"fold": plan.fold}
        numbers = {name: entry.fold for name, entry in frozen.entries.items()}
    elif plan.folds is not None:
        pool = [photo for part in ("train", "val") for photo in photos[part]]
        found = fold_numbers(pool, audit, plan).tolist()
        numbers = {_name(photo.annotation, audit): n for photo, n in zip(pool, found, strict=True)}
    everyone = [(part, photo) for part, members in photos.items() for photo in members]
    hashes = hash_files([(photo.annotation, photo.image) for _, photo in everyone])
    entries = {
        _name(photo.annotation, audit): SplitEntry(
            _name(photo.image, audit), sha256, part, numbers.get(_name(photo.annotation, audit))
        )
        for (part, photo), sha256 in zip(everyone, hashes, strict=True)
    }
    faces = {part: _count(members, audit) for part, members in photos.items()}
    return FrozenSplit(entries, how, faces)


def _place(audit: Audit) -> str:
    """Names the folder that is divided: `train/`, where there are parts."""
    divided = audit.folders.get("train") or audit.folders.get(WHOLE)
    return str(divided.path if divided else audit.root)


def _name(path: Path, audit: Audit) -> str:
    return path.relative_to(audit.root).as_posix()


def _count(photos: Sequence[AnnotatedPhoto], audit: Audit) -> dict[str, int]:
    counts, _, _ = _described(photos, audit)
    return dict(zip(audit.scheme.names, counts.sum(axis=0).tolist(), strict=True))


def _described(
    pool: Sequence[AnnotatedPhoto], audit: Audit
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Gives the faces of each class in each photo, the bonds of the photos, and their names."""
    counts = np.zeros((len(pool), len(audit.scheme.names)), dtype=np.int64)
    for row, photo in zip(counts, pool, strict=True):
        for face in photo.faces:
            target = audit.scheme.class_of(face.label)
            if target is not None:
                row[target] += 1
    names = [_name(photo.annotation, audit) for photo in pool]
    return counts, _bonds(pool, audit), names


def _bonds(pool: Sequence[AnnotatedPhoto], audit: Audit) -> NDArray[np.int64]:
    """Gives photos of one person, and copies of one picture, the same number."""
    rows = {photo.image: row for row, photo in enumerate(pool)}
    persons: dict[str, list[Path]] = defaultdict(list)
    for image, person in audit.groups.items():
        persons[person].append(image)
    pairs = [
        (rows[first], rows[other])
        for images in (*persons.values(), *audit.copies)
        for first, other in pairwise([image for image in images if image in rows])
    ]
    return clusters(len(pool), np.array(pairs, dtype=np.int64).reshape(-1, 2))


def _by_fold(pool: Sequence[AnnotatedPhoto], numbers: NDArray[np.int64], fold: int) -> Photos:
    _check_fold(fold, int(numbers.max()))
    chosen = numbers == fold
    return {
        "train": [photo for photo, out in zip(pool, chosen, strict=True) if not out],
        "val": [photo for photo, out in zip(pool, chosen, strict=True) if out],
    }


def _check_fold(fold: int, count: int) -> None:
    """Checks that there is such a fold; where there are none, only the setting's default is."""
    if count == 0 and fold != 1:
        raise ConfigError(
            f"data.fold={fold}: there are no folds; set data.fold=1, or data.folds to their number"
        )
    if count and (type(fold) is not int or not 1 <= fold <= count):
        raise ConfigError(f"data.fold: expected 1 to {count}, got {fold}")


def _check(plan: SplitPlan, given: Photos) -> None:
    settings = {"val": (plan.val, AUTO), "folds": (plan.folds, None)}
    for name, (value, default) in settings.items():
        if "val" in given and value != default:
            raise ConfigError(
                f"data.{name}={value}: the data set has a folder val/; set"
                f" data.{name}={default or 'null'} to use it, or move its files into train/"
            )
    if "test" in given and plan.test is not None:
        raise ConfigError(
            f"data.test={plan.test}: the data set has a folder test/; set data.test=null to use it"
        )
    amounts = (plan.val, plan.train, plan.test)
    if plan.folds is not None and amounts != (AUTO, None, None):
        raise ConfigError(
            "data.folds: cannot be combined with data.val, data.train or data.test; set"
            " data.val=auto, data.train=null and data.test=null"
        )


def _number(val: str | int | float) -> int | float:
    if isinstance(val, str):
        raise ConfigError(f"data.val: expected a count, a share or auto, got {val!r}")
    return val


def _frozen(photos: Photos, audit: Audit, fold: int, path: Path) -> Photos:
    frozen = read_split(path)
    everyone = [photo for folder in audit.folders.values() for photo in folder.photos]
    current = {_name(photo.annotation, audit): photo for photo in everyone}
    pairs = {name: (photo.annotation, photo.image) for name, photo in current.items()}
    new = check_unchanged(frozen, pairs, f"data.split={path}")
    if new:
        print(f"{path}: does not name {len(new)} photos, which are left out", file=sys.stderr)
    numbers = [entry.fold for entry in frozen.entries.values() if entry.fold is not None]
    _check_fold(fold, max(numbers, default=0))
    parts: Photos = {"train": [], "val": []}
    clean = (photo for members in photos.values() for photo in members)
    for photo in sorted(clean, key=lambda photo: photo.annotation):
        entry = frozen.entries.get(_name(photo.annotation, audit))
        if entry is not None:
            parts.setdefault(part_of(entry, fold), []).append(photo)
    return parts


def part_of(entry: SplitEntry, fold: int) -> str:
    """Gives the part that a photo of a frozen split is in, where `fold` validates."""
    if entry.fold is None:
        return entry.part
    return "val" if entry.fold == fold else "train"
