"""YOLO: data.yaml with names, and beside each picture's images/ a labels/ with one .txt a picture.

Layout, as docs.ultralytics.com ("Object Detection Datasets Overview", YOLO format) has it:
images/train/1.jpg with labels/train/1.txt, or, as Roboflow exports it, train/images/1.jpg with
train/labels/1.txt; each line is a class's number, from 0, and the box's centre x, centre y, width
and height as fractions of the picture's. The part is the folder called train, val (valid) or test;
the paths in data.yaml are not followed, for they often lead to the disk of whoever wrote it.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from emotion.data.importers.photos import (
    LayoutError,
    Refusal,
    SourceFace,
    SourcePhoto,
    number,
    part_of,
)
from emotion.data.importers.tables import read_lines
from emotion.data.importers.trees import SourceTree, UnusableError
from emotion.errors import DataError

MAX_BYTES = 1_000_000  # of data.yaml


def photos(tree: SourceTree) -> Iterator[SourcePhoto | Refusal]:
    """Yields each picture in a folder images/ with the faces of its label file.

    Raises:
        LayoutError: there is no data.yaml with names, or no picture in such a folder.
        DataError: data.yaml cannot be read.
    """
    name = _yaml(tree)
    pictures = [path for path in tree.pictures if "images" in path.split("/")[:-1]]
    if name is None or not pictures:
        raise LayoutError(
            f"{tree.path}: expected data.yaml, and images/ and labels/, such as images/train/ and"
            f" labels/train/; found {tree.contents()}"
        )
    names = _names(tree, name)
    parts = {path: _part(path) for path in pictures}
    split = any(parts.values())
    for path in pictures:
        if split and not parts[path]:
            yield Refusal(path, "lies in none of the folders train, val and test")
        else:
            yield from _photo(tree, path, parts[path], names)


def recognise(tree: SourceTree) -> bool:
    """Tells whether there is a data.yaml and a folder labels/."""
    return _yaml(tree) is not None and any("labels" in name.split("/") for name in tree.names)


def _yaml(tree: SourceTree) -> str | None:
    if tree.file is not None:
        return tree.file if tree.file.lower().endswith((".yaml", ".yml")) else None
    found = [name for name in tree.names if name.lower().endswith((".yaml", ".yml"))]
    named = [name for name in found if PurePosixPath(name).stem in ("data", "dataset")]
    return min(named or found, key=lambda name: (name.count("/"), name), default=None)


def _names(tree: SourceTree, name: str) -> dict[int, str]:
    import yaml

    try:
        content: Any = yaml.safe_load(tree.read(name, MAX_BYTES))
    except UnusableError as error:
        raise DataError(f"{name}: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataError(f"{name}: is no YAML ({reason})") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not all(isinstance(key, int) for key in names):
        raise LayoutError(f"{name}: expected names: [neutral, …], or names: {{0: neutral, …}}")
    return {key: str(label) for key, label in names.items()}


def _part(path: str) -> str:
    found = [part_of(folder) for folder in path.split("/")[:-1]]
    return next((part for part in found if part is not None), "")


def _photo(
    tree: SourceTree, path: str, part: str, names: dict[int, str]
) -> Iterator[SourcePhoto | Refusal]:
    folders = path.split("/")
    place = len(folders) - 1 - folders[::-1].index("images")  # Ultralytics takes the last one
    folders[place] = "labels"
    label_file = str(PurePosixPath(*folders).with_suffix(".txt"))
    faces = []
    if tree.has(label_file):
        for line, text in enumerate(read_lines(tree, label_file), 1):
            face = _face(text.split(), names) if text.strip() else None
            if isinstance(face, str):
                yield Refusal(f"{label_file}:{line}", face)
            elif face is not None:
                faces.append(face)
    yield SourcePhoto(part, path, tuple(faces))


def _face(fields: list[str], names: dict[int, str]) -> SourceFace | str:
    if len(fields) != 5:
        return f"expected a class and four numbers, got {len(fields)} fields"
    index, x, y, width, height = map(number, fields)
    if not index.is_integer() or int(index) not in names:
        return f"there is no class {fields[0][:50]!r} among the names"
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return SourceFace(names[int(index)], corners, relative=True)
