"""Photos that should not be far apart: copies of one picture, and photos of one person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion.data.duplicates import clusters, read_fingerprints, similar_pairs
from emotion.data.pictures import PictureFacts
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.problems import Problem

ORDER = ("train", "all", "val", "test")  # of two parts, the first gives a photo up


@dataclass(frozen=True)
class PlacedPhoto:
    """A photo, the part it stands in, and its faces' classes.

    Attributes:
        photo: the photo.
        part: name of its part.
        labels: classes of its faces, sorted; unknown ones as they are written.
    """

    photo: AnnotatedPhoto
    part: str
    labels: tuple[str, ...]


def find_identical(
    photos: Iterable[PlacedPhoto], facts: Mapping[Path, PictureFacts]
) -> list[list[PlacedPhoto]]:
    """Gives sets of photos whose pictures are the same to the last byte; broken ones are none."""
    by_hash: dict[str, list[PlacedPhoto]] = defaultdict(list)
    for placed in photos:
        if not facts[placed.photo.image].kind:
            by_hash[facts[placed.photo.image].sha256].append(placed)
    return [same for sha256, same in by_hash.items() if sha256 and len(same) > 1]


def find_similar(
    photos: Iterable[PlacedPhoto], facts: Mapping[Path, PictureFacts]
) -> list[list[PlacedPhoto]]:
    """Gives sets of photos whose pictures look nearly the same, not all of them identical."""
    # Of identical ones none is left out: whatever is dropped, its counterparts must be, too.
    placed = [photo for photo in photos if facts[photo.photo.image].fingerprint]
    prints = read_fingerprints([facts[p.photo.image].fingerprint for p in placed])
    sets: dict[int, list[PlacedPhoto]] = defaultdict(list)
    for photo, number in zip(placed, clusters(len(placed), similar_pairs(prints)), strict=True):
        sets[int(number)].append(photo)
    # What is identical throughout is told as such.
    return [s for s in sets.values() if len({facts[p.photo.image].sha256 for p in s}) > 1]


def judge_copies(
    kind: str, what: str, clusters: Iterable[Sequence[PlacedPhoto]]
) -> Iterator[Problem]:
    """Lists what is wrong with copies of one picture.

    Args:
        kind: "identical" or "similar".
        what: says it in a sentence: "identical to".
        clusters: two or more photos each.
    """
    for photos in clusters:
        across = len({placed.part for placed in photos}) > 1
        differ = len({placed.labels for placed in photos}) > 1
        if across:
            yield from _across(f"{kind}_across_parts", what, photos)
        if differ:
            yield from _differing(f"{kind}_labels_differ", what, photos)
        if not across and not differ:
            first, *copies = photos
            for placed in copies:
                message = f"the picture is {what} {first.photo.image.name}"
                yield _of_photo(kind, message, placed, [first])


def _differing(kind: str, what: str, photos: Sequence[PlacedPhoto]) -> Iterator[Problem]:
    # One photo of each labelling is enough to name another one for every photo.
    examples = list({placed.labels: placed for placed in photos}.values())[:2]
    for placed in photos:
        other = next(example for example in examples if example.labels != placed.labels)
        here, there = (", ".join(p.labels) or "no face" for p in (placed, other))
        message = f"the picture is {what} {other.photo.image.name}: {here} here, {there} there"
        yield _of_photo(kind, message, placed, [other])


def judge_groups(photos: Iterable[PlacedPhoto], groups: Mapping[Path, str]) -> Iterator[Problem]:
    """Lists the photos of persons who stand in several parts."""
    by_group: dict[str, list[PlacedPhoto]] = defaultdict(list)
    for placed in photos:
        if placed.photo.image in groups:
            by_group[groups[placed.photo.image]].append(placed)
    for group, members in by_group.items():
        if len({placed.part for placed in members}) > 1:
            yield from _across("group_across_parts", f"of {group!r}, as is", members)


def _across(kind: str, what: str, photos: Sequence[PlacedPhoto]) -> Iterator[Problem]:
    """Lists each photo that another part has a counterpart of; the last part keeps its photos."""
    by_rank: dict[int, list[PlacedPhoto]] = defaultdict(list)
    for placed in photos:
        by_rank[ORDER.index(placed.part)].append(placed)
    for rank, members in sorted(by_rank.items()):
        others = [placed for later in sorted(by_rank) if later > rank for placed in by_rank[later]]
        for placed in members if others else ():
            where = f"{others[0].part}/{others[0].photo.image.name}"
            message = f"the picture in {placed.part} is {what} {where}"
            yield _of_photo(kind, message, placed, others[:3])


def _of_photo(
    kind: str, message: str, placed: PlacedPhoto, others: Sequence[PlacedPhoto]
) -> Problem:
    return Problem(
        kind,
        placed.photo.annotation,
        message,
        annotation=placed.photo.annotation,
        image=placed.photo.image,
        others=tuple(other.photo.image for other in others),
    )
