"""AffectNet: about 440,000 faces labelled by hand, in the database and in its smaller release.

Layouts: Manually_Annotated_file_lists/training.csv and validation.csv with the columns
subDirectory_filePath, face_x, face_y, face_width, face_height, facial_landmarks, expression,
valence, arousal, and Manually_Annotated_Images/689/….jpg (Mollahosseini et al., "AffectNet", IEEE
Transactions on Affective Computing 2019, and the readme of the database: 0 is neutral, 8 none, 9
uncertain, 10 no face); and the later release for seven or eight labels: train_set/ and val_set/,
each with images/0.jpg and annotations/0_exp.npy. Its validation part is imported as such; AffectNet
has no public test part.
"""

import io
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np

from emotion.data.importers.photos import LayoutError, Refusal, SourceFace, SourcePhoto, number
from emotion.data.importers.tables import Table
from emotion.data.importers.trees import SourceTree, UnusableError

LISTS = {"training.csv": "train", "validation.csv": "val"}
SETS = {"train_set": "train", "val_set": "val", "test_set": "test"}
PICTURES = "Manually_Annotated_Images"
COLUMNS = ("subdirectory_filepath", "face_x", "face_y", "face_width", "face_height", "expression")
MAX_LABEL = 10_000  # bytes of one label; the files have 130 to 140


def photos(tree: SourceTree) -> Iterator[SourcePhoto | Refusal]:
    """Yields the faces of the lists with their boxes, or those of the sets, which are cropped.

    Raises:
        LayoutError: there are neither lists nor sets.
    """
    if not recognise(tree):
        raise LayoutError(
            f"{tree.path}: expected {' and '.join(LISTS)} with {PICTURES}/, or train_set/ and"
            f" val_set/ with images/ and annotations/*_exp.npy; found {tree.contents()}"
        )
    for name, part in LISTS.items():
        path = tree.find(name)
        if path is not None:
            yield from _listed(tree, Table(tree, path), part)
    for name in tree.names if not _lists(tree) else ():
        if name.endswith("_exp.npy"):
            yield _labelled(tree, name)


def recognise(tree: SourceTree) -> bool:
    """Tells whether one of the lists is there, or a label of the sets."""
    return _lists(tree) or any(name.endswith("_exp.npy") for name in tree.names)


def _lists(tree: SourceTree) -> bool:
    paths = [path for path in map(tree.find, LISTS) if path is not None]
    return any(COLUMNS[0] in Table(tree, path).columns for path in paths)


def _listed(tree: SourceTree, table: Table, part: str) -> Iterator[SourcePhoto | Refusal]:
    table.require(COLUMNS)
    folder = _picture_folder(tree)
    for place, fields in table:
        path, left, top, width, height, label = (fields[column] for column in COLUMNS)
        if not path:
            yield Refusal(place, f"expected a path in {COLUMNS[0]}, got none")
            continue
        x, y = number(left), number(top)
        corners = (x, y, x + number(width), y + number(height))
        yield SourcePhoto(part, folder + path, (SourceFace(label, corners),))


def _picture_folder(tree: SourceTree) -> str:
    """Gives the folder that the lists' paths begin at, with a slash at its end, or ""."""
    for name in tree.pictures:
        folders = name.split("/")
        if PICTURES in folders:
            return "/".join(folders[: folders.index(PICTURES) + 1]) + "/"
    return ""


def _labelled(tree: SourceTree, name: str) -> SourcePhoto | Refusal:
    folders = PurePosixPath(name).parent.parent
    part = SETS.get(folders.name)
    if part is None:
        return Refusal(name, f"expected to lie in annotations/ of {', '.join(SETS)}")
    try:
        label = np.load(io.BytesIO(tree.read(name, MAX_LABEL)), allow_pickle=False)
        # The files hold a text or a number without dimensions.
        value = number(str(label.item()))
    # A file that is damaged or hostile; numpy raises any of these.
    except (UnusableError, ValueError, OSError, EOFError, MemoryError, SyntaxError) as error:
        return Refusal(name, f"holds no label ({str(error)[:100]})")
    if not value.is_integer():
        return Refusal(name, f"expected a whole number, got {str(label.item())[:50]!r}")
    stem = PurePosixPath(name).name.removesuffix("_exp.npy")
    return SourcePhoto(part, f"{folders}/images/{stem}.jpg", (SourceFace(str(int(value))),))
