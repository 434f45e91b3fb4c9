"""The page of a comparison: the sentence, the numbers, and faces on which the two disagree.

Photos are opened a second time only for the faces that are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.errors import PictureError
from emotion.evaluation.comparison.comparison import OF_TABLES, Comparison
from emotion.evaluation.comparison.paired import Difference
from emotion.evaluation.comparison.report import SHOWN, ComparisonReport, draw_comparison
from emotion.evaluation.comparison.verdict import signed
from emotion.evaluation.gallery.pictures import (
    FacePicture,
    name_within,
    not_shown,
    photo_with_box,
)
from emotion.faces.boxes import Box
from emotion.faces.images import read_image
from emotion.faces.samples import FaceSample
from emotion.figures.canvas import to_pixels
from emotion.pages.rendering import write_page
from emotion.pages.thumbnails import data_uri
from emotion.threads import map_in_order

FACES = 24  # faces at most
AROUND = 0.5  # of the box is shown on each side


@dataclass(frozen=True)
class Row:
    """A row of the table, as text; `apart` where the interval leaves out 0."""

    name: str
    a: str
    b: str
    gap: str
    interval: str
    apart: bool


@dataclass(frozen=True)
class Answer:
    """What one of the two said, and whether it was right."""

    label: str
    probability: float
    right: bool


@dataclass(frozen=True)
class Face:
    """A face on which the two disagree."""

    file: str
    truth: str
    a: Answer
    b: Answer
    picture: FacePicture


@dataclass(frozen=True)
class Group:
    """Faces of one kind of disagreement: those that are shown, and how many there are."""

    title: str
    total: int
    faces: list[Face]


def write_comparison_page(path: Path, report: ComparisonReport) -> None:
    """Writes the page.

    Raises:
        EmotionError: the file cannot be written.
    """
    image = to_pixels(draw_comparison(report.comparison))
    pairs = report.comparison.pairs
    write_page(
        path,
        "compare.html",
        report=report,
        comparison=report.comparison,
        p="less than 0.001" if pairs.p < 0.001 else f"{pairs.p:.3g}",
        scores=_scores(report.comparison),
        recalls=[
            _row(f"{c.label} ({c.faces:,})", c.recall, 100) for c in report.comparison.classes
        ],
        chart=data_uri(image, "png"),
        groups=_groups(report),
    )


def _scores(comparison: Comparison) -> list[Row]:
    return [
        _row(SHOWN[name], score, 100 if name in OF_TABLES else 1)
        for name, score in comparison.scores.items()
    ]


def _row(name: str, score: Difference, scale: int) -> Row:
    digits = 1 if scale == 100 else 3
    a, b = (f"{scale * value:.{digits}f}" for value in (score.a, score.b))
    interval = "no interval"
    if score.low is not None and score.high is not None:
        low, high = (signed(scale * end, digits) for end in (score.low, score.high))
        interval = f"[{low},\u00a0{high}]"
    return Row(name, a, b, signed(scale * score.value, digits), interval, score.side != 0)


def _groups(report: ComparisonReport) -> list[Group]:
    chosen = choose_faces(*report.probabilities, [sample.target for sample in report.samples])
    indices = [i for _, listed, _ in chosen for i in listed]
    drawn = dict(zip(indices, _draw([report.samples[i] for i in indices]), strict=True))
    return [
        Group(title, total, [_face(report, i, drawn[i]) for i in listed])
        for title, listed, total in chosen
        if total
    ]


def choose_faces(
    a: NDArray[np.float32], b: NDArray[np.float32], targets: Sequence[int]
) -> list[tuple[str, list[int], int]]:
    """Chooses faces on which the two disagree, the surest answers first.

    Each kind of disagreement has a third of the places, and what one leaves goes to the others, so
    that the pictures do not take sides.

    Args:
        a: probabilities of A, n x classes.
        b: probabilities of B, likewise.
        targets: true classes, n.

    Returns:
        Kinds with their faces, in order: only B right, only A right, both wrong and different; and
        how many faces each kind has.
    """
    answers_a, answers_b, truth = a.argmax(axis=1), b.argmax(axis=1), np.asarray(targets)
    right_a, right_b = answers_a == truth, answers_b == truth
    sure_a, sure_b = a.max(axis=1), b.max(axis=1)
    kinds = {
        "Only B is right": (right_b & ~right_a, sure_b),
        "Only A is right": (right_a & ~right_b, sure_a),
        "Both are wrong, each in its way": (
            ~right_a & ~right_b & (answers_a != answers_b),
            np.maximum(sure_a, sure_b),
        ),
    }
    totals = [int(faces.sum()) for faces, _ in kinds.values()]
    listed = []
    for (title, (faces, sure)), places in zip(kinds.items(), _shares(totals), strict=True):
        order = np.argsort(-sure, kind="stable")
        listed.append((title, [int(i) for i in order if faces[i]][:places]))
    return [(*kind, total) for kind, total in zip(listed, totals, strict=True)]


def _shares(totals: Sequence[int]) -> list[int]:
    """Gives each an equal share of the places, and what is left over to the first that need it."""
    shares = [min(total, FACES // len(totals)) for total in totals]
    for i, total in enumerate(totals):
        shares[i] += min(total - shares[i], FACES - sum(shares))
    return shares


def _face(report: ComparisonReport, index: int, picture: FacePicture) -> Face:
    sample = report.samples[index]
    a, b = (
        Answer(report.labels[best], float(row[best]), best == sample.target)
        for row in (probabilities[index] for probabilities in report.probabilities)
        for best in (int(row.argmax()),)
    )
    file = name_within(sample.image, Path(report.folder))
    return Face(file, report.labels[sample.target], a, b, picture)


def _draw(samples: Sequence[FaceSample]) -> list[FacePicture]:
    """Draws faces with their surroundings, each photo opened once."""
    order = sorted(range(len(samples)), key=lambda i: samples[i].image)
    photos = [list(group) for _, group in groupby(order, key=lambda i: samples[i].image)]
    drawn = map_in_order(lambda photo: _draw_photo([samples[i] for i in photo]), photos)
    pictures = (picture for photo in drawn for picture in photo)
    placed = dict(zip(order, pictures, strict=True))
    return [placed[i] for i in range(len(samples))]


def _draw_photo(samples: Sequence[FaceSample]) -> list[FacePicture]:
    try:
        image = read_image(samples[0].image)
    except (PictureError, OSError) as error:  # it was there when it was measured
        return [not_shown(error)] * len(samples)
    return [_draw_face(image, sample.box) for sample in samples]


def _draw_face(image: NDArray[np.uint8], box: Box) -> FacePicture:
    """Draws the box on the part of the photo around it, so that a small face is seen too."""
    view = box.grown(AROUND).clipped(image.shape[1], image.shape[0]) or box
    part = image[view.top : view.bottom, view.left : view.right]
    left, top = view.left, view.top
    return photo_with_box(
        part, Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
    )
