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
    table = _read([root, *folders], key)
    names = [image.relative_to(root).as_posix() for image in images]
    return [find_by_end(table, PurePosixPath(name)) for name in names]


def _read(places: Sequence[Path], key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, _ in find_tables(key, TABLE, places, "that emotion data join wrote"):
        titles, rows = read_csv(path)
        name = column_of(titles, FILE_COLUMNS, 0)
        source = column_of(titles, ("source",), 1)
        for line, row in rows:
            if len(row) <= max(name, source):
                raise DataError(f"{path}:{line}: expected a file name and a source")
            # A picture may be called alike in two parts; its folder tells them apart.
            found[key_of(f"{path.parent.name}/img/{row[name]}")] = row[source]
            found.setdefault(key_of(row[name]), row[source])
    return found
