"""Running a classifier over annotated faces, each exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.metrics import confusion_matrix
from emotion.faces.pixels import read_crops
from emotion.faces.samples import FaceSample
from emotion.inference.classifiers import Classifier
from emotion.terminal import tracked

BATCH = 32  # crops at a time; more is not faster on a CPU


@dataclass(frozen=True)
class Results:
    """What a classifier answered.

    Attributes:
        samples: the annotated faces, n of them.
        probabilities: n x classes, float32, in that order.
        labels: class names.
    """

    samples: Sequence[FaceSample]
    probabilities: NDArray[np.float32]
    labels: tuple[str, ...]

    @property
    def targets(self) -> NDArray[np.int64]:
        """True class indices, n, int64."""
        return np.array([sample.target for sample in self.samples], dtype=np.int64)

    @property
    def answers(self) -> NDArray[np.int64]:
        """Answered class indices, n, int64."""
        answers: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return answers

    def table(self) -> NDArray[np.int64]:
        """Gives the confusion matrix, classes x classes: truth by answer."""
        return confusion_matrix(self.targets, self.answers, len(self.labels))

    def tables_by_photo(self) -> NDArray[np.int64]:
        """Gives one confusion matrix for each photo: photos x classes x classes."""
        targets, answers, classes = self.targets, self.answers, len(self.labels)
        order = range(len(self.samples))
        groups = [list(g) for _, g in groupby(order, key=lambda i: self.samples[i].image)]
        return np.stack([confusion_matrix(targets[g], answers[g], classes) for g in groups])


def measure(samples: Sequence[FaceSample], classifier: Classifier) -> Results:
    """Asks a classifier about every sample, with its own crop and preprocessing.

    Args:
        samples: the faces, those of one photo together.
        classifier: brings its input settings along.

    Raises:
        DataError: a picture cannot be read, or a box lies outside.
    """
    spec = classifier.input
    rows: list[NDArray[np.float32]] = []
    waiting: list[NDArray[np.uint8]] = []
    crops_by_photo = read_crops(samples, spec, [spec.size])
    photos = len({sample.image for sample in samples})
    for (crops,) in tracked(crops_by_photo, "evaluating", photos):
        waiting.extend(crops)
        if len(waiting) >= BATCH:
            rows.append(classifier.probabilities(np.stack(waiting)))
            waiting = []
    if waiting:
        rows.append(classifier.probabilities(np.stack(waiting)))
    probabilities = np.concatenate(rows)
    assert len(probabilities) == len(samples), "every sample is counted exactly once"
    return Results(samples, probabilities, spec.labels)
