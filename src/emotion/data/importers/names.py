"""File names for the pictures of a part: the source's where they are unique and sound."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from emotion.faces.folders import same_name

LONGEST = 200  # bytes of a name without its ending; file systems take 255 with it
FORBIDDEN = frozenset('/\\:*?"<>|')  # on Windows, or as part of a path


def unique_names(paths: Sequence[str]) -> list[str]:
    """Gives each picture of a part a file name.

    Names that are equal but for case, Unicode form or ending, which would share an XML file, get
    the names of their folders in front; where that is not enough, a number behind. The names depend
    on the paths alone, not on their order.

    Args:
        paths: of the pictures in the source.

    Returns:
        The names, in the order of the paths.
    """
    plain = [_clean(PurePosixPath(path).name) for path in paths]
    counts = Counter(map(_key, plain))
    used = {key for key, count in counts.items() if count == 1}
    names = {index: name for index, name in enumerate(plain) if counts[_key(name)] == 1}
    for index in sorted(set(range(len(paths))) - names.keys(), key=lambda index: paths[index]):
        wanted = PurePosixPath(_clean("_".join(PurePosixPath(paths[index]).parts)))
        name, number = wanted.name, 1
        while _key(name) in used:
            number += 1
            name = f"{wanted.stem}-{number}{wanted.suffix}"
        used.add(_key(name))
        names[index] = name
    return [names[index] for index in range(len(paths))]


def _key(name: str) -> str:
    return same_name(PurePosixPath(name).stem)


def _clean(name: str) -> str:
    text = unicodedata.normalize("NFC", name.strip())
    sound = "".join(
        char if char.isprintable() and char not in FORBIDDEN else "_" for char in text
    ).lstrip(".")  # a hidden file is not read
    path = PurePosixPath(sound)
    stem = path.stem.encode()[:LONGEST].decode(errors="ignore").strip()
    return f"{stem or '_'}{path.suffix}"
