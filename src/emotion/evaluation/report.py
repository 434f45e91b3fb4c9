"""The files that an evaluation leaves: numbers, predictions, pictures and a text."""

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotion.evaluation.intervals import LEVEL, RESAMPLES, Interval, interval, resample_tables
from emotion.evaluation.metrics import (
    ClassScores,
    accuracy,
    balanced_accuracy,
    class_scores,
    macro_f1,
)
from emotion.evaluation.results import Results
from emotion.figures.canvas import save_figure
from emotion.figures.confusion import draw_confusion
from emotion.figures.tables import draw_table
from emotion.files import write_json, write_text

SCORES = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "macro_f1": macro_f1}
COLUMNS = ("class", "faces", "precision", "recall", "F1")


@dataclass(frozen=True)
class Report:
    """The scores of an evaluation.

    Attributes:
        scores: accuracy, balanced accuracy and macro-F1, each with its interval.
        classes: the scores of each class.
        faces: number of faces.
        photos: number of photos.
        constant: accuracy of always answering the most frequent class.
    """

    scores: dict[str, Interval]
    classes: list[ClassScores]
    faces: int
    photos: int
    constant: float

    def rows(self) -> list[tuple[str, ...]]:
        """Gives the table by class as text, a row a class."""
        return [
            (c.label, str(c.faces), _text(c.precision), _text(c.recall), _text(c.f1))
            for c in self.classes
        ]

    def text(self) -> str:
        """Gives the report for a terminal."""
        lines = [f"{self.faces} faces in {self.photos} photos, each counted once", ""]
        lines += [f"{name.replace('_', ' '):18} {score}" for name, score in self.scores.items()]
        lines += [f"{'best constant guess':18} {self.constant:.3f}", ""]
        lines += [
            f"{a:12} {b:>6} {c:>10} {d:>8} {e:>8}" for a, b, c, d, e in (COLUMNS, *self.rows())
        ]
        lines += ["", f"[low, high]: {LEVEL:.0%} interval, {RESAMPLES:,} resamples of the photos"]
        return "\n".join(lines) + "\n"


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def make_report(results: Results) -> Report:
    """Computes the scores of an evaluation."""
    table, by_photo = results.table(), results.tables_by_photo()
    drawn = resample_tables(by_photo)
    return Report(
        scores={name: interval(score, table, drawn) for name, score in SCORES.items()},
        classes=class_scores(table, results.labels),
        faces=len(results.samples),
        photos=len(by_photo),
        constant=float(table.sum(axis=1).max() / table.sum()),
    )


def write_report(report: Report, results: Results, folder: Path, about: dict[str, Any]) -> None:
    """Writes `metrics.json`, `predictions.csv`, `report.txt`, `confusion.png`, `classes.png`.

    Args:
        report: the scores.
        results: what was answered.
        folder: made where it is not there.
        about: what was evaluated on what, for `metrics.json`.
    """
    table = results.table()
    scores = {name: asdict(score) for name, score in report.scores.items()}
    content = about | {
        "faces": report.faces,
        "photos": report.photos,
        "scores": scores,
        "interval": {
            "level": LEVEL,
            "method": "percentile bootstrap over photos",
            "resamples": RESAMPLES,
        },
        "best_constant_guess": report.constant,
        "classes": [asdict(c) for c in report.classes],
        "labels": list(results.labels),
        "confusion": table.tolist(),
    }
    write_json(folder / "metrics.json", content)
    write_text(folder / "predictions.csv", predictions_csv(results))
    write_text(folder / "report.txt", report.text())
    title = f"accuracy {report.scores['accuracy']} on {report.faces} faces"
    save_figure(draw_confusion(table, results.labels, title), folder / "confusion.png")
    save_figure(draw_table(COLUMNS, report.rows(), title), folder / "classes.png")


def predictions_csv(results: Results) -> str:
    """Gives one row a face: file, box (first and last pixels), truth, prediction, probabilities."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    box = ("xmin", "ymin", "xmax", "ymax")
    writer.writerow(["file", *box, "truth", "prediction", *results.labels])
    rows = zip(results.samples, results.answers, results.probabilities, strict=True)
    for sample, answer, probabilities in rows:
        names = (results.labels[sample.target], results.labels[int(answer)])
        shares = [f"{value:.6f}" for value in np.asarray(probabilities)]
        writer.writerow([sample.image.name, *sample.box.to_inclusive(), *names, *shares])
    return text.getvalue()
