"""Data sets of which each photo comes several times an epoch, so that a small one counts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from emotion.data.sources import find_sources
from emotion.errors import ConfigError, DataError
from emotion.faces.samples import FaceSample

KEY = "data.repeat"
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
    found = find_sources([sample.image for sample in samples], root, folders, KEY)
    unknown = sorted(set(repeat) - set(found), key=str)
    if unknown:
        known = ", ".join(sorted({source for source in found if source is not None}))
        raise DataError(f"{KEY}={{{unknown[0]}: …}}: no training face is of it; there are {known}")
    return [
        sample
        for sample, source in zip(samples, found, strict=True)
        for _ in range(repeat.get(source, 1) if source is not None else 1)
    ]
