"""A CSV file that names pictures and labels.

Layout: a header and one row a face, columns in any order, commas, semicolons or tabs between them:
image (path, file, filename, image_path) is the picture, below the CSV file's folder; label
(emotion, class, expression); perhaps xmin, ymin, xmax, ymax, the last pixel included as in Pascal
VOC, which is how TensorFlow's object detection tutorials and Roboflow's "Tensorflow Object
Detection CSV" write them, or x, y, w, h (width, height) as in COCO; perhaps split (part, subset,
usage) with train, val and test; perhaps person (group, subject). Without a box the face is the
whole picture.
"""

from collections.abc import Callable, Iterator, Mapping

from emotion.data.importers.photos import (
    LayoutError,
    Refusal,
    SourceFace,
    SourcePhoto,
    number,
    part_of,
)
from emotion.data.importers.tables import Table
from emotion.data.importers.trees import SourceTree, UnusableError, inside

IMAGES = ("image", "path", "file", "filename", "image_path", "filepath", "file_name")
LABELS = ("label", "emotion", "class", "expression")
SPLITS = ("split", "part", "subset", "usage")
PERSONS = ("person", "group", "subject")

Row = Mapping[str, str]
Corners = tuple[float, float, float, float]


def photos(tree: SourceTree) -> Iterator[SourcePhoto | Refusal]:
    """Yields each picture with the faces of its rows.

    Raises:
        LayoutError: there is no CSV file, more than one, or it lacks a column.
    """
    name = _table(tree)
    table = Table(tree, name)
    image, label = table.column(*IMAGES), table.column(*LABELS)
    if image is None or label is None:
        raise LayoutError(
            f"{name}: expected a column image ({', '.join(IMAGES[1:])}) and a column label"
            f" ({', '.join(LABELS[1:])}); found {', '.join(table.columns[:12]) or 'nothing'}"
        )
    split, person = table.column(*SPLITS), table.column(*PERSONS)
    corners = _corners(table)
    folder = name.rpartition("/")[0]
    found: dict[tuple[str, str], tuple[list[SourceFace], str | None]] = {}
    for place, row in table:
        part = "" if split is None else part_of(row[split])
        if part is None:
            yield Refusal(place, f"expected train, val or test, got {row[split or '']!r:.50}")
            continue
        try:
            path = inside(row[image])
        except UnusableError as error:
            yield Refusal(place, f"{row[image]!r:.100} {error}")
            continue
        shown = (row[person] or None) if person else None
        faces, _ = found.setdefault((part, f"{folder}/{path}" if folder else path), ([], shown))
        faces.append(SourceFace(row[label], corners(row)))
    for (part, path), (faces, shown) in found.items():
        yield SourcePhoto(part, path, tuple(faces), shown)


def recognise(tree: SourceTree) -> bool:
    """Tells whether there is one CSV file with such columns."""
    try:
        table = Table(tree, _table(tree))
    except LayoutError:
        return False
    return bool(table.column(*IMAGES) and table.column(*LABELS))


def _table(tree: SourceTree) -> str:
    if tree.file is not None:
        return tree.file
    top = [name for name in tree.names if name.lower().endswith(".csv")]
    if len(top) != 1:
        found = f"{len(top)}: {', '.join(top[:5])}" if top else f"none among {tree.contents()}"
        raise LayoutError(f"{tree.path}: expected one .csv file, found {found}; name the file")
    return top[0]


def _corners(table: Table) -> Callable[[Row], Corners | None]:
    """Gives the function that reads a row's corners, according to the columns there are."""
    for columns in (("x", "y", "w", "h"), ("x", "y", "width", "height")):
        if set(columns) <= set(table.columns):
            return lambda row: _from_size([row[column] for column in columns])
    if {"xmin", "ymin", "xmax", "ymax"} <= set(table.columns):
        return lambda row: _from_last([row[c] for c in ("xmin", "ymin", "xmax", "ymax")])
    return lambda row: None


def _from_size(texts: list[str]) -> Corners | None:
    left, top, width, height = map(number, texts)
    return (left, top, left + width, top + height) if any(texts) else None


def _from_last(texts: list[str]) -> Corners | None:
    left, top, right, bottom = map(number, texts)
    return (left, top, right + 1, bottom + 1) if any(texts) else None
