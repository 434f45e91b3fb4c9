"""FER2013: 35,887 grey faces of 48 x 48 pixels, seven labels.

Layouts: fer2013.csv of the archive fer2013.tar.gz (columns emotion, pixels, Usage), and
icml_face_data.csv (emotion, " Usage", " pixels") and train.csv (emotion, pixels) of the Kaggle
challenge "Challenges in Representation Learning: Facial Expression Recognition Challenge" (2013),
whose page numbers the labels 0=Angry to 6=Neutral; test.csv there has no labels. And the folders
train/angry/*.jpg, test/… of its copies on Kaggle (msambare/fer2013). `Usage` becomes a part as in
FER+ (generate_training_data.py of microsoft/FERPlus): PublicTest is for validation, PrivateTest for
the test; and files are called as there: fer0000000.png is the first row.
"""

from collections.abc import Iterator

import numpy as np

from emotion.data.importers import class_folders
from emotion.data.importers.photos import LayoutError, Refusal, SourceFace, SourcePhoto
from emotion.data.importers.tables import Table
from emotion.data.importers.trees import SourceTree
from emotion.data.label_registry import REGISTRY

TABLES = ("fer2013.csv", "icml_face_data.csv", "train.csv")
SIDE = 48  # pixels
USAGES = {"training": "train", "publictest": "val", "privatetest": "test"}


def photos(tree: SourceTree) -> Iterator[SourcePhoto | Refusal]:
    """Yields the faces of the CSV file, or of the folders."""
    name = _table(tree)
    if name is None:
        yield from class_folders.photos(tree)
        return
    table = Table(tree, name)
    table.require(("emotion", "pixels"))
    for row, (place, fields) in enumerate(table):
        part = USAGES.get(fields.get("usage", "training").casefold())
        pixels = _pixels(fields["pixels"])
        if part is None:
            reason = "expected the usage Training, PublicTest or PrivateTest"
            yield Refusal(place, f"{reason}, got {fields['usage'][:50]!r}")
        elif isinstance(pixels, str):
            yield Refusal(place, pixels)
        else:
            faces = (SourceFace(fields["emotion"]),)
            yield SourcePhoto(part, f"fer{row:07d}.png", faces, pixels=pixels)


def recognise(tree: SourceTree) -> bool:
    """Tells whether a source is such a CSV file, or has the folders and no others."""
    name = _table(tree)
    if name is not None:
        return {"emotion", "pixels"} <= set(Table(tree, name).columns)
    labels = {label.name for label in REGISTRY["fer2013"]}
    return class_folders.labels(tree) == labels and class_folders.has_parts(tree)


def _table(tree: SourceTree) -> str | None:
    if tree.file is not None:
        if not tree.file.lower().endswith(".csv"):
            raise LayoutError(f"{tree.path}: expected a .csv file, or a folder with one")
        return tree.file
    return next((name for name in map(tree.find, TABLES) if name is not None), None)


def _pixels(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | str:
    try:
        values = bytes(map(int, text.split()))
    except ValueError:
        return "expected pixels from 0 to 255"
    if len(values) != SIDE * SIDE:
        return f"expected {SIDE} x {SIDE} = {SIDE * SIDE} pixels, got {len(values)}"
    return np.frombuffer(values, np.uint8).reshape(SIDE, SIDE)
