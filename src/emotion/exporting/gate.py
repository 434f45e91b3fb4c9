"""The gate: an exported file against its checkpoint, on faces that were kept from training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.errors import EmotionError, summarise
from emotion.evaluation.comparison.paired import Difference, PairedTables
from emotion.evaluation.intervals import Units
from emotion.evaluation.metrics import accuracy
from emotion.evaluation.results import Results
from emotion.exporting.timing import Latency
from emotion.faces.samples import FaceSample

MOST_DIFFERENCE = 1e-4  # of a probability, between a checkpoint and a float file of it
MOST_LOSS = 0.01  # of accuracy, by a file of 8 or 16 bits


class GateError(EmotionError):
    """A file that gives other answers than its checkpoint; it is not kept."""


class NotWorthItError(EmotionError):
    """A file that answers well enough, but is no gain; it is not kept."""


@dataclass(frozen=True)
class Weight:
    """What a model costs.

    Attributes:
        megabytes: size of the file, in millions of bytes.
        latency: how long answers take.
        memory: MiB that it adds to a process; None where the system does not tell.
    """

    megabytes: float
    latency: Latency
    memory: float | None


@dataclass(frozen=True)
class Agreement:
    """Answers of a checkpoint and of a file to the same faces.

    Attributes:
        samples: the faces, n of them.
        before: probabilities of the checkpoint, n x classes, float32.
        after: those of the file, likewise.
        labels: class names.
        accuracy: of the checkpoint and of the file, with the interval of the difference.
        unit: what was drawn anew for the interval: "photo" or "person".
        units: how many there are.
    """

    samples: Sequence[FaceSample]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    labels: tuple[str, ...]
    accuracy: Difference
    unit: str
    units: int

    @classmethod
    def between(cls, before: Results, after: Results, units: Units) -> "Agreement":
        """Compares what two models answered about the same faces."""
        answers = (before.answers, after.answers)
        tables = PairedTables(before.targets, answers, len(before.labels), units)
        return cls(
            before.samples,
            before.probabilities,
            after.probabilities,
            before.labels,
            tables.difference(accuracy),
            units.noun,
            tables.units,
        )

    @property
    def largest(self) -> float:
        """Largest difference of a probability."""
        return float(np.abs(self.before - self.after).max())

    @property
    def changed(self) -> NDArray[np.int64]:
        """Places of the faces with another answer, the most different probabilities first."""
        other = np.flatnonzero(self.before.argmax(axis=1) != self.after.argmax(axis=1))
        return self._most_different(other)

    def changes(self) -> list[str]:
        """Tells of each face with another answer: file, number of the face, before and after.

        Where all answers are the same, of each whose probabilities differ too much.
        """
        apart = np.abs(self.before - self.after).max(axis=1)
        faces = self.changed
        if not len(faces):
            faces = self._most_different(np.flatnonzero(apart > MOST_DIFFERENCE))
        return [
            f"{self.samples[i].image}, face {self.samples[i].number}:"
            f" {self._answer(self.before[i])} -> {self._answer(self.after[i])}"
            for i in faces
        ]

    def _most_different(self, faces: NDArray[np.int64]) -> NDArray[np.int64]:
        apart = np.abs(self.before - self.after).max(axis=1)
        return faces[np.argsort(-apart[faces], kind="stable")]

    def _answer(self, row: NDArray[np.float32]) -> str:
        best = int(row.argmax())
        return f"{self.labels[best]} {row[best]:.4f}"


def require_same(agreement: Agreement, what: str) -> None:
    """Checks a float file.

    Args:
        agreement: with its checkpoint.
        what: the file, for the error.

    Raises:
        GateError: a probability differs by more than 1e-4; names the faces.
    """
    # Written so that a difference that is no number fails too.
    if not agreement.largest <= MOST_DIFFERENCE:
        raise GateError(
            f"{what}: not kept: a probability differs by {agreement.largest:.2g} from the"
            f" checkpoint's, at most {MOST_DIFFERENCE:g} is let through;"
            f" {len(agreement.changed)} of {len(agreement.samples)} answers changed\n"
            + summarise(agreement.changes())
        )


def require_little_loss(agreement: Agreement, what: str, most: float = MOST_LOSS) -> None:
    """Checks the answers of a file of 8 or 16 bits.

    Args:
        agreement: with its checkpoint.
        what: the file, for the error.
        most: accuracy that may be lost, 0.01 for one answer of 100.

    Raises:
        GateError: more is lost; names the faces with another answer.
    """
    loss = -agreement.accuracy.value
    if loss > most + 1e-9:  # so that one face of a hundred is no more than 0.01
        raise GateError(
            f"{what}: not kept: accuracy falls by {loss:.4f}, from {agreement.accuracy.a:.4f} to"
            f" {agreement.accuracy.b:.4f}, at most {most:g} is let through (--most-loss);"
            f" {len(agreement.changed)} of {len(agreement.samples)} answers changed\n"
            + summarise(agreement.changes())
        )


def require_gain(small: Weight, float_file: Weight, what: str) -> None:
    """Checks that a file of 8 bits is smaller than the float one, and not slower.

    Args:
        small: of the file of 8 bits.
        float_file: of the float ONNX file, measured beside it.
        what: the file, for the error.

    Raises:
        NotWorthItError: it is no gain here.
    """
    reasons = []
    if small.megabytes >= float_file.megabytes:
        reasons.append(
            f"it has {small.megabytes:.1f} MB and the float file {float_file.megabytes:.1f}"
        )
    pairs = (
        ("one face takes", small.latency.one, float_file.latency.one),
        ("16 faces take", small.latency.sixteen, float_file.latency.sixteen),
    )
    reasons += [
        f"{what_takes} {slow:.1f} ms and {fast:.1f} with the float file"
        for what_takes, slow, fast in pairs
        if slow > fast
    ]
    if reasons:
        raise NotWorthItError(f"{what}: not kept, since it is not worth it: {'; '.join(reasons)}")


def table(agreement: Agreement, weights: dict[str, Weight]) -> str:
    """Gives what the gate found, for a terminal.

    Args:
        agreement: of the checkpoint and the file.
        weights: name -> what it costs, the checkpoint and the file among them.
    """
    gap = agreement.accuracy
    interval = "" if gap.low is None else f" [{gap.low:+.4f}, {gap.high:+.4f}]"
    same = len(agreement.samples) - len(agreement.changed)
    photos = len({sample.image for sample in agreement.samples})
    lines = [
        f"on {len(agreement.samples)} faces in {photos} photos:",
        f"  largest difference of a probability  {agreement.largest:.2g}",
        f"  same answers                         {same} of {len(agreement.samples)}"
        f" ({same / len(agreement.samples):.1%})",
        f"  accuracy                             {gap.a:.4f} -> {gap.b:.4f}, difference"
        f" {gap.value:+.4f}{interval} (95 %, {agreement.units} {agreement.unit}s drawn anew)",
        "",
        f"  {'':12} {'MB':>7} {'ms, 1 face':>11} {'ms, 16 faces':>13} {'MiB added':>10}",
    ]
    for name, weight in weights.items():
        memory = "?" if weight.memory is None else f"{weight.memory:.0f}"
        lines.append(
            f"  {name:12} {weight.megabytes:7.2f} {weight.latency.one:11.1f}"
            f" {weight.latency.sixteen:13.1f} {memory:>10}"
        )
    return "\n".join(lines)


def weigh(path: Path, latency: Latency, memory: float | None) -> Weight:
    """Gives what a model costs."""
    return Weight(path.stat().st_size / 1e6, latency, memory)
