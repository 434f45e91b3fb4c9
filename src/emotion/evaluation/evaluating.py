"""One evaluation: from a checkpoint's classifier and annotated photos to a report."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.calibration.calibration import make_calibration
from emotion.evaluation.end_to_end import EndToEnd, score_end_to_end
from emotion.evaluation.gallery.choice import FalseFind, choose
from emotion.evaluation.gallery.gallery import Explain, Gallery, make_gallery
from emotion.evaluation.intervals import Units
from emotion.evaluation.learning.files import read_learning
from emotion.evaluation.looks import note_look
from emotion.evaluation.matching import LEAST_IOU
from emotion.evaluation.observation import Find, Observation, observe
from emotion.evaluation.provenance import describe
from emotion.evaluation.report import Report, write_report
from emotion.evaluation.results import Results, measure
from emotion.evaluation.scores import score
from emotion.evaluation.slices.columns import read_columns
from emotion.evaluation.slices.robustness import Corrupt, Robustness
from emotion.evaluation.slices.slices import Slicing, make_slices
from emotion.evaluation.subjects import Part, ReadingOptions, Subject, read_subject
from emotion.evaluation.suspects.files import clear_suspects, write_suspects
from emotion.evaluation.suspects.folds import CrossValidated
from emotion.faces.detectors import Detector, DlibDetector
from emotion.inference.checkpoint_files import run_folder
from emotion.inference.classifiers import Classifier


@dataclass(frozen=True)
class Evaluated:
    """The checkpoint that is evaluated.

    Attributes:
        path: the file.
        epoch: at whose end it was written, from 1.
        temperature: what its logits are divided by.
        classifier: made from it.
    """

    path: Path
    epoch: int
    temperature: float
    classifier: Classifier


@dataclass(frozen=True)
class Options:
    """What is evaluated, and what is looked at beside the scores.

    Attributes:
        data: annotated photos; None for the run's own test part.
        part: of the run's own data.
        reading: how annotations are read.
        upsamples: settings of the detector; none leaves it out.
        least_iou: overlap with an annotated box by which a find is that face.
        columns: a CSV file with more about each photo, to slice by.
        validation: choose thresholds on the run's validation photos.
        corrupt: corrupts crops; None leaves that out.
        explain: makes heat maps; None leaves them out.
        suspects: answers of a cross-validation, in which likely wrong labels are looked for.
        command: what was typed.
    """

    data: Path | None = None
    part: Part = "test"
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    upsamples: Sequence[int] = (0,)
    least_iou: float = LEAST_IOU
    columns: Path | None = None
    validation: bool = False
    corrupt: Corrupt | None = None
    explain: Explain | None = None
    suspects: CrossValidated | None = None
    command: Sequence[str] = ()


def evaluate(
    evaluated: Evaluated, options: Options, out: Path | None = None
) -> tuple[Report, list[Path]]:
    """Evaluates a checkpoint and writes its report.

    Args:
        evaluated: the checkpoint.
        options: what is looked at.
        out: folder of the report; None for one in the run folder, named after the data.

    Returns:
        The report, and its files.

    Raises:
        EmotionError: the data cannot be used, or a file cannot be written.
    """
    spec = evaluated.classifier.input
    subject = read_subject(evaluated.path, spec.labels, options.part, options.data, options.reading)
    print(subject.cleaned.describe(), end="", file=sys.stderr)
    columns = _columns(options.columns, subject)
    about = describe(subject, evaluated.path, evaluated.epoch, spec.labels, options.command)
    if subject.part == "val" and evaluated.temperature != 1:
        about.notes.append("The checkpoint's temperature was fitted on these very faces.")
    validation = _validation(evaluated, subject) if options.validation else None
    robustness = options.corrupt and Robustness(evaluated.classifier, options.corrupt)
    seen = observe(
        subject,
        evaluated.classifier,
        _detectors(options.upsamples),
        options.least_iou,
        watch=robustness.watch if robustness else None,
    )
    units, results = subject.units(), seen.results
    folder = out or run_folder(evaluated.path) / f"evaluation-{subject.name}"
    finds = next(iter(seen.finds.values()), None)
    if options.suspects is None:
        clear_suspects(folder)
    report = Report(
        title=subject.name,
        labels=spec.labels,
        about=about,
        scores=score(results, units),
        end_to_end=_end_to_end(subject, seen, units, options.least_iou),
        calibration=make_calibration(
            results.probabilities, results.targets, units, validation, evaluated.temperature
        ),
        slices=_slices(subject, seen, columns, units),
        robustness=robustness.result(results, units) if robustness else None,
        gallery=_gallery(subject, results, finds, evaluated.classifier, options.explain),
        suspects=write_suspects(options.suspects, folder) if options.suspects else None,
        learning=read_learning(run_folder(evaluated.path), evaluated.epoch),
    )
    files = write_report(report, results, finds or (), subject.folder, folder)
    note_look(about.look(), evaluated.path)
    return report, files


def _detectors(upsamples: Sequence[int]) -> dict[str, Detector]:
    words = ("no upsampling", "photos doubled", "photos doubled twice", "photos doubled thrice")
    return {f"dlib, {words[n]}": DlibDetector(n) for n in dict.fromkeys(upsamples)}


def _columns(path: Path | None, subject: Subject) -> dict[str, list[str]]:
    if path is None:
        return {}
    names = [photo.image.relative_to(subject.root).as_posix() for photo in subject.photos]
    return read_columns(path, names)


def _validation(
    evaluated: Evaluated, subject: Subject
) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
    """Measures the run's validation photos, unless it is those that are evaluated."""
    if subject.part == "val":
        return None
    spec = evaluated.classifier.input
    validation = read_subject(evaluated.path, spec.labels, "val")
    results = measure(validation.samples, evaluated.classifier)
    return results.probabilities, results.targets


def _end_to_end(
    subject: Subject, seen: Observation, units: Units, least_iou: float
) -> list[EndToEnd]:
    return [
        score_end_to_end(
            subject, seen.results, finds, units, name, least_iou, seen.failures.get(name, 0)
        )
        for name, finds in seen.finds.items()
    ]


def _slices(
    subject: Subject, seen: Observation, columns: Mapping[str, Sequence[str]], units: Units
) -> list[Slicing]:
    """Slices by what faces look like, by the detector's view, and by the user's columns."""
    views: list[str | None] = [None] * len(subject.samples)
    for find in next(iter(seen.finds.values()), []):
        if find.face is not None:
            views[find.face] = find.detection.view
    photos = {photo.image: i for i, photo in enumerate(subject.photos)}
    places = [photos[sample.image] for sample in subject.samples]
    by_face = {name: [cells[i] for i in places] for name, cells in columns.items()}
    right = seen.results.answers == seen.results.targets
    return make_slices(seen.qualities, views if seen.finds else None, by_face, right, units)


def _gallery(
    subject: Subject,
    results: Results,
    finds: Sequence[Find] | None,
    classifier: Classifier,
    explain: Explain | None,
) -> Gallery:
    missed: list[int] | None = None
    false: list[FalseFind] | None = None
    if finds is not None:
        found = {find.face for find in finds}
        missed = [i for i in range(len(results.samples)) if i not in found]
        false = [
            FalseFind(find.image, find.detection.box, find.detection.score, find.probabilities)
            for find in finds
            if find.is_false
        ]
    choice = choose(results.samples, results.probabilities, missed, false)
    return make_gallery(choice, classifier.input, subject.folder, explain)
