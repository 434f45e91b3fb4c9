"""The report of an evaluation: its parts, and the files that it leaves."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from emotion.evaluation.calibration.calibration import Calibration
from emotion.evaluation.calibration.part import (
    CalibrationPart,
    reliability_figure,
    risk_coverage_figure,
)
from emotion.evaluation.end_to_end import EndToEnd
from emotion.evaluation.gallery.gallery import Gallery
from emotion.evaluation.intervals import LEVEL, Interval
from emotion.evaluation.learning.learning import Learning
from emotion.evaluation.learning.part import LearningPart, describe_learning, learning_figure
from emotion.evaluation.observation import Find
from emotion.evaluation.provenance import Provenance
from emotion.evaluation.results import Results
from emotion.evaluation.scores import Scores
from emotion.evaluation.slices.robustness import (
    RobustnessPart,
    RobustnessResult,
    robustness_figure,
)
from emotion.evaluation.slices.slices import Slicing
from emotion.evaluation.suspects.files import SuspectsPart
from emotion.figures.canvas import to_png
from emotion.figures.confusion import draw_confusion
from emotion.files import harmless_cell, write_bytes, write_json, write_text
from emotion.pages.rendering import write_page
from emotion.pages.thumbnails import file_uri

FORMAT = 1  # of metrics.json; raised when a key changes its meaning or goes, see docs/metrics.md
OPTIONAL = ("robustness.png", "learning.png")
COLUMNS = ("class", "faces", "precision", "recall", "F1")


@dataclass(frozen=True)
class Report:
    """All that an evaluation found out; parts that were not asked for are None or empty.

    Attributes:
        title: short name of what was evaluated on.
        labels: class names.
        about: what was evaluated on what.
        scores: how often the annotated faces are named rightly.
        end_to_end: the same from whole photos, for each setting of the detector.
        calibration: how far the probabilities can be trusted.
        slices: where it fails.
        robustness: what corruption does.
        gallery: good and bad results.
        suspects: labels that are likely wrong.
        learning: which epoch was chosen.
    """

    title: str
    labels: tuple[str, ...]
    about: Provenance
    scores: Scores
    end_to_end: list[EndToEnd]
    calibration: Calibration
    slices: list[Slicing]
    robustness: RobustnessResult | None
    gallery: Gallery
    suspects: SuspectsPart | None
    learning: Learning | None

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values: what `metrics.json` holds, see `docs/metrics.md`."""
        interval = {"level": LEVEL, "method": "stratified percentile bootstrap, expanded"}
        return {
            "format": FORMAT,
            "about": self.about.to_dict(),
            "labels": list(self.labels),
            "interval": interval,
            **self.scores.to_dict(),
            "end_to_end": [part.to_dict() for part in self.end_to_end],
            "calibration": self.calibration.to_dict(),
            "slices": [part.to_dict() for part in self.slices],
            "robustness": self.robustness and self.robustness.to_dict(),
            "gallery": self.gallery.to_dict(),
            "suspects": self.suspects and self.suspects.to_dict(),
            "learning": self.learning and self.learning.to_dict(),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Gives the table by class as text, a row a class."""
        return [
            (c.label, str(c.faces), _text(c.precision), _text(c.recall), _text(c.f1))
            for c in self.scores.classes
        ]

    def text(self) -> str:
        """Gives the report for a terminal."""
        scores = self.scores
        lines = [f"{scores.faces} faces in {scores.photos} photos, each counted once", ""]
        lines += [f"{name.replace('_', ' '):30} {score}" for name, score in scores.whole.items()]
        guess = f"{scores.constant.accuracy:.3f} (always {scores.constant.label})"
        lines += [f"{'best constant guess':30} {guess}", ""]
        for part in self.end_to_end:
            lines += [f"from the whole photo, by {part.detector}:"]
            lines += [
                f"  {name:28} {_text(value)}"
                for name, value in (
                    ("faces found", part.recall),
                    ("right on its boxes", part.detected),
                    ("right on annotated, same faces", part.annotated_found),
                    ("found and right", part.joint),
                )
            ]
            lines += [f"  {'false finds':28} {part.false_finds} in {part.photos} photos", ""]
        widths = (12, 6, 22, 22, 22)
        for row in (COLUMNS, *self.rows()):
            cells = [
                f"{cell:{'<' if not i else '>'}{width}}"
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append(" ".join(cells).rstrip())
        units = {"photo": "photos", "person": "persons"}[scores.unit]
        lines += ["", f"[low, high]: {LEVEL:.0%} interval, {scores.resamples:,} draws of {units}"]
        lines += [f"warning: {warning}" for warning in self.about.warnings]
        lines += [f"note: {note}" for note in self.about.notes]
        if looks := len(self.about.earlier_looks):
            lines.append(f"warning: these faces were looked at {looks} times before with this run")
        return "\n".join(lines) + "\n"


def _text(value: Interval | None) -> str:
    return "–" if value is None else str(value)


def write_report(
    report: Report, results: Results, finds: Sequence[Find], root: Path, folder: Path
) -> list[Path]:
    """Writes the page, `metrics.json`, `predictions.csv`, `report.txt` and the pictures.

    Args:
        report: the figures.
        results: the answers on the annotated boxes.
        finds: what the first detector found; may be empty.
        root: what names of photos are relative to.
        folder: made where it is not there.

    Returns:
        The files, the one to open first in front.

    Raises:
        EmotionError: a file cannot be written.
    """
    write_json(folder / "metrics.json", report.to_dict())
    write_text(folder / "predictions.csv", predictions_csv(results, finds, root))
    write_text(folder / "report.txt", report.text())
    for name in OPTIONAL:  # of an earlier evaluation
        (folder / name).unlink(missing_ok=True)
    pictures = {name: to_png(figure) for name, figure in _figures(report).items()}
    for name, content in pictures.items():
        write_bytes(folder / name, content)
    _write_page(report, folder / "report.html", pictures)
    names = ("report.html", "metrics.json", "predictions.csv", "report.txt")
    return [folder / name for name in (*names, *pictures)]


def _write_page(report: Report, path: Path, pictures: Mapping[str, bytes]) -> None:
    uris = {name: file_uri(content, "png") for name, content in pictures.items()}
    calibration = CalibrationPart(
        report.calibration, uris["reliability.png"], uris["risk_coverage.png"]
    )
    learning = report.learning and LearningPart(
        report.learning, describe_learning(report.learning), uris["learning.png"]
    )
    robustness = report.robustness and RobustnessPart(report.robustness, uris["robustness.png"])
    write_page(
        path,
        "report.html",
        report=report,
        calibration_part=calibration,
        learning_part=learning,
        robustness_part=robustness,
    )


def _figures(report: Report) -> dict[str, Figure]:
    title = f"accuracy {report.scores.whole['accuracy']} on {report.scores.faces} faces"
    figures = {
        "confusion.png": draw_confusion(report.scores.confusion, report.labels, title),
        "reliability.png": reliability_figure(report.calibration),
        "risk_coverage.png": risk_coverage_figure(report.calibration),
    }
    if report.robustness is not None:
        figures["robustness.png"] = robustness_figure(report.robustness)
    if report.learning is not None:
        figures["learning.png"] = learning_figure(report.learning)
    return figures


def predictions_csv(results: Results, finds: Sequence[Find], root: Path) -> str:
    """Gives one row a face: file, box (first and last pixels), truth, answer, probabilities.

    Then what became of it from the whole photo: its overlap with the find that it was, and the
    answer on that box; both are empty for a face that was not found, or not looked for.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    box = ("xmin", "ymin", "xmax", "ymax")
    after = ("found_iou", "found_prediction")
    writer.writerow(
        ["file", *box, "truth", "prediction", *map(harmless_cell, results.labels), *after]
    )
    found = {find.face: find for find in finds if find.face is not None}
    labels = [harmless_cell(label) for label in results.labels]
    answers = zip(results.samples, results.answers.tolist(), results.probabilities, strict=True)
    for i, (sample, answer, probabilities) in enumerate(answers):
        name = sample.image.relative_to(root) if sample.image.is_relative_to(root) else sample.image
        shares = [f"{value:.6f}" for value in probabilities.tolist()]
        there = ["", ""]
        if i in found:
            there = [f"{found[i].iou:.3f}", labels[int(found[i].probabilities.argmax())]]
        names = (labels[sample.target], labels[answer])
        corners = sample.box.to_inclusive()
        writer.writerow([harmless_cell(name.as_posix()), *corners, *names, *shares, *there])
    return text.getvalue()
