"""From an audit to the photos that may be used: problems are refused, mended or left out."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emotion.data.audit import Audit
from emotion.errors import SHOWN, ConfigError, DataError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import KINDS, Problem

Concern = tuple[Path, int | None]  # XML file, and number of the object or None for the photo
DROPPABLE = tuple(kind.name for kind in KINDS.values() if kind.scope != "data")
MENDABLE = tuple(kind.name for kind in KINDS.values() if kind.mendable)


@dataclass(frozen=True)
class CleanData:
    """Photos without problems that matter.

    Attributes:
        photos: those of each part, with the faces that are left.
        faces_left_out: how many faces that could be read were left out.
        dropped: how many problems of each kind led to a face or a photo being left out.
        mended: how many problems of each kind were mended in memory.
        warned: how many problems of each kind are only worth a warning.
    """

    photos: dict[str, list[AnnotatedPhoto]]
    faces_left_out: int
    dropped: dict[str, int]
    mended: dict[str, int]
    warned: dict[str, int]

    def describe(self) -> str:
        """Says what was done, a line each; nothing where all was clean."""
        lines = [
            (self.dropped, f"left out {self.faces_left_out} faces (data.drop)"),
            (self.mended, "mended in memory (data.mend)"),
            (self.warned, "used in spite of warnings (emotion data check shows them)"),
        ]
        return "".join(
            f"{what}: {', '.join(f'{kind} {count}' for kind, count in counts.items())}\n"
            for counts, what in lines
            if counts
        )


def check_kinds(names: Iterable[str], allowed: Collection[str], key: str) -> None:
    """Checks that kinds of problems exist and may be given.

    Args:
        names: the kinds.
        allowed: those that may be given.
        key: the setting or option, for the error.

    Raises:
        ConfigError: names the kind and those that may be given.
    """
    for name in names:
        if name not in allowed:
            what = "is no choice here" if name in KINDS else "is no kind of problem"
            raise ConfigError(f"{key}: {name!r} {what}; expected some of {', '.join(allowed)}")


def clean(audit: Audit, drop: Sequence[str], mend: Sequence[str]) -> CleanData:
    """Leaves out what is to be dropped, mends what is to be mended, and refuses the rest.

    Args:
        audit: of the data set.
        drop: kinds whose faces or photos are left out.
        mend: kinds that are mended in memory, as `emotion data check --fix` mends files.

    Raises:
        DataError: errors of other kinds are left; lists the kinds with examples and the way out.
        ConfigError: a kind that does not exist.
    """
    check_kinds(drop, DROPPABLE, "data.drop")
    check_kinds(mend, MENDABLE, "data.mend")
    gone = {_concern(p) for p in audit.problems if p.kind in drop}
    # Nor do faces matter whose label is dropped in any case.
    matter = [p for p in audit.problems if p.label is None or not audit.scheme.drops(p.label)]
    left = [p for p in matter if not _is_gone(p, gone)]
    refused = [p for p in left if KINDS[p.kind].severity == "error" and p.kind not in mend]
    refused = [p for p in refused if KINDS[p.kind].scope != "data"]  # the split says it better
    if refused:
        raise DataError(_refusal(audit.root, refused))
    photos = {
        part: [
            _cleaned(photo, gone, audit, mend)
            for photo in folder.photos
            if (photo.annotation, None) not in gone
        ]
        for part, folder in audit.folders.items()
    }
    read = [len(photo.faces) for folder in audit.folders.values() for photo in folder.photos]
    kept = [len(photo.faces) for part in photos.values() for photo in part]
    return CleanData(
        photos,
        faces_left_out=sum(read) - sum(kept),
        dropped=_count(p for p in audit.problems if p.kind in drop),
        mended=_count(p for p in left if p.kind in mend),
        warned=_count(p for p in left if p.kind not in mend),
    )


def _concern(problem: Problem) -> Concern:
    whole = KINDS[problem.kind].scope == "photo"
    return problem.annotation or problem.path, None if whole else problem.number


def _is_gone(problem: Problem, gone: set[Concern]) -> bool:
    path, number = _concern(problem)
    return (path, number) in gone or (path, None) in gone


def _count(problems: Iterable[Problem]) -> dict[str, int]:
    return dict(Counter(problem.kind for problem in problems))


def _cleaned(
    photo: AnnotatedPhoto, gone: set[Concern], audit: Audit, mend: Sequence[str]
) -> AnnotatedPhoto:
    facts = audit.facts[photo.image]
    faces = (face for face in photo.faces if (photo.annotation, face.number) not in gone)
    mended = (mend_face(face, (facts.width, facts.height), audit.scheme, mend) for face in faces)
    return replace(photo, faces=tuple(mended))


def mend_face(
    face: AnnotatedFace, size: tuple[int, int], scheme: LabelScheme, mend: Sequence[str]
) -> AnnotatedFace:
    """Mends the label and the box of one face, as far as that is asked for.

    Args:
        face: as it was read: its corners are in order and whole numbers already.
        size: width and height of its picture in pixels, 0 where they are not known.
        scheme: the labels that are known.
        mend: kinds that are mended.
    """
    if "label_spelling" in mend and not scheme.knows(face.label):
        face = replace(face, label=scheme.respelt(face.label) or face.label)
    box, inside = face.box, face.box.clipped(*size) if all(size) else None
    if inside is None:  # where such a box should be would be a guess
        return face
    if "box_negative" in mend:
        box = replace(box, left=inside.left, top=inside.top)
    if "box_outside" in mend:
        box = replace(box, right=inside.right, bottom=inside.bottom)
    return replace(face, box=box)


def _refusal(root: Path, problems: Sequence[Problem]) -> str:
    counts = Counter(problem.kind for problem in problems)
    lines = [f"{root}: {len(problems)} problems that make faces unfit to use:"]
    for kind, count in counts.most_common():
        first = next(problem for problem in problems if problem.kind == kind)
        lines.append(f"  {kind}: {count} ({KINDS[kind].title})\n    {first}")
    if "label_unknown" in counts:
        lines.append(_unknown_labels(problems))
    kinds = ",".join(counts)
    lines += [
        f"`emotion data check {root}` shows them all. Mend them:",
        *(f"  {kind}: {KINDS[kind].remedy}" for kind in counts),
        "Or leave them out:",
        f"  train 'data.drop=[{kinds}]', or evaluate, data split --drop {kinds}",
    ]
    mendable = ",".join(kind for kind in counts if KINDS[kind].mendable)
    if mendable:
        lines += [
            "What needs no guess can also be mended in memory:",
            f"  train 'data.mend=[{mendable}]', or evaluate, data split --mend {mendable}",
        ]
    return "\n".join(lines)


def _unknown_labels(problems: Sequence[Problem]) -> str:
    labels = Counter(p.label for p in problems if p.kind == "label_unknown")
    listed = ", ".join(f"{(label or '')[:40]!r} {n}" for label, n in labels.most_common(SHOWN))
    more = f", … and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    name = (labels.most_common(1)[0][0] or "")[:40]
    return (
        f"Unknown labels: {listed}{more}. Map or drop them: train 'data.label_map={{{name}:"
        f" neutral}}' (null drops), or evaluate, data split --map '{name}=neutral' (nothing drops)"
    )
