"""Whether a run has met the faces, or the people, that it is evaluated on."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion.data.assignment import part_of
from emotion.data.groups import read_groups
from emotion.data.split_file import FrozenSplit, SplitEntry, hash_files, read_split
from emotion.errors import EmotionError
from emotion.evaluation.run_settings import data_settings
from emotion.evaluation.subjects import SPLIT, Subject
from emotion.faces.folders import AnnotatedPhoto
from emotion.inference.checkpoint_files import run_folder

MET = {"train": "were in the checkpoint's training", "val": "chose the checkpoint's epoch"}


def hash_file(path: Path) -> str:
    """Gives the SHA-256 of a file, or "" where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def find_leaks(subject: Subject, checkpoint: Path) -> tuple[list[str], list[str]]:
    """Looks for faces, and persons, that the run was trained on or chose its epoch by.

    Pictures are compared by their bytes, wherever the run's data still are; where they are not,
    by the hashes in `split.json`, which are of a picture together with its XML file.

    Returns:
        Warnings, and notes on what could not be found out.
    """
    settings = data_settings(checkpoint)
    run = run_folder(checkpoint)
    try:
        split = read_split(run / SPLIT)
    except EmotionError as error:
        unknown = "so nobody knows whether these faces were in training"
        if settings is None and not (run / SPLIT).exists():
            return [], [f"The checkpoint has no run folder, {unknown}."]
        return [f"{error}: {unknown}."], []
    used = _UsedPictures(split, Path(settings["root"]) if settings else None, subject)
    warnings, notes = [], []
    for part, what in MET.items():
        photos = [photo for photo in subject.photos if photo.faces and used.has(photo, part)]
        faces = sum(len(photo.faces) for photo in photos)
        if photos:
            warnings.append(
                f"{faces} of these {len(subject.samples)} faces {what}: the figures are too good."
            )
    if used.missing:
        notes.append(
            f"{used.missing} pictures of the run are no longer there; those are compared together"
            " with their XML file, so a copy with another XML file would not be noticed."
        )
    return warnings + _known_persons(subject, split, settings), notes


def _entries(split: FrozenSplit, part: str) -> list[SplitEntry]:
    """Gives what the run had in one part; of a cross-validation, its own fold is what validates."""
    fold = split.how.get("fold")
    number = fold if isinstance(fold, int) else 1
    return [entry for entry in split.entries.values() if part_of(entry, number) == part]


class _UsedPictures:
    """The pictures of a run that may be those of a subject, known by their hashes."""

    def __init__(self, split: FrozenSplit, root: Path | None, subject: Subject) -> None:
        self.subject, self.missing = subject, 0
        self.pictures: dict[str, set[str]] = {}
        self.pairs: dict[str, set[str]] = {}
        # Only a file of the same size can be the same, and to ask for that is a thousand times
        # cheaper than to read it.
        sizes = {photo.image.stat().st_size for photo in subject.photos}
        for part in MET:
            entries = _entries(split, part)
            self.pairs[part] = {entry.sha256 for entry in entries}
            paths = [root / entry.picture for entry in entries] if root else []
            there = [path for path in paths if path.is_file()]
            self.missing += len(entries) - len(there)
            alike = [path for path in there if path.stat().st_size in sizes]
            self.pictures[part] = {hash_file(path) for path in alike} - {""}

    def has(self, photo: AnnotatedPhoto, part: str) -> bool:
        """Tells whether a photo is one of a part."""
        if self.subject.sha256[photo.image] in self.pictures[part]:
            return True
        if not self.missing:
            return False
        return hash_files([(photo.annotation, photo.image)])[0] in self.pairs[part]


def _known_persons(
    subject: Subject, split: FrozenSplit, settings: Mapping[str, Any] | None
) -> list[str]:
    """Warns of persons who were in training too, where it is known who is who."""
    groups = (settings or {}).get("groups")
    if not subject.persons or not settings or groups is None:
        return []
    trained, root = [entry.picture for entry in _entries(split, "train")], Path(settings["root"])
    folders = [root / name for name in sorted({name.split("/")[0] for name in trained})]
    try:
        known = set(read_groups(groups, trained, [root, *folders]).values())
    except EmotionError:
        return []
    faces = [sample for sample in subject.samples if subject.persons[sample.image] in known]
    if not faces:
        return []
    persons = {subject.persons[sample.image] for sample in faces}
    return [
        f"{len(persons)} of the people, with {len(faces)} of these {len(subject.samples)} faces,"
        " were in training too: the figures are too good for people it has never seen."
    ]
