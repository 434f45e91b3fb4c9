"""The files that a comparison leaves: numbers, answers and a picture (the page is elsewhere).

`comparison.json` holds:

- `format`: 1, raised when a reader of this one would misread the next.
- `emotion`: the version that wrote it.
- `verdict`: one sentence.
- `a`, `b`: `checkpoint`, `sha256`, `epoch`, and `warnings` on what it knew of these faces.
- `data`: `name`, `folder`, and `notes` on how it was chosen.
- `labels`: class names.
- `faces`, `units`, `unit`, `resamples`, `level`, `scores`, `classes`, `mcnemar`, `same_answers`,
  `identical`: see `emotion.evaluation.comparison.Comparison`. A score has `a`, `b` and `difference`
  (B - A: `value`, `low`, `high`); `mcnemar` has `both`, `only_a`, `only_b`, `neither` and `p`.

`comparison.csv` has one row a face: its picture, box (first and last pixels), truth, and of A and
of B the answer and the probability given to it.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion import __version__
from emotion.evaluation.comparison.comparison import OF_TABLES, Comparison
from emotion.evaluation.comparison.paired import Difference
from emotion.evaluation.intervals import LEVEL
from emotion.faces.samples import FaceSample
from emotion.figures.canvas import save_figure
from emotion.figures.differences import Gap, draw_differences
from emotion.files import write_json, write_text
from emotion.pages.texts import readable

FORMAT = 1
SHOWN = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log loss",
    "brier": "Brier score",
}
NAME = 18  # characters of a class in the picture


@dataclass(frozen=True)
class Side:
    """One of the two checkpoints.

    Attributes:
        checkpoint: its path.
        sha256: of the file.
        epoch: at whose end it was written, from 1.
        warnings: why its answers on these faces say too much, such as that it was trained on some.
    """

    checkpoint: str
    sha256: str
    epoch: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComparisonReport:
    """A comparison and what it was made of.

    Attributes:
        a: the first checkpoint.
        b: the second.
        data: short name of the photos.
        folder: where they are.
        notes: what is to be known of how they were chosen.
        samples: the faces, n.
        labels: class names.
        probabilities: of A and of B, n x classes each, float32, in the order of the labels.
        comparison: the numbers.
        verdict: the sentence.
    """

    a: Side
    b: Side
    data: str
    folder: str
    notes: tuple[str, ...]
    samples: Sequence[FaceSample]
    labels: tuple[str, ...]
    probabilities: tuple[NDArray[np.float32], NDArray[np.float32]]
    comparison: Comparison
    verdict: str

    @property
    def photos(self) -> int:
        """Number of photos that the faces are on."""
        return len({sample.image for sample in self.samples})

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """The warnings, each with "A" or "B"."""
        sides = {"A": self.a, "B": self.b}
        return [(name, text) for name, side in sides.items() for text in side.warnings]

    def to_dict(self) -> dict[str, Any]:
        """Gives the content of `comparison.json`."""
        return {
            "format": FORMAT,
            "emotion": __version__,
            "verdict": self.verdict,
            "a": asdict(self.a),
            "b": asdict(self.b),
            "data": {"name": self.data, "folder": self.folder, "notes": list(self.notes)},
            "labels": list(self.labels),
            **self.comparison.to_dict(),
        }

    def text(self) -> str:
        """Gives the comparison for a terminal."""
        pairs = self.comparison.pairs
        lines = [
            f"A: {self.a.checkpoint} (epoch {self.a.epoch})",
            f"B: {self.b.checkpoint} (epoch {self.b.epoch})",
            "",
            self.verdict,
            *(f"warning, {name}: {text}" for name, text in self.warnings),
            *(f"note: {note}" for note in self.notes),
            "",
            f"{'':18} {'A':>7} {'B':>7} {'B - A':>8}   {100 * LEVEL:.0f} % interval",
            *(_line(name, score) for name, score in self.comparison.scores.items()),
            "",
            f"right: both {pairs.both}, only A {pairs.only_a}, only B {pairs.only_b}, neither"
            f" {pairs.neither}; McNemar's exact p = {pairs.p:.3g}",
            "log loss and Brier score: less is better",
        ]
        return "\n".join(lines) + "\n"


def _line(name: str, score: Difference) -> str:
    ends = "none: one photo or person says nothing of others"
    if score.low is not None and score.high is not None:
        ends = f"[{score.low:+.3f}, {score.high:+.3f}]"
    numbers = f"{score.a:7.3f} {score.b:7.3f} {score.value:+8.3f}   {ends}"
    return f"{SHOWN[name]:18} {numbers}"


def write_comparison(report: ComparisonReport, folder: Path) -> None:
    """Writes `comparison.json`, `comparison.csv` and `comparison.png`.

    Raises:
        EmotionError: a file cannot be written.
    """
    write_json(folder / "comparison.json", report.to_dict())
    write_text(folder / "comparison.csv", _answers_csv(report))
    save_figure(draw_comparison(report.comparison), folder / "comparison.png")


def draw_comparison(comparison: Comparison) -> Figure:
    """Draws the differences of accuracy, balanced accuracy, macro-F1 and each class's recall."""
    gaps = [_gap(SHOWN[name], comparison.scores[name]) for name in OF_TABLES]
    gaps += [_gap(f"recall, {readable(c.label, NAME)}", c.recall) for c in comparison.classes]
    return draw_differences(gaps, "← A better     B − A in points     B better →")


def _gap(name: str, score: Difference) -> Gap:
    assert score.low is not None
    assert score.high is not None
    return Gap(name, 100 * score.value, 100 * score.low, 100 * score.high)


def _answers_csv(report: ComparisonReport) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ("a_answer", "a_probability", "b_answer", "b_probability")
    writer.writerow(["file", "xmin", "ymin", "xmax", "ymax", "truth", *columns])
    for sample, a, b in zip(report.samples, *report.probabilities, strict=True):
        box, truth = sample.box.to_inclusive(), report.labels[sample.target]
        answers = (*_answer(a, report.labels), *_answer(b, report.labels))
        writer.writerow([sample.image.name, *box, truth, *answers])
    return text.getvalue()


def _answer(probabilities: NDArray[np.float32], labels: Sequence[str]) -> tuple[str, str]:
    best = int(probabilities.argmax())
    return labels[best], f"{probabilities[best]:.6f}"
