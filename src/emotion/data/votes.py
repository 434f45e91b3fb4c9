"""What several raters said of a face: shares of votes, which training may learn for one class.

Votes are a CSV file with the pictures' names in the first column and the number of votes for each
label in the others, as `emotion data import ferplus` leaves it (`votes.csv`).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from emotion.data.label_registry import COMMON
from emotion.data.photo_tables import (
    FILE_COLUMNS,
    column_of,
    find_by_end,
    find_tables,
    key_of,
    read_csv,
)
from emotion.errors import DataError, summarise
from emotion.faces.labels import LabelScheme

KEY = "data.votes"
FORM = "a CSV file: a filename, and a column of votes for each label"

Shares = NDArray[np.float32]


def read_votes(
    given: str, photos: Sequence[str], folders: Sequence[Path], scheme: LabelScheme
) -> dict[str, Shares]:
    """Reads the shares of the votes that each photo's face got.

    A column stands for a class by its name, by the data set's own `label_map`, or by a word that
    people use for it (happiness is smile). The votes of all other columns are left out, and the
    shares are those of the rest: what is learnt is which of the classes, not whether it is one.

    Args:
        given: the file's path, or its name in the data set's folders.
        photos: relative POSIX paths of the pictures.
        folders: where the file may stand; the first is the one that paths are relative to.
        scheme: the classes.

    Returns:
        Photo -> shares, one a class, float32, sum 1. Photos that are not named, or have no vote for
        any class, are not among them.

    Raises:
        DataError: there is no such file, it is no table of votes, or it names none of the photos.
    """
    tables = [
        (below, _read(path, scheme)) for path, below in find_tables(KEY, given, folders, FORM)
    ]
    found: dict[str, Shares] = {}
    for photo in photos:
        path = PurePosixPath(photo)
        for below, rows in tables:
            shares = find_by_end(rows, path) if path.is_relative_to(below) else None
            if shares is not None:
                found[photo] = shares
    if photos and not found:
        raise DataError(
            f"{KEY}={given}: names none of the {len(photos)} photos, or has no vote for a class of"
            f" {', '.join(scheme.names)}; expected {FORM}"
        )
    return found


def _read(path: Path, scheme: LabelScheme) -> Mapping[str, Shares]:
    titles, rows = read_csv(path)
    name = column_of(titles, FILE_COLUMNS, 0)
    classes = {
        place: number
        for place, title in enumerate(titles)
        if place != name and (number := _class_of(title, scheme)) is not None
    }
    if len(set(classes.values())) < 2:
        raise DataError(
            f"{path}:1: expected columns of two classes or more of {', '.join(scheme.names)}, got"
            f" {', '.join(titles)[:100]!r}"
        )
    found: dict[str, Shares] = {}
    problems: list[str] = []
    for line, row in rows:
        try:
            votes = _votes(row, classes, len(scheme.names))
        except (ValueError, IndexError):
            problems.append(f"{path}:{line}: expected {len(titles)} cells, votes from 0 up")
            continue
        if votes.sum() > 0:
            found[key_of(row[name])] = (votes / votes.sum()).astype(np.float32)
    if problems:
        raise DataError(summarise(problems))
    return found


def _class_of(title: str, scheme: LabelScheme) -> int | None:
    """Gives the class that a column's title stands for, or None."""
    known = title if scheme.knows(title) else scheme.respelt(title)
    if known is not None:
        return scheme.class_of(known)
    words = {label.name: label.becomes for label in COMMON}
    meant = words.get(title.casefold())
    return scheme.class_of(meant) if meant is not None and scheme.knows(meant) else None


def _votes(row: Sequence[str], classes: Mapping[int, int], count: int) -> NDArray[np.float64]:
    votes = np.zeros(count)
    for place, number in classes.items():
        value = float(row[place])
        if not 0 <= value < math.inf:
            raise ValueError
        votes[number] += value
    return votes
