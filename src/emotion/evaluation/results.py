"""Running a classifier over annotated faces, each exactly once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.metrics import confusion_matrix
from emotion.faces.pixels import read_crops
from emotion.faces.samples import FaceSample
from emotion.inference.classifiers import Classifier
from emotion.terminal import tracked

BATCH = 16  # crops at a time; more is slower on a CPU


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


class Asking:
    """Asks a classifier about crops as they come, a batch at a time; memory does not grow.

    Args:
        classifier: the one that is asked.
        watch: sees each batch of crops before the classifier does, if given.
    """

    def __init__(
        self, classifier: Classifier, watch: Callable[[NDArray[np.uint8]], None] | None = None
    ) -> None:
        self.classifier, self.watch = classifier, watch
        self.rows: list[NDArray[np.float32]] = []
        self._waiting: list[NDArray[np.uint8]] = []

    def add(self, crops: Iterable[NDArray[np.uint8]]) -> None:
        """Takes crops, each size x size x 3, uint8, RGB."""
        self._waiting.extend(crops)
        while len(self._waiting) >= BATCH:
            self._ask(self._waiting[:BATCH])
            del self._waiting[:BATCH]

    def finish(self) -> NDArray[np.float32]:
        """Gives the probabilities of all crops, in their order: n x classes."""
        if self._waiting:
            self._ask(self._waiting)
            self._waiting = []
        classes = len(self.classifier.input.labels)
        return np.concatenate(self.rows) if self.rows else np.zeros((0, classes), np.float32)

    def _ask(self, crops: list[NDArray[np.uint8]]) -> None:
        batch = np.stack(crops)
        if self.watch is not None:
            self.watch(batch)
        self.rows.append(self.classifier.probabilities(batch))


def measure(samples: Sequence[FaceSample], classifier: Classifier) -> Results:
    """Asks a classifier about every sample, with its own crop and preprocessing.

    Args:
        samples: the faces, those of one photo together.
        classifier: brings its input settings along.

    Raises:
        DataError: a picture cannot be read, or a box lies outside.
    """
    spec = classifier.input
    asking = Asking(classifier)
    crops_by_photo = read_crops(samples, spec, [spec.size])
    photos = len({sample.image for sample in samples})
    for (crops,) in tracked(crops_by_photo, "evaluating", photos):
        asking.add(crops)
    probabilities = asking.finish()
    assert len(probabilities) == len(samples), "every sample is counted exactly once"
    return Results(samples, probabilities, spec.labels)
