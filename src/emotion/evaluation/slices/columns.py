"""What a user knows of the photos beside the emotion: camera, group, age band."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from emotion.data.photo_tables import FILE_COLUMNS, column_of, find_by_end, key_of, read_csv
from emotion.errors import DataError, summarise
from emotion.pages.texts import readable

NOT_GIVEN = "(not given)"
OTHERS = "(others: "
MOST_VALUES = 20  # of a column; more groups than that nobody reads, and each has few faces
MOST_COLUMNS = 20
LONGEST = 50_000_000  # bytes; a million photos with a few columns
SHOWN = 60  # characters of a text in a message


def read_columns(path: Path, photos: Sequence[str]) -> dict[str, list[str]]:
    """Reads a CSV file with a header, in which each row says something of one photo.

    File names stand in a column called `filename` (or `file`, `image`, `picture`, `photo`, `path`),
    else in the first one. They may lead with folders; they match whatever their case and Unicode
    form. Every other column is read; rows of other photos are passed over.

    Args:
        path: the file, in UTF-8, with commas, semicolons or tabs between cells.
        photos: paths of the pictures, as POSIX writes them.

    Returns:
        Column -> its value for each photo, in their order. "(not given)" where the photo has no row
        or the cell is empty. Of more than 20 values the rarest are joined, so that there are 20
        with "(others: 35 values)", the number of those that were joined.

    Raises:
        DataError: the file cannot be read, contradicts itself, or names none of the photos.
    """
    if path.is_file() and path.stat().st_size > LONGEST:
        raise DataError(f"{path}: larger than {LONGEST:,} bytes; keep the rows of these photos")
    header, lines = read_csv(path)
    if len(header) < 2:
        shown = readable(",".join(header), SHOWN)
        raise DataError(
            f"{path}:1: expected a header such as filename,camera,age with two columns or more,"
            f" got {shown!r}"
        )
    of_files = column_of(header, FILE_COLUMNS, 0)
    titles = _titles(path, header, of_files)
    rows = _rows(path, lines, len(header), of_files)
    found = [find_by_end(rows, PurePosixPath(photo)) for photo in photos]
    if photos and not any(found):
        named = readable(next(iter(rows), "nothing"), SHOWN)
        raise DataError(
            f"{path}: no row is about any of the {len(photos):,} photos, such as"
            f" {readable(photos[0], SHOWN)}; its file names begin with {named}"
        )
    columns = {
        title: [(row[i] if row else "") or NOT_GIVEN for row in found]
        for i, title in titles.items()
        # Spreadsheets leave columns without anything in them at the right.
        if header[i] or any(row[i] for row in rows.values())
    }
    return {title: _join_rarest(values) for title, values in columns.items()}


def stands_for_none(value: str) -> bool:
    """Tells whether a value is none of the file's own: `NOT_GIVEN`, or rare ones joined."""
    return value == NOT_GIVEN or value.startswith(OTHERS)


def _titles(path: Path, header: Sequence[str], of_files: int) -> dict[int, str]:
    """Gives the place and name of each column that is to be looked at."""
    titles = {i: title or f"column {i + 1}" for i, title in enumerate(header) if i != of_files}
    if len(titles) > MOST_COLUMNS:
        raise DataError(
            f"{path}:1: {len(titles):,} columns beside the file names; at most {MOST_COLUMNS} are"
            " read, keep those that matter"
        )
    repeated = [title for title, count in Counter(titles.values()).items() if count > 1]
    if repeated:
        name = readable(repeated[0], SHOWN)
        raise DataError(f"{path}:1: two columns are called {name!r}; rename or remove one")
    return titles


def _rows(
    path: Path, lines: Sequence[tuple[int, list[str]]], width: int, of_files: int
) -> Mapping[str, tuple[str, ...]]:
    """Gives the cells of each row by the picture that it is about."""
    rows: dict[str, tuple[str, ...]] = {}
    first: dict[str, int] = {}
    problems: list[str] = []
    for line, cells in lines:
        if not any(cells):  # spreadsheets leave such lines at the end
            continue
        full = tuple(cells) + ("",) * (width - len(cells))
        problem = _problem(full, width, of_files)
        picture = full[of_files] if len(full) > of_files else ""
        key = key_of(picture)
        known = None if problem else rows.setdefault(key, full)
        if known is not None and _facts(known, of_files) != _facts(full, of_files):
            problem = f"says another thing of {readable(picture, SHOWN)} than line {first[key]}"
        if problem:
            problems.append(f"{path}:{line}: {problem}; correct the row, or remove it")
        first.setdefault(key, line)
    if problems:
        raise DataError(summarise(problems))
    return rows


def _facts(cells: Sequence[str], of_files: int) -> list[str]:
    return [cell for i, cell in enumerate(cells) if i != of_files]


def _problem(cells: Sequence[str], width: int, of_files: int) -> str:
    if any("\0" in cell for cell in cells):
        return "holds a NUL character, so it is no text"
    if any(cells[width:]):
        return f"has {len(cells)} cells, but the header {width}"
    return "" if cells[of_files] else "has no file name"


def _join_rarest(values: list[str]) -> list[str]:
    counts = Counter(value for value in values if value != NOT_GIVEN)
    if len(counts) <= MOST_VALUES:
        return values
    # Of equally frequent ones the first by name, so that the order of photos changes nothing.
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    rare = set(ranked[MOST_VALUES - 1 :])
    joined = f"{OTHERS}{len(rare)} values)"
    return [joined if value in rare else value for value in values]
