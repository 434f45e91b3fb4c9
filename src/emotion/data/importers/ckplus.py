"""CK+, the extended Cohn-Kanade data set: 593 sequences of 123 persons, 327 with a label.

Layouts: cohn-kanade-images/S005/001/S005_001_00000011.png and
Emotion/S005/001/S005_001_00000011_emotion.txt, which holds "   3.0000000e+00", as the readme of the
database has it (Lucey et al., CVPRW 2010): "All sequences are from the neutral face to the peak
expression"; the label is that of the last frame; 0 is neutral, 7 surprise; a sequence without such
a file has no label. And CK+48 of Kaggle: folders of classes, with the same file names.

The first frame of each labelled sequence is imported as neutral, on the strength of that sentence:
no label file says 0. The person is the folder S005.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from emotion.data.importers import class_folders
from emotion.data.importers.photos import LayoutError, Refusal, SourceFace, SourcePhoto, number
from emotion.data.importers.trees import SourceTree, UnusableError
from emotion.data.label_registry import UNLABELLED
from emotion.errors import ConfigError

IMAGES = "cohn-kanade-images"
SUFFIX = "_emotion.txt"
FRAME = re.compile(r"(S\d{3})_(\d{3})_\d{8}")
MAX_LABEL = 1_000  # bytes; the files have 16

Key = tuple[str, str]  # person and number, such as S005 and 001


def photos(tree: SourceTree, frames: int = 1, neutral: int = 1) -> Iterator[SourcePhoto | Refusal]:
    """Yields the last frames of each sequence with its label, and the first ones as neutral.

    Args:
        tree: the source.
        frames: how many of the last, 1 or more.
        neutral: how many of the first, as far as they are not among the last.

    Raises:
        LayoutError: there are neither sequences with labels nor folders of classes.
        ConfigError: a number of frames that cannot be.
    """
    if frames < 1:
        raise ConfigError(f"--frames: expected 1 or more, got {frames}")
    if neutral < 0:
        raise ConfigError(f"--neutral: expected 0 or more, got {neutral}")
    labels = _by_sequence(name for name in tree.names if name.endswith(SUFFIX))
    if not labels:
        if not _cropped(tree):
            raise LayoutError(
                f"{tree.path}: expected {IMAGES}/S005/001/*.png and"
                f" Emotion/S005/001/*{SUFFIX}, or CK+48's folders; found {tree.contents()}"
            )
        yield from class_folders.photos(tree, _person)
        return
    pictures = _by_sequence(name for name in tree.pictures if IMAGES in name.split("/"))
    for sequence in sorted(labels.keys() - pictures.keys()):
        yield Refusal(labels[sequence][0], "there are no pictures of this sequence")
    for sequence, names in sorted(pictures.items()):
        yield from _sequence(tree, names, labels.get(sequence), frames, neutral)


def recognise(tree: SourceTree) -> bool:
    """Tells whether there is a label file, or pictures called as the frames are."""
    return any(name.endswith(SUFFIX) for name in tree.names) or _cropped(tree)


def _cropped(tree: SourceTree) -> bool:
    return any(_person(name.rsplit("/", 1)[-1]) for name in tree.pictures)


def _person(name: str) -> str | None:
    match = FRAME.match(name)
    return match.group(1) if match else None


def _by_sequence(names: Iterator[str]) -> dict[Key, list[str]]:
    found = defaultdict(list)
    for name in names:
        match = FRAME.match(name.rsplit("/", 1)[-1])
        if match:
            found[match.group(1), match.group(2)].append(name)
    return found


def _sequence(
    tree: SourceTree, names: list[str], labels: list[str] | None, frames: int, neutral: int
) -> Iterator[SourcePhoto | Refusal]:
    label = UNLABELLED if labels is None else _label(tree, labels[0])
    if isinstance(label, Refusal):
        yield label
        return
    if label != UNLABELLED:
        for name in names[:-frames][:neutral]:
            yield _frame(name, "neutral")
    for name in names[-frames:]:
        yield _frame(name, label)


def _label(tree: SourceTree, name: str) -> str | Refusal:
    try:
        text = tree.read(name, MAX_LABEL).decode("ascii", "replace").strip()
    except UnusableError as error:
        return Refusal(name, str(error))
    value = number(text)
    if not value.is_integer():
        return Refusal(name, f"expected a whole number from 0 to 7, got {text[:50]!r}")
    return str(int(value))


def _frame(name: str, label: str) -> SourcePhoto:
    return SourcePhoto("", name, (SourceFace(label),), _person(name.rsplit("/", 1)[-1]))
