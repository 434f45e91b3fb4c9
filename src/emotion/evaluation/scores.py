"""How often the answers are right: the scores of the whole and of each class, with intervals."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.intervals import Draws, Interval, Score, Units, draw
from emotion.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    f1_scores,
    macro_f1,
    precisions,
    recalls,
)
from emotion.evaluation.results import Results

WHOLE: dict[str, Score] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
}
BY_CLASS: dict[str, Score] = {"precision": precisions, "recall": recalls, "f1": f1_scores}


@dataclass(frozen=True)
class ClassScores:
    """One class: how often it occurs, and how well it is told; None where that has no meaning."""

    label: str
    faces: int
    photos: int
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None


@dataclass(frozen=True)
class ConstantGuess:
    """What always answering the most frequent class would come to."""

    label: str
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class Scores:
    """The scores of a classifier on annotated boxes.

    Attributes:
        faces: number of faces.
        photos: number of photos that they are on.
        units: number of units that were drawn anew for the intervals.
        unit: what these are: "photo" or "person".
        resamples: how often they were drawn.
        whole: accuracy, balanced accuracy and macro-F1.
        classes: the scores of each class.
        constant: the best constant guess.
        confusion: truth (rows) by answer (columns), classes x classes, int64.
    """

    faces: int
    photos: int
    units: int
    unit: str
    resamples: int
    whole: dict[str, Interval]
    classes: list[ClassScores]
    constant: ConstantGuess
    confusion: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `metrics.json`."""
        content = {name: getattr(self, name) for name in ("faces", "photos", "units", "unit")}
        return content | {
            "resamples": self.resamples,
            "scores": {name: asdict(score) for name, score in self.whole.items()},
            "classes": [asdict(scores) for scores in self.classes],
            "best_constant_guess": asdict(self.constant),
            "confusion": self.confusion.tolist(),
        }


def score(results: Results, units: Units) -> Scores:
    """Computes the scores of an evaluation.

    Args:
        results: the answers, of one face at least.
        units: what intervals draw anew.
    """
    classes, table = len(results.labels), results.table()
    cells = results.targets * classes + results.answers
    sums = units.sums(np.eye(classes * classes, dtype=np.float32)[cells])
    drawn = draw(sums[np.unique(units.of_face)], units.strata[np.unique(units.of_face)])
    whole = {}
    for name, metric in WHOLE.items():
        found = drawn.interval(_of_tables(metric, classes), _weakest(units, results, name))
        assert found is not None, "there is a face"
        whole[name] = found
    frequent = int(table.sum(axis=1).argmax())
    guess = np.zeros(table.shape)
    guess[:, frequent] = table.sum(axis=1)
    return Scores(
        faces=len(results.samples),
        photos=len({sample.image for sample in results.samples}),
        units=drawn.units,
        unit=units.noun,
        resamples=len(drawn.drawn),
        whole=whole,
        classes=[_class_scores(i, results, units, drawn) for i in range(classes)],
        constant=ConstantGuess(
            results.labels[frequent], *(float(metric(guess)) for metric in WHOLE.values())
        ),
        confusion=table,
    )


def _of_tables(
    metric: Score, classes: int, index: int | None = None
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Gives a metric of confusion matrices, or one class of it, as a score of flat ones."""

    def flat(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        values = metric(sums.reshape(*sums.shape[:-1], classes, classes))
        return values if index is None else values[..., index]

    return flat


def _weakest(units: Units, results: Results, name: str) -> int:
    """Counts the units that a score rests on: for means over classes, of the rarest class."""
    if name == "accuracy":
        return len(np.unique(units.of_face))
    targets = results.targets
    return min(_support(units, targets == target) for target in np.unique(targets))


def _support(units: Units, faces: NDArray[np.bool_]) -> int:
    return len(np.unique(units.of_face[faces]))


def _class_scores(index: int, results: Results, units: Units, drawn: Draws) -> ClassScores:
    true, answered = results.targets == index, results.answers == index
    supports = {"precision": answered, "recall": true, "f1": true | answered}
    found = {
        name: drawn.interval(
            _of_tables(metric, len(results.labels), index), _support(units, supports[name])
        )
        for name, metric in BY_CLASS.items()
    }
    images = {results.samples[int(i)].image for i in np.flatnonzero(true)}
    return ClassScores(results.labels[index], int(true.sum()), len(images), **found)
