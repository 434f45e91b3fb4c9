"""How fast two classifiers answer, asked in turns so that a busy machine is fair to both."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.inference.classifiers import Classifier

BATCHES = (1, 16)  # faces at a time
SECONDS = 1.5  # spent on each classifier and batch, or longer for the least rounds
LEAST, MOST = 7, 200  # rounds


@dataclass(frozen=True)
class Latency:
    """Median milliseconds for one face, and for 16 at once."""

    one: float
    sixteen: float

    def __str__(self) -> str:
        return f"{self.one:.1f} and {self.sixteen:.1f} ms"


def time_classifiers(
    classifiers: Mapping[str, Classifier], crops: NDArray[np.uint8]
) -> dict[str, Latency]:
    """Measures how long answers take.

    Args:
        classifiers: name -> classifier.
        crops: n x size x size x 3, uint8, RGB; n is at least 1.
    """
    medians = [_medians(classifiers, _batch(crops, size)) for size in BATCHES]
    return {name: Latency(*(median[name] for median in medians)) for name in classifiers}


def _batch(crops: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(crops[np.arange(size) % len(crops)])


def _medians(classifiers: Mapping[str, Classifier], batch: NDArray[np.uint8]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in classifiers}
    for classifier in classifiers.values():
        classifier.probabilities(batch)  # the first time is slower
    end = time.perf_counter() + SECONDS * len(classifiers)
    rounds = 0
    while rounds < LEAST or (rounds < MOST and time.perf_counter() < end):
        for name, classifier in classifiers.items():
            times[name].append(_seconds(classifier, batch))
        rounds += 1
    return {name: 1000 * _median(taken) for name, taken in times.items()}


def _seconds(classifier: Classifier, batch: NDArray[np.uint8]) -> float:
    start = time.perf_counter()
    classifier.probabilities(batch)
    return time.perf_counter() - start


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
