"""Subjects of an evaluation without files: photos with faces, made up."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.data.cleaning import CleanData
from emotion.evaluation.results import Results
from emotion.evaluation.subjects import Subject
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.samples import FaceSample

FACE = Box(0, 0, 9, 9)


def make_subject(
    photos: Sequence[Sequence[int]], persons: Mapping[Path, str] | None = None
) -> Subject:
    """Makes photos `0.jpg`, `1.jpg`, … with faces of these classes, side by side."""
    annotated, samples = [], []
    for number, targets in enumerate(photos):
        image, xml = Path(f"{number}.jpg"), Path(f"{number}.xml")
        boxes = [Box(20 * i, 0, 20 * i + 10, 10) for i in range(len(targets))]
        faces = tuple(
            AnnotatedFace(str(t), b, False, 1) for t, b in zip(targets, boxes, strict=True)
        )
        annotated.append(AnnotatedPhoto(image, xml, faces))
        samples += [
            FaceSample(image, xml, 1, i + 1, box, target)
            for i, (box, target) in enumerate(zip(boxes, targets, strict=True))
        ]
    return Subject(
        root=Path("data"),
        folder=Path("data"),
        part=None,
        samples=samples,
        photos=annotated,
        ignored={},
        persons=dict(persons or {}),
        sha256={photo.image: f"{i:064x}" for i, photo in enumerate(annotated)},
        difficult_kept=True,
        cleaned=CleanData({}, 0, {}, {}, {}),
    )


def make_results(subject: Subject, answers: Sequence[int], labels: Sequence[str]) -> Results:
    """Gives answers with probabilities that are greatest at them."""
    return Results(subject.samples, rows(answers, len(labels)), tuple(labels))


def rows(answers: Sequence[int], classes: int) -> NDArray[np.float32]:
    """Rows that sum to 1 and are greatest at the answers: n x classes."""
    table = np.random.default_rng(0).dirichlet(np.ones(classes), len(answers))
    for row, answer in zip(table, answers, strict=True):
        greatest = int(row.argmax())
        row[[answer, greatest]] = row[[greatest, answer]]
    return table.astype(np.float32)
