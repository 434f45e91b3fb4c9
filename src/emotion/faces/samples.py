"""Faces with a known emotion: what training learns from and evaluation counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion.errors import DataError
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.labels import LabelScheme


@dataclass(frozen=True)
class FaceSample:
    """One annotated face.

    Attributes:
        image: the picture.
        annotation: the XML file.
        line: line of its `<object>` there, from 1.
        number: its place among the objects there, from 1.
        box: where the face is.
        target: class index.
    """

    image: Path
    annotation: Path
    line: int
    number: int
    box: Box
    target: int


def gather_samples(
    photos: Sequence[AnnotatedPhoto], scheme: LabelScheme, place: str
) -> list[FaceSample]:
    """Lists every face of the photos, in their order, with its class.

    Args:
        photos: with faces whose labels are known to the scheme.
        scheme: class names, and what other names stand for.
        place: names the photos in the error.

    Raises:
        DataError: there is no face.
    """
    samples = [
        FaceSample(photo.image, photo.annotation, face.line, face.number, face.box, target)
        for photo in photos
        for face in photo.faces
        if (target := scheme.class_of(face.label)) is not None
    ]
    if not samples:
        raise DataError(f"{place}: no face with a label of {', '.join(scheme.names)}")
    return samples


def count_classes(samples: Sequence[FaceSample], labels: Sequence[str]) -> dict[str, int]:
    """Counts the faces of each class, in the order of the labels."""
    counts = Counter(sample.target for sample in samples)
    return {label: counts[index] for index, label in enumerate(labels)}


def list_counts(counts: dict[str, int]) -> str:
    """Gives class counts as a line of text: "neutral 3, anger 1"."""
    return ", ".join(f"{label} {count}" for label, count in counts.items())
