"""COCO instances: one JSON file a part with images, annotations and categories.

Layout, as cocodataset.org's "Data format" has it: images with id, file_name, width and height;
annotations with image_id, category_id and bbox [x, y, width, height] from the top left corner,
counted from 0; categories with id and name. The pictures lie beside the file (Roboflow:
train/_annotations.coco.json), in images/ or data/ beside it, or, for
annotations/instances_val2017.json, in val2017/ or images/val2017/ beside annotations/. The part is
told by the file's name, or its folder's.
"""

import json
import re
from collections import defaultdict
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
from emotion.data.importers.trees import SourceTree, UnusableError, explained, inside
from emotion.errors import DataError

MAX_BYTES = 600_000_000  # instances_train2017.json of COCO itself has 470 million
KEYS = ("images", "annotations", "categories")


def photos(tree: SourceTree) -> Iterator[SourcePhoto | Refusal]:
    """Yields the pictures of each JSON file with their faces.

    Raises:
        LayoutError: there is no such file.
        DataError: one cannot be read.
    """
    names = _files(tree)
    contents = ((name, _read(tree, name)) for name in names)
    found = False
    for name, content in contents:
        missing = [key for key in KEYS if not isinstance(content.get(key), list)]
        if not missing:
            found = True
            yield from _photos(tree, name, content)
        elif len(names) == 1:  # beside others there may be captions, or settings of a tool
            listed = ", ".join(str(key)[:30] for key in list(content)[:8]) or "nothing"
            raise LayoutError(f"{name}: expected lists called {', '.join(KEYS)}; found {listed}")
    if not found:
        raise LayoutError(f"{tree.path}: no .json file has lists called {', '.join(KEYS)}")


def recognise(tree: SourceTree) -> bool:
    """Tells whether a JSON file begins as COCO's do, as far as that can be seen cheaply."""
    try:
        names = _files(tree)
    except LayoutError:
        return False
    return any(_begins_well(tree, name) for name in names)


def _begins_well(tree: SourceTree, name: str) -> bool:
    with explained(), tree.open(name) as stream:
        head = stream.read(10_000)
    return re.match(rb'\s*{.*"(images|annotations|categories|info)"', head, re.DOTALL) is not None


def _files(tree: SourceTree) -> list[str]:
    names = [tree.file] if tree.file is not None else tree.names
    found = [name for name in names if name.lower().endswith(".json")]
    if not found:
        raise LayoutError(
            f"{tree.path}: expected a .json file with {', '.join(KEYS)}; found {tree.contents()}"
        )
    return found


def _read(tree: SourceTree, name: str) -> dict[str, Any]:
    try:
        content = json.loads(tree.read(name, MAX_BYTES))
    except UnusableError as error:
        raise DataError(f"{name}: {error}") from error
    # ValueError: no JSON, or no UTF-8, or a number of thousands of digits.
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: is no JSON ({str(error)[:100]})") from error
    return content if isinstance(content, dict) else {}


def _photos(
    tree: SourceTree, name: str, content: dict[str, Any]
) -> Iterator[SourcePhoto | Refusal]:
    labels = {
        _id(entry, "id"): str(entry.get("name", "")) for entry in _objects(content["categories"])
    }
    known = {_id(entry, "id") for entry in _objects(content["images"])}
    faces: dict[str, list[SourceFace]] = defaultdict(list)
    for place, entry in enumerate(content["annotations"]):
        face = _face(entry, labels, known)
        if isinstance(face, str):
            yield Refusal(f"{name}: annotations[{place}]", face)
        else:
            faces[_id(entry, "image_id")].append(face)
    folders, part = _folders(name), _part(name)
    for place, entry in enumerate(content["images"]):
        path = _path(tree, entry, folders)
        if isinstance(path, Refusal):
            yield Refusal(f"{name}: images[{place}]", path.reason)
        else:
            found = tuple(faces[_id(entry, "id")])
            yield SourcePhoto(part, path, found, size=_size(entry))


def _objects(entries: list[Any]) -> Iterator[dict[str, Any]]:
    return (entry for entry in entries if isinstance(entry, dict))


def _id(entry: dict[str, Any], key: str) -> str:
    # Some tools write the number of one list as text in another.
    return str(entry.get(key))[:100]


def _face(entry: Any, labels: dict[str, str], known: set[str]) -> SourceFace | str:
    if not isinstance(entry, dict) or entry.get("image_id") is None:
        return "expected an object with an image_id"
    if _id(entry, "image_id") not in known:
        return f"there is no image with the id {_id(entry, 'image_id')}"
    if _id(entry, "category_id") not in labels:
        return f"there is no category with the id {_id(entry, 'category_id')}"
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        return "expected a bbox of four numbers"
    left, top, width, height = map(number, box)
    label = labels[_id(entry, "category_id")]
    return SourceFace(label, (left, top, left + width, top + height))


def _folders(name: str) -> list[str]:
    """Lists the folders where the pictures may lie, each with a slash at its end, or ""."""
    here = PurePosixPath(name).parent
    split = PurePosixPath(name).stem.removeprefix("instances_")
    around = [here, here / "images", here / "data"]
    around += [here.parent / split, here.parent / "images" / split, here.parent / "images"]
    return [f"{folder}/" if str(folder) != "." else "" for folder in (*around, here.parent)]


def _part(name: str) -> str:
    path = PurePosixPath(name)
    words = [*re.findall("[a-z]+", path.stem.lower()), path.parent.name]
    return next((part for part in map(part_of, words) if part is not None), "")


def _path(tree: SourceTree, entry: Any, folders: list[str]) -> str | Refusal:
    name = entry.get("file_name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return Refusal("", "expected an object with a file_name")
    try:
        path = inside(name)
    except UnusableError as error:
        return Refusal("", f"{name[:100]!r} {error}")
    found = next((folder + path for folder in folders if tree.has(folder + path)), None)
    return found or Refusal("", f"there is no picture {path[:100]!r} in the source")


def _size(entry: dict[str, Any]) -> tuple[int, int] | None:
    width, height = number(entry.get("width")), number(entry.get("height"))
    return (int(width), int(height)) if width.is_integer() and height.is_integer() else None
