"""What blur, noise, darkness and the like cost: every face again, corrupted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion.data.corruptions import CORRUPTIONS
from emotion.evaluation.intervals import Interval, Units, draw
from emotion.evaluation.metrics import divide
from emotion.evaluation.results import Results
from emotion.figures.robustness import Line, draw_robustness
from emotion.inference.classifiers import Classifier

# From a crop (size x size x 3, uint8, RGB), a name, a strength from 1 and the face's index to one.
Corrupt = Callable[[NDArray[np.uint8], str, int, int], NDArray[np.uint8]]


@dataclass(frozen=True)
class Corrupted:
    """The same faces, corrupted in one way.

    Attributes:
        strength: from 1.
        setting: what it means, in words.
        accuracy: share of right answers.
        change: accuracy less that of the clean faces, face by face; below 0 where it costs some.
    """

    strength: int
    setting: str
    accuracy: Interval
    change: Interval


@dataclass(frozen=True)
class RobustnessResult:
    """What corruption does to the answers.

    Attributes:
        faces: how many there are.
        units: photos or persons that they are of.
        unit: what these are: "photo" or "person".
        clean: accuracy without corruption.
        guess: accuracy of always answering the most frequent class.
        corruptions: by name, each with rising strength.
    """

    faces: int
    units: int
    unit: str
    clean: Interval
    guess: float
    corruptions: dict[str, tuple[Corrupted, ...]]

    @property
    def worst(self) -> str:
        """The corruption with the lowest accuracy at its greatest strength."""
        ends = {name: levels[-1].accuracy.value for name, levels in self.corruptions.items()}
        return min(ends, key=lambda name: ends[name])

    @property
    def harmless(self) -> tuple[str, ...]:
        """Corruptions that at no strength clearly cost anything."""
        return tuple(
            name
            for name, levels in self.corruptions.items()
            if all(level.change.high >= 0 for level in levels)
        )

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `metrics.json`."""
        return asdict(self)


class Robustness:
    """Asks a classifier about corrupted crops; of each face a number a corruption is kept.

    Args:
        classifier: the one that is asked.
        corrupt: makes the corrupted crops.
        settings: names of the corruptions, and each one's strengths in words.
    """

    def __init__(
        self,
        classifier: Classifier,
        corrupt: Corrupt,
        settings: Mapping[str, Sequence[str]] = CORRUPTIONS,
    ) -> None:
        self.classifier, self.corrupt, self.settings = classifier, corrupt, settings
        self._answers: dict[tuple[str, int], list[NDArray[np.int16]]] = {
            (name, strength): []
            for name, texts in settings.items()
            for strength in range(1, len(texts) + 1)
        }
        self._faces = 0

    def watch(self, crops: NDArray[np.uint8]) -> None:
        """Takes the next faces, in the order of the samples.

        Args:
            crops: B x size x size x 3, uint8, RGB, as the classifier is asked about them.
        """
        for (name, strength), answers in self._answers.items():
            changed = [
                self.corrupt(crop, name, strength, self._faces + i) for i, crop in enumerate(crops)
            ]
            shares = self.classifier.probabilities(np.stack(changed))
            answers.append(shares.argmax(axis=1).astype(np.int16))
        self._faces += len(crops)

    def result(self, results: Results, units: Units) -> RobustnessResult:
        """Gives what was found out.

        Args:
            results: the answers on the clean crops of the same faces, one or more.
            units: what intervals draw anew.
        """
        targets = results.targets
        assert self._faces == len(targets) > 0, "every face is corrupted exactly once"
        clean = results.answers == targets
        found = {name: self._measure(name, clean, targets, units) for name in self.settings}
        accuracy = _accuracy_and_change(clean, clean, units)[0]
        return RobustnessResult(
            faces=len(targets),
            units=len(np.unique(units.of_face)),
            unit=units.noun,
            clean=accuracy,
            guess=float(np.bincount(targets).max() / len(targets)),
            corruptions=found,
        )

    def _measure(
        self, name: str, clean: NDArray[np.bool_], targets: NDArray[np.int64], units: Units
    ) -> tuple[Corrupted, ...]:
        levels = []
        for strength, setting in enumerate(self.settings[name], 1):
            right = np.concatenate(self._answers[name, strength]) == targets
            levels.append(Corrupted(strength, setting, *_accuracy_and_change(right, clean, units)))
        return tuple(levels)


def _accuracy_and_change(
    right: NDArray[np.bool_], clean: NDArray[np.bool_], units: Units
) -> tuple[Interval, Interval]:
    """Gives the share of right answers, and how it differs from that on the clean crops."""
    counts = np.column_stack([np.ones(len(right)), right, clean])
    present = np.unique(units.of_face)
    drawn = draw(units.sums(counts)[present], units.strata[present])
    accuracy = drawn.interval(lambda sums: divide(sums[..., 1], sums[..., 0]))
    change = drawn.interval(
        lambda sums: divide(sums[..., 1] - sums[..., 2], sums[..., 0]), signed=True
    )
    assert accuracy is not None, "there is a face"
    assert change is not None, "there is a face"
    return accuracy, change


def robustness_figure(result: RobustnessResult) -> Figure:
    """Draws accuracy by strength."""
    lines = [
        Line(name, [level.accuracy.value for level in levels])
        for name, levels in result.corruptions.items()
    ]
    return draw_robustness(lines, result.clean.value, result.guess)


@dataclass(frozen=True)
class RobustnessPart:
    """What `report_robustness.html` shows.

    Attributes:
        result: the figures.
        picture: accuracy by strength, as a `data:` address.
    """

    result: RobustnessResult
    picture: str
