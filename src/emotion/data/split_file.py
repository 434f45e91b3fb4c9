"""A frozen split: which file stands in which part, and the hashes of all files, as JSON."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from emotion.errors import DataError, summarise
from emotion.files import write_json
from emotion.terminal import tracked
from emotion.threads import map_in_order

FORMAT = 1
PARTS = ("train", "val", "test")
HASH = "sha256 of the XML file followed by its picture"
BLOCK = 1 << 20  # bytes read at a time
WAY_OUT = "freeze the split anew: emotion data split ROOT --out split.json"

Setting = str | int | float | bool | None


@dataclass(frozen=True)
class SplitEntry:
    """A photo of a frozen split.

    Attributes:
        picture: the picture, relative to the data set's root, as a POSIX path.
        sha256: of the XML file followed by the picture, as `hash_files` gives it.
        part: the part that it stands in.
        fold: number of its fold, from 1; None without folds.
    """

    picture: str
    sha256: str
    part: str
    fold: int | None = None


@dataclass(frozen=True)
class FrozenSplit:
    """Which photo stands in which part.

    Attributes:
        entries: XML file, relative to the data set's root, as a POSIX path -> the photo.
        how: the settings that made the split.
        faces: part -> class -> number of its faces; names all parts.
    """

    entries: dict[str, SplitEntry]
    how: dict[str, Setting]
    faces: dict[str, dict[str, int]]


def write_split(path: Path, split: FrozenSplit) -> None:
    """Writes a split; its total numbers of photos and faces are for people and not read again.

    Raises:
        EmotionError: the file cannot be written.
    """
    parts = {}
    for part, classes in split.faces.items():
        entries = {name: e for name, e in sorted(split.entries.items()) if e.part == part}
        parts[part] = {
            "photos": len(entries),
            "faces": sum(classes.values()),
            "classes": classes,
            "files": {name: _written(entry) for name, entry in entries.items()},
        }
    write_json(path, {"format": FORMAT, "hash": HASH, "how": split.how, "parts": parts})


def _written(entry: SplitEntry) -> dict[str, str | int]:
    content: dict[str, str | int] = {"picture": entry.picture, "sha256": entry.sha256}
    return content if entry.fold is None else content | {"fold": entry.fold}


def read_split(path: Path) -> FrozenSplit:
    """Reads a split that `write_split` wrote.

    Raises:
        DataError: the file cannot be read or is not such a split; names the key.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected JSON; {WAY_OUT} ({error})") from error
    return _read(_Value(path, "", content))


@dataclass(frozen=True)
class _Value:
    """A value in a split file, and where it stands there."""

    path: Path
    key: str
    content: Any

    def refuse(self, expected: str) -> DataError:
        """Makes the error that says what was expected here."""
        got = json.dumps(self.content, ensure_ascii=False)
        got = got if len(got) <= 60 else f"{got[:60]}…"
        key = self.key or "the file"
        return DataError(f"{self.path}: {key}: expected {expected}, got {got}; {WAY_OUT}")

    def items(self) -> Iterator[tuple[str, "_Value"]]:
        """Yields what an object holds."""
        if not isinstance(self.content, dict):
            raise self.refuse("an object")
        for name, content in self.content.items():
            yield name, _Value(self.path, f"{self.key}.{name}".lstrip("."), content)

    def at(self, name: str) -> "_Value":
        """Gives one value of an object, null where it is missing."""
        missing = _Value(self.path, f"{self.key}.{name}".lstrip("."), None)
        return dict(self.items()).get(name, missing)

    def inside(self) -> str:
        """Gives a path, and refuses one that leads out of the data set on any system."""
        name = self.content
        if not isinstance(name, str) or not name:
            raise self.refuse("a path inside the data set")
        for path in (PurePosixPath(name), PureWindowsPath(name)):
            if path.anchor or ".." in path.parts:
                raise self.refuse("a path inside the data set")
        return name


def _read(top: _Value) -> FrozenSplit:
    if top.at("format").content != FORMAT:
        raise top.at("format").refuse(str(FORMAT))
    how: dict[str, Setting] = {}
    for setting, value in top.at("how").items():
        if isinstance(value.content, dict | list):
            raise value.refuse("a plain setting")
        how[setting] = value.content
    entries: dict[str, SplitEntry] = {}
    faces: dict[str, dict[str, int]] = {}
    pictures: dict[str, str] = {}
    for part, described in top.at("parts").items():
        if part not in PARTS:
            raise described.refuse(f"one of the parts {', '.join(PARTS)}")
        faces[part] = _counts(described.at("classes"))
        for name, value in described.at("files").items():
            entry = _entry(part, value)
            _Value(value.path, value.key, name).inside()
            other = name if name in entries else pictures.get(entry.picture)
            if other is not None:
                raise value.refuse(f"each photo once, but {other} is in {entries[other].part} too")
            entries[name], pictures[entry.picture] = entry, name
    return FrozenSplit(entries, how, faces)


def _counts(value: _Value) -> dict[str, int]:
    counts = {}
    for label, count in value.items():
        if type(count.content) is not int or count.content < 0:
            raise count.refuse("a number of faces")
        counts[label] = count.content
    return counts


def _entry(part: str, value: _Value) -> SplitEntry:
    sha256, fold = value.at("sha256"), value.at("fold")
    if not isinstance(sha256.content, str) or not re.fullmatch("[0-9a-f]{64}", sha256.content):
        raise sha256.refuse("64 hexadecimal digits")
    if fold.content is not None and (type(fold.content) is not int or fold.content < 1):
        raise fold.refuse("the number of a fold, from 1")
    return SplitEntry(value.at("picture").inside(), sha256.content, part, fold.content)


def hash_files(pairs: Sequence[tuple[Path, Path]]) -> list[str]:
    """Gives the SHA-256 of each XML file followed by its picture, on all cores, with progress.

    Args:
        pairs: XML file and picture of each photo.

    Raises:
        DataError: lists up to ten files that cannot be read.
    """
    results = list(tracked(map_in_order(_hash, pairs), "hashing", len(pairs)))
    problems = [str(result) for result in results if isinstance(result, DataError)]
    if problems:
        raise DataError(summarise(problems))
    return [str(result) for result in results]


def _hash(pair: tuple[Path, Path]) -> str | DataError:
    digest = hashlib.sha256()
    for path in pair:
        try:
            with path.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
        except OSError as error:
            return DataError(f"{path}: cannot be read ({error.strerror})")
    return digest.hexdigest()


def check_unchanged(
    split: FrozenSplit, current: Mapping[str, tuple[Path, Path]], place: str
) -> list[str]:
    """Checks that all files of a split are there and as they were.

    Args:
        split: the frozen split.
        current: XML file, relative to the data set's root, as a POSIX path -> where it and its
            picture are.
        place: names the split in errors.

    Returns:
        The XML files that the split does not have, sorted.

    Raises:
        DataError: lists up to ten files that are missing or have changed.
    """
    there = [name for name in sorted(split.entries) if name in current]
    hashes = dict(zip(there, hash_files([current[name] for name in there]), strict=True))
    problems = [
        f"{place}: {name} or its picture {entry.picture}"
        f" {'has changed' if name in hashes else 'is missing'}"
        for name, entry in sorted(split.entries.items())
        if hashes.get(name) != entry.sha256
    ]
    if problems:
        raise DataError(
            f"{summarise(problems)}\n{len(problems)} of {len(split.entries)} photos are not as they"
            f" were frozen; restore them, or {WAY_OUT}"
        )
    return sorted(set(current) - set(split.entries))
