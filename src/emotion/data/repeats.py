"""Data sets of which each photo comes several times an epoch, so that a small one counts.

Where a photo is from stands in `sources.csv`, which `emotion data join` writes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from emotion.data.photo_tables import (
    FILE_COLUMNS,
    column_of,
    find_by_end,
    find_tables,
    key_of,
    read_csv,
)
from emotion.errors import ConfigError, DataError
from emotion.faces.samples import FaceSample

KEY = "data.repeat"
TABLE = "sources.csv"
MOST = 100


def check_repeat(repeat: object) -> None:
    """Checks the setting: source -> times.

    Raises:
        ConfigError: it is no such mapping.
    """
    if repeat is None:
        return
    if not isinstance(repeat, Mapping) or not all(
        type(times) is int and 1 <= times <= MOST for times in repeat.values()
    ):
        raise ConfigError(
            f"{KEY}: expected sources and how often their faces come an epoch, 1 to {MOST}, as in"
            f" {{faces5: 4}}; got {repeat}"
        )


def repeated(
    samples: Sequence[FaceSample],
    repeat: Mapping[str, int],
    root: Path,
    folders: Sequence[Path],
) -> list[FaceSample]:
    """Gives the samples, those of some sources several times.

    Args:
        samples: of the training part.
        repeat: source -> times.
        root: the data set.
        folders: where `sources.csv` may stand.

    Raises:
        DataError: there is no such file, or no face is of one of the sources.
    """
    names = [sample.image.relative_to(root).as_posix() for sample in samples]
    sources = _sources([root, *folders])
    found = [find_by_end(sources, PurePosixPath(name)) for name in names]
    unknown = sorted(set(repeat) - set(found), key=str)
    if unknown:
        known = ", ".join(sorted({source for source in found if source is not None}))
        raise DataError(f"{KEY}={{{unknown[0]}: …}}: no training face is of it; there are {known}")
    return [
        sample
        for sample, source in zip(samples, found, strict=True)
        for _ in range(repeat.get(source, 1) if source is not None else 1)
    ]


def _sources(places: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    expected = "that emotion data join wrote"
    for path, _ in find_tables(KEY, TABLE, places, expected):
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
