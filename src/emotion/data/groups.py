"""Who is on which photo: the group, mostly a person, whose photos must not be torn apart.

Groups are given in one of three ways: as a CSV file, as `name:REGEX`, or as `folder:N`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emotion.data.photo_tables import (
    FILE_COLUMNS,
    column_of,
    find_by_end,
    find_tables,
    key_of,
    read_csv,
)
from emotion.errors import ConfigError, DataError, summarise

KEY = "data.groups"
FORMS = "a CSV file (filename,person), name:REGEX or folder:N"
GROUP_COLUMNS = ("person", "group", "subject", "identity")
LONGEST = 255  # characters of a file name that a regular expression is tried on


def read_groups(given: str, photos: Sequence[str], folders: Sequence[Path]) -> dict[str, str]:
    r"""Finds the group of each photo.

    Args:
        given: one of three.
            The path of a CSV file with a header: file names in the first column and groups in the
            second, or in columns called `filename` and `person`, `group`, `subject` or `identity`.
            It is looked for as it is given, and else in each of the folders, where all that are
            found are read. File names may lead with folders; they match whatever their case and
            Unicode form, and one that gives more folders goes before one that gives less.
            `name:REGEX`, a regular expression with one group in parentheses that is searched in
            each file name, such as `name:^(.*)_\d+`. Names of up to 255 characters are searched;
            nested repetitions such as `(a+)+$` may take for ever all the same, and Ctrl-C stops
            them.
            `folder:N`, the Nth folder of each picture's path, from 1.
        photos: relative POSIX paths of the pictures, each another.
        folders: where the CSV may stand. The first is the one that the paths are relative to; a
            CSV in a folder below it speaks of the pictures there only.

    Returns:
        Picture -> name of its group, in the order of the photos. Such names are told apart exactly,
        case included.

    Raises:
        ConfigError: the setting has none of the three forms.
        DataError: the CSV cannot be read or contradicts itself, or photos have no group; lists up
            to ten.
    """
    form, _, rest = given.partition(":")
    if form == "name":
        return _by_name(rest, photos)
    if form == "folder":
        return _by_folder(rest, photos)
    return _by_table(
        [_read_table(path, below) for path, below in find_tables(KEY, given, folders, FORMS)],
        photos,
    )


def _by_name(pattern: str, photos: Sequence[str]) -> dict[str, str]:
    try:
        regex = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"{KEY}=name:{pattern}: no regular expression ({error})") from error
    if regex.groups != 1:
        raise ConfigError(
            f"{KEY}=name:{pattern}: expected one group in parentheses, got {regex.groups};"
            r" for example name:^(.*)_\d+, and (?:…) for parentheses that do not count"
        )
    groups: dict[str, str] = {}
    for photo in photos:
        name = unicodedata.normalize("NFC", PurePosixPath(photo).name)
        match = regex.search(name) if len(name) <= LONGEST else None
        if match is not None and match[1]:
            groups[photo] = match[1]
    _require_all(
        groups,
        photos,
        f"{KEY}=name:{pattern}: finds no group in",
        "change the expression, or rename the file",
    )
    return groups


def _by_folder(level: str, photos: Sequence[str]) -> dict[str, str]:
    if not (level.isascii() and level.isdigit() and int(level) > 0):
        raise ConfigError(f"{KEY}=folder:{level}: expected the level of a folder, from 1")
    number = int(level)
    parents = {photo: PurePosixPath(photo).parts[:-1] for photo in photos}
    groups = {photo: p[number - 1] for photo, p in parents.items() if len(p) >= number}
    _require_all(
        groups,
        photos,
        f"{KEY}=folder:{level}: fewer folders in the path of",
        "set a lower level, or give the groups as a CSV file",
    )
    return groups


def _require_all(groups: Mapping[str, str], photos: Sequence[str], what: str, way_out: str) -> None:
    problems = [f"{what} {photo}; {way_out}" for photo in photos if photo not in groups]
    if problems:
        raise DataError(summarise(problems))


@dataclass(frozen=True)
class _Table:
    """A CSV file of groups.

    Attributes:
        path: the file.
        below: folder whose pictures it speaks of.
        rows: picture, as `key_of` gives its name or path -> its group, and the line.
    """

    path: Path
    below: PurePosixPath
    rows: Mapping[str, tuple[str, int]]

    def find(self, photo: PurePosixPath) -> tuple[str, int] | None:
        """Finds a picture by its path, or by as much of its end as the table gives."""
        return find_by_end(self.rows, photo) if photo.is_relative_to(self.below) else None


def _by_table(tables: Sequence[_Table], photos: Sequence[str]) -> dict[str, str]:
    groups: dict[str, str] = {}
    problems: list[str] = []
    for photo in photos:
        found = [(table, table.find(PurePosixPath(photo))) for table in tables]
        named = {row[0]: f"{table.path}:{row[1]}" for table, row in found if row is not None}
        if len(named) > 1:
            listed = " but ".join(f"{group!r} in {place}" for group, place in named.items())
            problems.append(f"{photo}: its group is {listed}; remove one")
        elif named:
            groups[photo] = next(iter(named))
    if problems:
        raise DataError(summarise(problems))
    _require_all(
        groups,
        photos,
        f"{' and '.join(str(table.path) for table in tables)}: below the header, no line for",
        "add one, with a group of its own if the photo belongs to no other",
    )
    return groups


def _read_table(path: Path, below: PurePosixPath) -> _Table:
    lines = _read_lines(path)
    rows: dict[str, tuple[str, int]] = {}
    problems: list[str] = []
    for line, picture, group in lines:
        if not picture or not group:
            problems.append(f"{path}:{line}: expected a file name and a group")
            continue
        first = rows.setdefault(key_of(picture), (group, line))
        if first[0] != group:
            problems.append(
                f"{path}:{line}: the group of {picture} is {group!r}, but {first[0]!r} in line"
                f" {first[1]}; remove one"
            )
    if problems:
        raise DataError(summarise(problems))
    return _Table(path, below, rows)


def _read_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yields the number of each line with its file name and group, "" for what it lacks."""
    header, rows = read_csv(path)
    columns = column_of(header, FILE_COLUMNS, 0), column_of(header, GROUP_COLUMNS, 1)
    if len(header) < 2 or columns[0] == columns[1]:
        raise DataError(
            f"{path}:1: expected a header such as filename,person, got {','.join(header)[:80]!r}"
        )
    for line, row in rows:
        picture, group = (row[i] if i < len(row) else "" for i in columns)
        yield line, picture, group
