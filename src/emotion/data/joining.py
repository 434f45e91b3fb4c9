"""Several data sets as one: their photos side by side, with who is who and what raters said.

Nothing is decoded or written anew: pictures and XML files are linked where the disk can, and copied
where it cannot.
"""

import csv
import io
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion.data.assignment import part_of
from emotion.data.groups import read_groups
from emotion.data.parts import WHOLE, read_parts
from emotion.data.photo_tables import FILE_COLUMNS, column_of, key_of, read_csv
from emotion.data.split_file import check_unchanged, read_split
from emotion.errors import DataError, summarise
from emotion.faces.folders import AnnotatedPhoto, same_name
from emotion.files import write_json, write_text
from emotion.terminal import tracked

GROUPS, VOTES, SOURCES = "groups.csv", "votes.csv", "sources.csv"


@dataclass(frozen=True)
class JoinedSource:
    """One of the data sets.

    Attributes:
        root: the data set, or one folder of photos with XML.
        part: part that all its photos go to; None for those that they stand in.
        split: frozen split that says where they go; None for the folders.
    """

    root: Path
    part: str | None = None
    split: Path | None = None

    @property
    def name(self) -> str:
        """Names it in `sources.csv`: its folder, and the one above where it is a part."""
        path = self.root.resolve()
        inside = path.name in ("train", "val", "test")
        return f"{path.parent.name}/{path.name}" if inside else path.name


@dataclass(frozen=True)
class _Placed:
    """A photo and what is known of it: the part it goes to, who is on it, what raters said."""

    photo: AnnotatedPhoto
    source: str
    part: str
    person: str | None
    votes: tuple[str, ...] | None


def join(sources: Sequence[JoinedSource], root: Path) -> dict[str, dict[str, int]]:
    """Writes several data sets as one.

    Beside the photos each part gets `groups.csv` where persons are known of any (a photo of nobody
    known is a person of its own), `votes.csv` where there are votes, and `sources.csv`, which says
    what data set a photo is from.

    Args:
        sources: the data sets.
        root: where to; empty or absent. It appears under this name only once it is complete.

    Returns:
        part -> source -> number of photos; `root/join.json` holds the same.

    Raises:
        DataError: a source cannot be read, two photos have one name, or `root` has something in it.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root}: is not an empty folder; name another, or remove it first")
    titles: list[str] = []
    placed = [each for source in sources for each in _read(source, titles)]
    _check_names(placed)
    counts = _count(placed)
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".joining-", dir=root.parent) as folder:
        staged = Path(folder) / "data"
        for each in tracked(placed, "joining", len(placed)):
            _put(each.photo.image, staged / each.part / "img")
            _put(each.photo.annotation, staged / each.part / "annotations")
        _write_tables(staged, placed, titles)
        write_json(staged / "join.json", {"parts": counts})
        staged.chmod(0o755)
        staged.replace(root)
    return counts


def _read(source: JoinedSource, titles: list[str]) -> Iterator[_Placed]:
    folders = read_parts(source.root, 0)
    photos = [(part, photo) for part, folder in folders.items() for photo in folder.photos]
    places = [source.root, *(folder.path for folder in folders.values())]
    names = [photo.image.relative_to(source.root).as_posix() for _, photo in photos]
    known = any((place / GROUPS).is_file() for place in places)
    persons = read_groups(GROUPS, names, places) if known else {}
    votes = _read_votes(places, titles)
    parts = _parts(source, photos)
    for (_, photo), part, name in zip(photos, parts, names, strict=True):
        if part is not None:
            said = votes.get(key_of(photo.image.name))
            yield _Placed(photo, source.name, part, persons.get(name), said)


def _parts(source: JoinedSource, photos: Sequence[tuple[str, AnnotatedPhoto]]) -> list[str | None]:
    """Gives the part of each photo, None where a split does not name it."""
    if source.split is None:
        return [source.part or ("train" if part == WHOLE else part) for part, _ in photos]
    frozen = read_split(source.split)
    names = [photo.annotation.relative_to(source.root).as_posix() for _, photo in photos]
    current = {
        name: (photo.annotation, photo.image)
        for name, (_, photo) in zip(names, photos, strict=True)
    }
    check_unchanged(frozen, current, str(source.split))
    entries = [frozen.entries.get(name) for name in names]
    return [None if entry is None else part_of(entry, 1) for entry in entries]


def _read_votes(places: Sequence[Path], titles: list[str]) -> dict[str, tuple[str, ...]]:
    """Reads the rows of votes by their picture; the columns are those of the first table."""
    found: dict[str, tuple[str, ...]] = {}
    for path in (place / VOTES for place in places):
        if not path.is_file():
            continue
        header, rows = read_csv(path)
        name = column_of(header, FILE_COLUMNS, 0)
        columns = [place for place in range(len(header)) if place != name]
        labels = [header[place] for place in columns]
        titles[:] = titles or labels
        if labels != titles:
            raise DataError(f"{path}:1: expected the columns {', '.join(titles)}, as elsewhere")
        for line, row in rows:
            if len(row) != len(header):
                raise DataError(f"{path}:{line}: expected {len(header)} cells, got {len(row)}")
            found[key_of(row[name])] = tuple(row[place] for place in columns)
    return found


def _check_names(placed: Sequence[_Placed]) -> None:
    first: dict[tuple[str, str], _Placed] = {}
    problems = []
    for each in placed:
        key = each.part, same_name(each.photo.image.stem)
        other = first.setdefault(key, each)
        if other is not each:
            problems.append(
                f"{each.photo.image} and {other.photo.image} would have one name in {each.part}/;"
                " rename one of them, with its XML file"
            )
    if problems:
        raise DataError(summarise(problems))


def _count(placed: Sequence[_Placed]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in placed:
        counts[each.part][each.source] += 1
    return {part: dict(counter) for part, counter in sorted(counts.items())}


def _put(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path.resolve(), folder / path.name)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(path, folder / path.name)


def _write_tables(root: Path, placed: Sequence[_Placed], titles: Sequence[str]) -> None:
    persons = any(each.person is not None for each in placed)
    for part in sorted({each.part for each in placed}):
        here = [(each.photo.image.name, each) for each in placed if each.part == part]
        rows = [(name, each.source) for name, each in here]
        _write_csv(root / part / SOURCES, ("filename", "source"), rows)
        if persons:
            # With the source in front, since two data sets may call two people the same.
            people = [(name, f"{each.source}: {each.person or name}") for name, each in here]
            _write_csv(root / part / GROUPS, ("filename", "person"), people)
        votes = [(name, *each.votes) for name, each in here if each.votes is not None]
        if votes:
            _write_csv(root / part / VOTES, ("filename", *titles), votes)


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    write_text(path, stream.getvalue())
