"""Everything that is wrong with a data set, found in one pass and listed whole.

The same audit stands before `emotion data check`, before training and before evaluation; they
differ in what they do about a problem.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion.data.copies import (
    PlacedPhoto,
    find_identical,
    find_similar,
    judge_copies,
    judge_groups,
)
from emotion.data.groups import read_groups
from emotion.data.inspection import SMALLEST, Inspector
from emotion.data.overall import judge_classes, judge_origin
from emotion.data.parts import read_parts
from emotion.data.pictures import PictureFacts, study_pictures
from emotion.faces.folders import PhotoFolder
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import Problem


@dataclass(frozen=True)
class Rules:
    """What a data set is held against.

    Attributes:
        scheme: the labels that are known, and what they stand for.
        origin: coordinate of the first pixel in the files, 0 or 1.
        groups: how the person of a photo is found, see `emotion.data.groups`; None if unknown.
        smallest: shorter side in pixels that a face must have.
        copies: look for copies of pictures, and persons in two parts.
    """

    scheme: LabelScheme
    origin: int = 0
    groups: str | None = None
    smallest: int = SMALLEST
    copies: bool = True


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        root: the data set.
        scheme: the labels that were known.
        folders: its parts, by name; "all" where it has none.
        facts: what is known of each picture.
        groups: the person of each picture, where groups are known.
        copies: sets of pictures that are identical or nearly so.
        problems: all of them, by part and file.
    """

    root: Path
    scheme: LabelScheme
    folders: dict[str, PhotoFolder]
    facts: dict[Path, PictureFacts]
    groups: dict[Path, str]
    copies: list[list[Path]]
    problems: tuple[Problem, ...]


def audit(root: Path, rules: Rules, cache: Path | None = None) -> Audit:
    """Reads every XML file and every picture of a data set.

    Args:
        root: the data set.
        rules: what it is held against.
        cache: folder that keeps what is known of pictures, or None.

    Raises:
        DataError: the folder has no data set in it, or the groups cannot be read.
    """
    folders = read_parts(root, rules.origin)
    pictures = [path for folder in folders.values() for path in folder.pictures]
    facts = study_pictures(pictures, cache)
    groups = _groups(root, folders, rules.groups)
    placed = list(_placed(folders, rules.scheme)) if rules.copies else []
    identical, similar = find_identical(placed, facts), find_similar(placed, facts)
    problems = [
        *(problem for folder in folders.values() for problem in folder.problems),
        *_inspect(folders, facts, rules),
        *_spare_pictures(folders, facts),
        *judge_copies("identical", "identical to", identical),
        *judge_copies("similar", "nearly the same as", similar),
        *judge_groups(placed, groups),
        *(judge_origin(folders, facts) if rules.origin == 0 else ()),
        *judge_classes(folders, rules.scheme, groups),
    ]
    problems.sort(key=lambda problem: (str(problem.path), problem.line or 0, problem.kind))
    copies = [[placed.photo.image for placed in cluster] for cluster in (*identical, *similar)]
    return Audit(root, rules.scheme, folders, facts, groups, copies, tuple(problems))


def _groups(root: Path, folders: Mapping[str, PhotoFolder], given: str | None) -> dict[Path, str]:
    if given is None:
        return {}
    by_name = {
        photo.image.relative_to(root).as_posix(): photo.image
        for folder in folders.values()
        for photo in folder.photos
    }
    places = [root, *(folder.path for folder in folders.values())]
    found = read_groups(given, list(by_name), places)
    return {by_name[name]: group for name, group in found.items()}


def _placed(folders: Mapping[str, PhotoFolder], scheme: LabelScheme) -> Iterator[PlacedPhoto]:
    for part, folder in folders.items():
        for photo in folder.photos:
            labels = sorted(scheme.meaning(face.label) for face in photo.faces)
            yield PlacedPhoto(photo, part, tuple(labels))


def _inspect(
    folders: Mapping[str, PhotoFolder], facts: Mapping[Path, PictureFacts], rules: Rules
) -> Iterator[Problem]:
    inspector = Inspector(rules.scheme, rules.smallest)
    for folder in folders.values():
        for photo in folder.photos:
            yield from inspector.inspect(photo, facts[photo.image])


def _spare_pictures(
    folders: Mapping[str, PhotoFolder], facts: Mapping[Path, PictureFacts]
) -> Iterator[Problem]:
    """Lists what is wrong with pictures that no readable XML file speaks of."""
    for folder in folders.values():
        annotated = {photo.image for photo in folder.photos}
        for path in folder.pictures:
            if path not in annotated and facts[path].kind:
                yield Problem(facts[path].kind, path, facts[path].reason, image=path)
