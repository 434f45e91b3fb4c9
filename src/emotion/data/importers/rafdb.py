"""RAF-DB, the single-label subset with seven basic emotions: 15,339 aligned faces.

Layouts: basic/EmoLabel/list_patition_label.txt, spelt so, with lines such as "train_00001.jpg 5"
and basic/Image/aligned/train_00001_aligned.jpg, as the authors' archive and its readme have it
(Li, Deng, Du, CVPR 2017; whdeng.cn/RAF; 1 is surprise and 7 neutral); and DATASET/train/1/…,
DATASET/test/… of its copy on Kaggle (shuvoalok/raf-db-dataset), folders named by the same numbers.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from emotion.data.importers import class_folders
from emotion.data.importers.photos import LayoutError, Refusal, SourceFace, SourcePhoto, part_of
from emotion.data.importers.tables import read_lines
from emotion.data.importers.trees import SourceTree

LIST = "list_patition_label.txt"


def photos(tree: SourceTree) -> Iterator[SourcePhoto | Refusal]:
    """Yields the aligned faces of the list, or those of the folders.

    Raises:
        LayoutError: there is neither the list nor such folders.
    """
    name = tree.find(LIST)
    if name is None:
        if not _has_numbers(tree):
            raise LayoutError(
                f"{tree.path}: expected EmoLabel/{LIST} and Image/aligned/, or train/ and test/"
                f" with the folders 1 to 7; found {tree.contents()}"
            )
        yield from class_folders.photos(tree)
        return
    aligned = {PurePosixPath(path).name: path for path in tree.pictures}
    for line, text in enumerate(read_lines(tree, name), 1):
        if text.strip():
            yield _photo(text.split(), f"{name}:{line}", aligned)


def recognise(tree: SourceTree) -> bool:
    """Tells whether the list is there, or folders of such numbers."""
    return tree.find(LIST) is not None or _has_numbers(tree)


def _has_numbers(tree: SourceTree) -> bool:
    found = class_folders.labels(tree)
    return bool(found) and found <= set("1234567") and class_folders.has_parts(tree)


def _photo(fields: list[str], place: str, aligned: dict[str, str]) -> SourcePhoto | Refusal:
    if len(fields) != 2:
        return Refusal(place, "expected a picture's name and a number")
    name, label = fields
    part = part_of(name.split("_")[0])
    if part is None:
        return Refusal(
            place, f"expected a name that begins with train_ or test_, got {name[:50]!r}"
        )
    picture = f"{PurePosixPath(name).stem}_aligned.jpg"
    if picture not in aligned:
        return Refusal(place, f"there is no Image/aligned/{picture} in the source")
    return SourcePhoto(part, aligned[picture], (SourceFace(label),))
