"""Which faces a gallery shows: the worst mistakes, right answers, missed and false faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.faces.boxes import Box
from emotion.faces.samples import FaceSample

MISTAKES, RIGHT, MISSED, FALSE_FINDS = 24, 12, 12, 12  # shown at most
UNCERTAIN = 4  # of so many right answers of a class, one is among the least certain


@dataclass(frozen=True)
class FalseFind:
    """A place where the detector saw a face that nobody annotated.

    Attributes:
        image: the photo.
        box: what was found.
        score: the detector's; higher is surer.
        probabilities: of the classes, float32.
    """

    image: Path
    box: Box
    score: float
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Face:
    """A face to be shown.

    Attributes:
        image: the photo.
        box: where it is.
        truth: class index of its label; None where nobody annotated it.
        probabilities: of the classes, float32; None where it was not asked about.
        score: the detector's; None where the box is the annotators'.
    """

    image: Path
    box: Box
    truth: int | None = None
    probabilities: NDArray[np.float32] | None = None
    score: float | None = None

    @property
    def answer(self) -> int | None:
        """Index of the answered class."""
        return None if self.probabilities is None else int(self.probabilities.argmax())


@dataclass(frozen=True)
class Chosen:
    """Some faces of a kind, and how many there are in all."""

    faces: tuple[Face, ...]
    total: int


@dataclass(frozen=True)
class Choice:
    """What is shown; missed and false faces are None where no detector was run."""

    mistakes: Chosen
    right: Chosen
    missed: Chosen | None = None
    false_finds: Chosen | None = None


def choose(
    samples: Sequence[FaceSample],
    probabilities: NDArray[np.float32],
    missed: Sequence[int] | None = None,
    false_finds: Sequence[FalseFind] | None = None,
) -> Choice:
    """Chooses what is worth showing; the same results give the same choice.

    Args:
        samples: the annotated faces.
        probabilities: n x classes.
        missed: indices of the samples that the detector did not find; the largest are shown.
        false_finds: those with the highest scores are shown.
    """
    answers = probabilities.argmax(axis=1)
    targets = np.array([sample.target for sample in samples], np.int64)
    surety = probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != targets)
    worst = wrong[np.argsort(-surety[wrong], kind="stable")]
    correct = np.flatnonzero(answers == targets)
    faces = [
        Face(sample.image, sample.box, sample.target, row)
        for sample, row in zip(samples, probabilities, strict=True)
    ]
    return Choice(
        Chosen(tuple(faces[i] for i in worst[:MISTAKES]), len(wrong)),
        Chosen(tuple(faces[i] for i in _good(correct, targets, surety)), len(correct)),
        None if missed is None else _missed(samples, missed),
        None if false_finds is None else _false(false_finds),
    )


def _good(
    correct: NDArray[np.int64], targets: NDArray[np.int64], surety: NDArray[np.float32]
) -> list[int]:
    """Chooses right answers: as many of each class as of the others, surest first."""
    by_class: dict[int, list[int]] = {}
    for i in correct[np.argsort(-surety[correct], kind="stable")]:
        by_class.setdefault(int(targets[i]), []).append(int(i))
    places = dict.fromkeys(sorted(by_class), 0)
    for _ in range(min(RIGHT, len(correct))):
        open_classes = [name for name in places if places[name] < len(by_class[name])]
        places[min(open_classes, key=lambda name: places[name])] += 1
    return [i for name, count in places.items() for i in _surest(by_class[name], count)]


def _surest(faces: Sequence[int], count: int) -> list[int]:
    """Takes the first and, of several, a few of the last."""
    least = max(count // UNCERTAIN, 1) if count > 1 else 0
    return [*faces[: count - least], *faces[len(faces) - least :]]


def _missed(samples: Sequence[FaceSample], missed: Sequence[int]) -> Chosen:
    largest = sorted(missed, key=lambda i: (-samples[i].box.area, i))[:MISSED]
    faces = (Face(samples[i].image, samples[i].box, samples[i].target) for i in largest)
    return Chosen(tuple(faces), len(missed))


def _false(finds: Sequence[FalseFind]) -> Chosen:
    surest = sorted(finds, key=lambda find: (-find.score, find.image, find.box))[:FALSE_FINDS]
    faces = (Face(f.image, f.box, None, f.probabilities, f.score) for f in surest)
    return Chosen(tuple(faces), len(finds))
