"""Where each photo of a joined data set is from: `sources.csv`, by `emotion data join`."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from emotion.data.photo_tables import (
    FILE_COLUMNS,
    column_of,
    find_by_end,
    find_tables,
    key_of,
    read_csv,
)
from emotion.errors import DataError

TABLE = "sources.csv"


def find_sources(
    images: Sequence[Path], root: Path, folders: Sequence[Path], key: str
) -> list[str | None]:
    """Gives the source of each photo, None where the table does not name it.

    Args:
        images: the photos, within the root.
        root: the data set.
        folders: where `sources.csv` may stand beside the root.
        key: of the setting that asks, for messages.

    Raises:
        DataError: there is no such file, or it is damaged.
    """
    tables = [
        (below, _read(path))
        for path, below in find_tables(key, TABLE, [root, *folders], "that emotion data join wrote")
    ]
    found: list[str | None] = []
    for image in images:
        photo = PurePosixPath(image.relative_to(root).as_posix())
        named = (find_by_end(rows, photo) for below, rows in tables if photo.is_relative_to(below))
        found.append(next((source for source in named if source is not None), None))
    return found


def _read(path: Path) -> dict[str, str]:
    titles, rows = read_csv(path)
    name, source = column_of(titles, FILE_COLUMNS, 0), column_of(titles, ("source",), 1)
    found: dict[str, str] = {}
    for line, row in rows:
        if len(row) <= max(name, source):
            raise DataError(f"{path}:{line}: expected a file name and a source")
        found[key_of(row[name])] = row[source]
    return found
