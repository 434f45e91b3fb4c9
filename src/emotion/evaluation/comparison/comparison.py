"""Two classifiers on the same faces: what differs between them, and how sure that is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from emotion.errors import CheckpointError
from emotion.evaluation.calibration.calibration import brier_scores, log_losses
from emotion.evaluation.comparison.paired import Difference, PairedTables, mean_difference
from emotion.evaluation.intervals import LEVEL, Score, Units
from emotion.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    macro_f1,
)

OF_TABLES: dict[str, Score] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
}
LOSSES = {"log_loss": log_losses, "brier": brier_scores}


@dataclass(frozen=True)
class ClassDifference:
    """The recall of one class that occurs, and on how many faces it rests."""

    label: str
    faces: int
    recall: Difference


@dataclass(frozen=True)
class Pairs:
    """How many faces both, one or none of the two named rightly.

    Attributes:
        both: both were right.
        only_a: A was right and B was wrong.
        only_b: B was right and A was wrong.
        neither: both were wrong.
    """

    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def p(self) -> float:
        """The two-sided p-value of McNemar's exact test (McNemar, Psychometrika 12, 1947).

        It asks whether as many faces went one way as the other, and takes the faces for
        independent. Those of one photo or person are not, so p is too small where many share one;
        the intervals are not concerned by that.
        """
        apart = self.only_a + self.only_b
        return float(binomtest(self.only_b, apart).pvalue) if apart else 1.0


@dataclass(frozen=True)
class Comparison:
    """What two classifiers make of the same faces.

    Attributes:
        faces: number of faces.
        units: number of photos or persons with a face, which were drawn anew for the intervals.
        unit: what these are: "photo" or "person".
        resamples: how often they were drawn.
        scores: accuracy, balanced accuracy, macro-F1; log loss and Brier score as in
            `emotion.evaluation.calibration.calibration`, of which less is better.
        classes: recall by class; classes that do not occur are left out.
        pairs: who was right where.
        same_answers: on how many faces both gave the same answer, right or wrong.
        identical: all probabilities are equal to the last bit.
    """

    faces: int
    units: int
    unit: str
    resamples: int
    scores: dict[str, Difference]
    classes: list[ClassDifference]
    pairs: Pairs
    same_answers: int
    identical: bool

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `comparison.json`."""
        counts = {name: getattr(self, name) for name in ("faces", "units", "unit", "resamples")}
        return counts | {
            "level": LEVEL,
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "classes": [
                {"class": c.label, "faces": c.faces, "recall": c.recall.to_dict()}
                for c in self.classes
            ],
            "mcnemar": asdict(self.pairs) | {"p": self.pairs.p},
            "same_answers": self.same_answers,
            "identical": self.identical,
        }


def column_order(
    labels_a: Sequence[str], labels_b: Sequence[str], names: tuple[str, str] = ("A", "B")
) -> list[int]:
    """Gives the columns of B's probabilities in the order of A's labels.

    Args:
        labels_a: class names of A.
        labels_b: class names of B, in any order.
        names: what the checkpoints are called, for the error.

    Raises:
        CheckpointError: they do not have the same classes.
    """
    if set(labels_a) != set(labels_b):
        raise CheckpointError(
            f"{names[0]} knows {', '.join(labels_a)}, but {names[1]} knows {', '.join(labels_b)};"
            " expected two checkpoints with the same classes: answers that one of them cannot give"
            " cannot be compared"
        )
    return [labels_b.index(label) for label in labels_a]


def compare(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    targets: NDArray[np.int64],
    labels: Sequence[str],
    units: Units,
) -> Comparison:
    """Compares two classifiers on the same faces.

    Intervals are those of the paired bootstrap: photos, or persons, are drawn anew, both
    classifiers are scored on each draw, and the differences give the interval. What makes a face
    hard for both is thereby no part of the difference.

    Args:
        a: probabilities of A, n x classes, float32, in the order of the labels; n is at least 1.
        b: probabilities of B, likewise.
        targets: true class of each face, n, int64.
        labels: class names.
        units: what is drawn anew.
    """
    answers = (a.argmax(axis=1).astype(np.int64), b.argmax(axis=1).astype(np.int64))
    tables = PairedTables(targets, answers, len(labels), units)
    scores = {name: tables.difference(metric) for name, metric in OF_TABLES.items()}
    for name, loss in LOSSES.items():
        scores[name] = mean_difference(loss(a, targets), loss(b, targets), units)
    classes = [
        ClassDifference(labels[i], int((targets == i).sum()), tables.recall(int(i)))
        for i in np.unique(targets)
    ]
    found = Comparison(
        faces=len(targets),
        units=tables.units,
        unit=units.noun,
        resamples=tables.resamples,
        scores=scores,
        classes=classes,
        pairs=_pairs(answers[0] == targets, answers[1] == targets),
        same_answers=int((answers[0] == answers[1]).sum()),
        identical=bool(np.array_equal(a, b)),
    )
    return _without_doubt(found) if found.identical else found


def _pairs(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Pairs:
    return Pairs(*(int(faces.sum()) for faces in (a & b, a & ~b, ~a & b, ~a & ~b)))


def _without_doubt(comparison: Comparison) -> Comparison:
    """Takes equal probabilities for those of one classifier, which never differs from itself."""

    def exact(difference: Difference) -> Difference:
        return replace(difference, low=0.0, high=0.0)

    scores = {name: exact(score) for name, score in comparison.scores.items()}
    classes = [replace(c, recall=exact(c.recall)) for c in comparison.classes]
    return replace(comparison, scores=scores, classes=classes)
