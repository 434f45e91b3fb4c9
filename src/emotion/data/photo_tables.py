"""CSV files that say something of photos: a row for each, found by its file name."""

import csv
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TextIO, TypeVar

from emotion.errors import DataError
from emotion.faces.folders import same_name

FILE_COLUMNS = ("filename", "file", "image", "picture", "photo", "path")

T = TypeVar("T")


def read_csv(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Reads a table with commas, semicolons or tabs between its cells.

    Returns:
        The titles of its columns, and each line that is not empty with its number; cells without
        outer spaces, in Unicode form C.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return _read_cells(stream)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV in UTF-8 ({error})") from error


def _read_cells(stream: TextIO) -> tuple[list[str], list[tuple[int, list[str]]]]:
    header = stream.readline()
    delimiter = max(",;\t", key=header.count)  # as spreadsheets of several countries write it
    reader = csv.reader([header], delimiter=delimiter, skipinitialspace=True)
    titles = _clean(next(reader, []))
    reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True)
    return titles, [(reader.line_num + 1, _clean(row)) for row in reader if row]


def _clean(cells: Sequence[str]) -> list[str]:
    return [unicodedata.normalize("NFC", cell.strip()) for cell in cells]


def find_tables(
    key: str, given: str, folders: Sequence[Path], expected: str
) -> list[tuple[Path, PurePosixPath]]:
    """Finds a CSV file as it is given, or else those of that name in some folders.

    Args:
        key: the setting, for the error.
        given: the file's path or name.
        folders: where it may stand; the paths of pictures are relative to the first.
        expected: what the setting may be, for the error.

    Returns:
        Each file, and the folder whose pictures it speaks of.

    Raises:
        DataError: there is none.
    """
    if Path(given).is_file():
        return [(Path(given), PurePosixPath())]
    found: dict[Path, PurePosixPath] = {}
    for folder in folders:
        if (folder / given).is_file():
            inside = folder.is_relative_to(folders[0])
            below = folder.relative_to(folders[0]).as_posix() if inside else ""
            found.setdefault(folder / given, PurePosixPath(below))
    if not found:
        places = ", ".join(str(folder) for folder in folders)
        raise DataError(f"{key}={given}: no such file here or in {places}; expected {expected}")
    return list(found.items())


def column_of(titles: Sequence[str], names: Sequence[str], default: int) -> int:
    """Gives the place of the first column that has one of the names, whatever their case."""
    places = (i for i, title in enumerate(titles) if title.casefold() in names)
    return next(places, default)


def key_of(picture: str) -> str:
    """Gives what a table's name of a picture is found by, see `find_by_end`."""
    return same_name(str(PurePosixPath(picture.replace("\\", "/"))))


def find_by_end(rows: Mapping[str, T], photo: PurePosixPath) -> T | None:
    """Finds a picture's row by its path, or by as much of its end as the table gives.

    Args:
        rows: by what `key_of` gives.
        photo: its path; a row that gives more folders goes before one that gives less.
    """
    ends = (same_name("/".join(photo.parts[i:])) for i in range(len(photo.parts)))
    return next((rows[end] for end in ends if end in rows), None)
