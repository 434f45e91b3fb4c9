"""One folder a class, with pictures of one face each.

Layout: CLASS/**/picture, or PART/CLASS/**/picture where folders are called train, val (valid,
validation) and test; as torchvision's ImageFolder has it (the folder below the root is the class),
and as most copies of face data sets on Kaggle are laid out. A single folder around all is stepped
into.
"""

from collections.abc import Callable, Iterator

from emotion.data.importers.photos import (
    LayoutError,
    Refusal,
    SourceFace,
    SourcePhoto,
    part_of,
)
from emotion.data.importers.trees import SourceTree


def photos(
    tree: SourceTree, person_of: Callable[[str], str | None] = lambda name: None
) -> Iterator[SourcePhoto | Refusal]:
    """Yields each picture with the name of its class's folder.

    Args:
        tree: the source.
        person_of: gives the person for a picture's file name.

    Raises:
        LayoutError: there is no picture in a folder.
    """
    depth = _depth(tree)
    if not any(name.count("/") > depth for name in tree.pictures):
        raise LayoutError(
            f"{tree.path}: expected one folder a class with pictures in it, or such folders in"
            f" train/, val/ and test/; found {tree.contents()}"
        )
    split = has_parts(tree)
    for name in tree.pictures:
        folders = name.split("/")[depth:-1]
        part = part_of(folders[0]) if split and folders else ""
        if split and part is None:
            yield Refusal(name, "lies in none of the folders train, val and test")
        elif len(folders) < 1 + split:
            yield Refusal(name, "lies in no folder of a class")
        else:
            face = SourceFace(folders[split])
            yield SourcePhoto(part or "", name, (face,), person_of(name.rsplit("/", 1)[-1]))


def recognise(tree: SourceTree) -> bool:
    """Tells whether there are pictures in two folders or more."""
    return tree.file is None and len(labels(tree)) > 1


def labels(tree: SourceTree) -> set[str]:
    """Lists the names of the classes' folders, in lower case."""
    if tree.file is not None:
        return set()
    place = _depth(tree) + has_parts(tree)
    split = [name.split("/") for name in tree.pictures]
    return {folders[place].casefold() for folders in split if len(folders) > place + 1}


def has_parts(tree: SourceTree) -> bool:
    """Tells whether the top folders include one called train, val or test."""
    depth = _depth(tree)
    split = [name.split("/") for name in tree.pictures]
    return any(part_of(folders[depth]) is not None for folders in split if len(folders) > depth + 1)


def _depth(tree: SourceTree) -> int:
    """Counts the folders around all pictures that are neither a part nor the only class."""
    split = [name.split("/") for name in tree.pictures]
    depth = 0
    while (
        split
        and len({folders[depth] for folders in split}) == 1
        and part_of(split[0][depth]) is None
        and all(len(folders) > depth + 2 for folders in split)
    ):
        depth += 1
    return depth
