"""The parts of a data set: train, val and test, as far as it has folders of these names."""

from pathlib import Path

from emotion.errors import DataError
from emotion.faces.folders import PhotoFolder, read_folder

# Names of the folders, the first that is there.
NAMES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
WHOLE = "all"  # name of the only part of a data set without such folders


def read_parts(root: Path, origin: int) -> dict[str, PhotoFolder]:
    """Reads every annotation of a data set.

    Args:
        root: holds `train/`, and perhaps `val/` and `test/`; or is such a folder itself.
        origin: coordinate of the first pixel in the files, 0 or 1.

    Returns:
        The parts, by name.

    Raises:
        DataError: a folder is missing or empty.
    """
    if not root.is_dir():
        what = "is a file, expected a folder" if root.exists() else "no such folder"
        raise DataError(f"{root}: {what}; set data.root=/path/to/dataset")
    found = {
        part: next(root / name for name in names if (root / name).is_dir())
        for part, names in NAMES.items()
        if any((root / name).is_dir() for name in names)
    }
    return {part: read_folder(path, origin) for part, path in (found or {WHOLE: root}).items()}
