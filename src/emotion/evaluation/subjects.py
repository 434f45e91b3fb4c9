"""What is evaluated: the faces of a folder, or of a part that a run kept aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emotion.data.assignment import SplitPlan, assign
from emotion.data.audit import Audit, Rules
from emotion.data.cleaning import CleanData
from emotion.data.groups import read_groups
from emotion.data.inspection import SMALLEST
from emotion.data.source import FaceSet, FaceSource
from emotion.errors import CheckpointError, DataError
from emotion.evaluation.intervals import Units
from emotion.evaluation.run_settings import check_settings, data_settings, required_settings
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples
from emotion.inference.checkpoint_files import run_folder

Part = Literal["train", "val", "test"]
SPLIT = "split.json"
ABSENT: dict[Part, str] = {
    "train": "had no photos for training",
    "val": "had no photos for validation",
    "test": "kept no photos for a test",
}


@dataclass(frozen=True)
class ReadingOptions:
    """How annotations are read, where that differs from how the run read its own.

    Attributes:
        mapped: names in the XML -> class, or None to drop such faces.
        origin: coordinate of the first pixel; None for the run's.
        drop: kinds of problems whose faces are left out, beside the run's.
        mend: kinds that are mended in memory, beside the run's.
        drop_difficult: leave out faces marked `<difficult>1`.
        groups: who is who, see `emotion.data.groups`; None for the run's on its own data.
    """

    mapped: Mapping[str, str | None] = field(default_factory=dict)
    origin: int | None = None
    drop: Sequence[str] = ()
    mend: Sequence[str] = ()
    drop_difficult: bool = False
    groups: str | None = None


@dataclass(frozen=True)
class Subject:
    """Annotated photos on which a checkpoint is measured.

    Attributes:
        root: the data set, which names of photos in tables are relative to.
        folder: what was read.
        part: which part of the run's data it is; None for data that was named.
        samples: the faces, those of one photo together.
        photos: all annotated photos with the faces that are used, also those where none is.
        ignored: boxes of faces that are not used, by photo: finding them is no mistake.
        persons: who is on each photo, where that is known.
        sha256: of each picture.
        difficult_kept: whether faces marked difficult are used.
        cleaned: what was done about problems.
    """

    root: Path
    folder: Path
    part: Part | None
    samples: list[FaceSample]
    photos: list[AnnotatedPhoto]
    ignored: dict[Path, list[Box]]
    persons: dict[Path, str]
    sha256: dict[Path, str]
    difficult_kept: bool
    cleaned: CleanData

    @property
    def name(self) -> str:
        """A short name, for folders and titles."""
        resolved = self.folder.resolve()
        if self.part is not None and resolved.name != self.part:
            return f"{resolved.name}-{self.part}"
        inside = resolved.name in ("train", "val", "test")
        return f"{resolved.parent.name}-{resolved.name}" if inside else resolved.name

    @property
    def targets(self) -> NDArray[np.int64]:
        """True class of each face, n, int64."""
        return np.array([sample.target for sample in self.samples], dtype=np.int64)

    def units(self) -> Units:
        """Gives what intervals draw anew: persons where they are known, else photos."""
        names = [self.unit_of(sample.image) for sample in self.samples]
        everyone = [self.unit_of(photo.image) for photo in self.photos]
        return Units.by_name(names, self.targets, "person" if self.persons else "photo", everyone)

    def unit_of(self, image: Path) -> Path | str:
        """Gives the name of the unit of a photo: its person, or the photo itself."""
        return self.persons.get(image, image)


def read_subject(
    checkpoint: Path,
    labels: tuple[str, ...],
    part: Part = "test",
    data: Path | None = None,
    options: ReadingOptions | None = None,
) -> Subject:
    """Reads the faces that a checkpoint is to be measured on.

    Args:
        checkpoint: its run folder says where the run's own data are and how they were read.
        labels: class names.
        part: of the run's own data; of no account where data are named.
        data: other annotated photos: one folder of them, or a data set with `test/`.
        options: how annotations are read.

    Raises:
        DataError: there are no such faces, or they cannot be used as they are.
        ConfigError: an option that does not exist.
    """
    options = options or ReadingOptions()
    known = data_settings(checkpoint) or {}
    check_settings(known, run_folder(checkpoint))
    settings = {} if data else required_settings(checkpoint)
    root = data or Path(settings["root"])
    if not data and not root.is_dir():
        raise DataError(
            f"{root}: the run's photos are no longer there; name some: emotion evaluate"
            f" {checkpoint} /path/to/faces"
        )
    # Where test/ is a folder, no other part is read for it.
    folder = root / "test" if part == "test" and (root / "test").is_dir() else root
    source = _source(folder, labels, settings, options, _cache(known))
    faces = source.read()
    photos = [photo for members in faces.photos.values() for photo in members]
    if data:
        _refuse_parts(faces)
    annotated = _all_photos(faces)
    if not data and folder == root:  # the run chose what it kept
        plan = SplitPlan(file=run_folder(checkpoint) / SPLIT, fold=settings.get("fold", 1))
        photos = annotated = _part_of_run(faces, plan, part)
    samples = _gather(photos, source.rules.scheme, folder)
    return Subject(
        root=root,
        folder=folder,
        part=None if data else part,
        samples=samples,
        photos=annotated,
        ignored=_ignored(annotated, faces.audit),
        persons=_persons(annotated, faces.audit, root, options.groups or settings.get("groups")),
        sha256={photo.image: faces.audit.facts[photo.image].sha256 for photo in annotated},
        difficult_kept=source.keep_difficult,
        cleaned=faces.cleaned,
    )


def read_own_part(
    checkpoint: Path, labels: tuple[str, ...], part: Part, use: str, way_out: str, more: str = ""
) -> Subject:
    """Reads a part of the run's own photos, for what only they will do.

    Args:
        checkpoint: within its run's folder.
        labels: class names.
        part: of the run's data.
        use: what they are for, as a sentence without its end, for an error.
        way_out: for a checkpoint that lies alone; begins as the rest of a sentence.
        more: sentences after where the photos are.

    Raises:
        CheckpointError: the checkpoint lies in no run's folder.
        DataError: the photos are gone, or cannot be used.
    """
    if data_settings(checkpoint) is None:
        raise CheckpointError(
            f"{checkpoint}: has no run folder with a config.yaml around it; {way_out}"
        )
    try:
        return read_subject(checkpoint, labels, part)
    except DataError as error:
        config = run_folder(checkpoint) / "config.yaml"
        raise DataError(
            f"{error}\n{use}; where they are, data.root in {config} says.{more}"
        ) from error


def _gather(photos: list[AnnotatedPhoto], scheme: LabelScheme, folder: Path) -> list[FaceSample]:
    try:
        return gather_samples(photos, scheme, str(folder))
    except DataError as error:
        raise DataError(
            f"{error}; a classifier can only be measured on annotated faces (without annotations:"
            " emotion predict)"
        ) from error


def _source(
    folder: Path,
    labels: tuple[str, ...],
    settings: Mapping[str, Any],
    options: ReadingOptions,
    cache: Path | None,
) -> FaceSource:
    scheme = LabelScheme(labels, (settings.get("label_map") or {}) | dict(options.mapped))
    origin = settings.get("origin", 0) if options.origin is None else options.origin
    # Copies and persons matter between parts, and here is one.
    rules = Rules(scheme, origin, None, settings.get("smallest_face", SMALLEST), copies=False)
    drop = [*settings.get("drop", []), *options.drop]
    mend = [*settings.get("mend", []), *options.mend]
    keep_difficult = not options.drop_difficult and settings.get("keep_difficult", True)
    return FaceSource(folder, rules, drop, mend, keep_difficult, cache)


def _cache(settings: Mapping[str, Any]) -> Path | None:
    """Gives the run's cache, where it is still there: it knows the pictures already."""
    given = settings.get("cache")
    return Path(given) if given and Path(given).is_dir() else None


def _refuse_parts(faces: FaceSet) -> None:
    """Checks that what was named is one folder of photos: parts may have been trained on."""
    parts = [folder.path for folder in faces.audit.folders.values()]
    if parts != [faces.audit.root]:
        names = " and ".join(f"{path.name}/" for path in parts)
        raise DataError(
            f"{faces.audit.root}: has {names}, but no test/; name the part that is meant:"
            f" emotion evaluate CKPT {parts[-1]}"
        )


def _part_of_run(faces: FaceSet, plan: SplitPlan, part: Part) -> list[AnnotatedPhoto]:
    """Gives the photos that the run kept for the test, or chose its epoch by."""
    parts = assign(faces.photos, faces.audit, plan)
    if not parts.get(part):
        raise DataError(
            f"{faces.audit.root}: the run {ABSENT[part]}; name others: emotion evaluate"
            " CKPT /path/to/faces"
        )
    return parts[part]


def _all_photos(faces: FaceSet) -> list[AnnotatedPhoto]:
    """Gives all annotated photos of the folder, also those in which no face is used."""
    used = {photo.image: photo for members in faces.photos.values() for photo in members}
    clean = (photo for members in faces.cleaned.photos.values() for photo in members)
    return [
        used.get(photo.image, AnnotatedPhoto(photo.image, photo.annotation, (), photo.size))
        for photo in clean
    ]


def _ignored(photos: Sequence[AnnotatedPhoto], audit: Audit) -> dict[Path, list[Box]]:
    read = {p.annotation: p.faces for folder in audit.folders.values() for p in folder.photos}
    ignored = {}
    for photo in photos:
        used = {face.number for face in photo.faces}
        boxes = [face.box for face in read[photo.annotation] if face.number not in used]
        if boxes:
            ignored[photo.image] = boxes
    return ignored


def _persons(
    photos: Sequence[AnnotatedPhoto], audit: Audit, root: Path, groups: str | None
) -> dict[Path, str]:
    if groups is None:
        return {}
    names = {photo.image.relative_to(root).as_posix(): photo.image for photo in photos}
    places = [root, *(folder.path for folder in audit.folders.values())]
    return {
        names[name]: person for name, person in read_groups(groups, list(names), places).items()
    }
