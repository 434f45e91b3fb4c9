"""What was evaluated on what, and whether the figures may be believed."""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from emotion.evaluation.leaks import find_leaks, hash_file
from emotion.evaluation.looks import LOOKS, read_looks
from emotion.evaluation.subjects import SPLIT, Subject
from emotion.inference.checkpoint_files import run_folder

PACKAGES = ("emotion", "torch", "numpy", "scipy", "dlib-bin", "pillow", "opencv-python-headless")


@dataclass(frozen=True)
class Provenance:
    """What was evaluated on what.

    Attributes:
        checkpoint: the file.
        checkpoint_sha256: of its bytes.
        epoch: at whose end it was written, from 1.
        data: the folder that was read.
        part: "test" or "val" of the run's own data; None for data that was named.
        data_sha256: of pictures, boxes and classes, in the order of their hashes, not of names.
        split_sha256: of the run's `split.json`, or None.
        faces: by class.
        photos: by class; a photo with several counts for each.
        photos_in_all: annotated photos, also those without a face that is used.
        difficult: "kept" or "dropped".
        left_out: problems whose faces were left out, by kind.
        mended: likewise.
        versions: of Python and the packages.
        date: ISO 8601, UTC.
        command: what was typed.
        warnings: why the figures may be too good; empty where nothing is known.
        notes: what could not be found out.
        earlier_looks: dates of earlier evaluations of this run on the same faces.
    """

    checkpoint: str
    checkpoint_sha256: str
    epoch: int
    data: str
    part: str | None
    data_sha256: str
    split_sha256: str | None
    faces: dict[str, int]
    photos: dict[str, int]
    photos_in_all: int
    difficult: str
    left_out: dict[str, int]
    mended: dict[str, int]
    versions: dict[str, str]
    date: str
    command: list[str]
    warnings: list[str]
    notes: list[str]
    earlier_looks: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `metrics.json`."""
        return asdict(self)

    def look(self) -> dict[str, Any]:
        """Gives what is noted of it in the run folder."""
        return {
            "date": self.date,
            "data": self.data_sha256,
            "folder": self.data,
            "part": self.part,
            "checkpoint": Path(self.checkpoint).name,
            "checkpoint_sha256": self.checkpoint_sha256,
        }


def describe(
    subject: Subject, checkpoint: Path, epoch: int, labels: Sequence[str], command: Sequence[str]
) -> Provenance:
    """Finds out what is evaluated on what, without changing anything.

    Args:
        subject: the photos and faces.
        checkpoint: the file.
        epoch: at whose end it was written, from 1.
        labels: class names.
        command: what was typed.
    """
    split = run_folder(checkpoint) / SPLIT
    warnings, notes = find_leaks(subject, checkpoint)
    data, looks = hash_faces(subject), read_looks(checkpoint)
    if looks.damaged:
        warnings.append(
            f"{LOOKS} in the run folder was damaged: how often these faces were looked at before is"
            " not known."
        )
    photos = {
        label: len({s.image for s in subject.samples if s.target == target})
        for target, label in enumerate(labels)
    }
    counts = [sample.target for sample in subject.samples]
    return Provenance(
        checkpoint=str(checkpoint),
        checkpoint_sha256=hash_file(checkpoint),
        epoch=epoch,
        data=str(subject.folder),
        part=subject.part,
        data_sha256=data,
        split_sha256=hash_file(split) if split.is_file() else None,
        faces={label: counts.count(target) for target, label in enumerate(labels)},
        photos=photos,
        photos_in_all=len(subject.photos),
        difficult="kept" if subject.difficult_kept else "dropped",
        left_out=subject.cleaned.dropped,
        mended=subject.cleaned.mended,
        versions=versions(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=list(command),
        warnings=warnings,
        notes=notes,
        earlier_looks=looks.dates(data),
    )


def versions() -> dict[str, str]:
    """Gives the versions that the figures depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # dlib may be built from source, under its own name
            continue
    return found


def hash_faces(subject: Subject) -> str:
    """Gives a hash of the pictures with their boxes and classes: the same for the same faces."""
    lines = sorted(
        f"{subject.sha256[s.image]} {s.box.to_inclusive()} {s.target}" for s in subject.samples
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
