"""Answers about faces that were not learnt from: the runs of a cross-validation, put together."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.data.split_file import FrozenSplit, read_split
from emotion.errors import CheckpointError, DataError, summarise
from emotion.evaluation.results import Results, measure
from emotion.evaluation.subjects import SPLIT, read_subject
from emotion.faces.samples import FaceSample
from emotion.inference.checkpoint_files import find_checkpoint
from emotion.inference.classifiers import Classifier

EXAMPLE = "emotion train -m data.folds=5 data.fold=1,2,3,4,5"
HELD_OUT = ("train", "val")  # what folds divide; a test part belongs to none


@dataclass(frozen=True)
class CrossValidated:
    """What the runs of a cross-validation answered, each about the faces that it held out.

    Attributes:
        results: every face once, sorted by XML file and place in it.
        root: the data set.
        folds: number of runs.
    """

    results: Results
    root: Path
    folds: int


@dataclass(frozen=True)
class _Run:
    """One run: its folder, its split, the fold that it held out and the checkpoint it kept."""

    folder: Path
    split: FrozenSplit
    fold: int
    checkpoint: Path


def cross_validated(folder: Path, classifier_of: Callable[[Path], Classifier]) -> CrossValidated:
    """Lets each run of a sweep over folds answer about the faces that it held out.

    Args:
        folder: of the sweep; holds a run folder for each fold.
        classifier_of: makes a classifier from a checkpoint's path.

    Raises:
        DataError: the runs are not the folds of one data set, each once and finished; says which
            run and what was expected.
    """
    runs = _runs(folder)
    _check_folds(folder, runs)
    samples: list[FaceSample] = []
    rows: list[NDArray[np.float32]] = []
    labels: tuple[str, ...] = ()
    root = Path()
    for run in runs:
        classifier = classifier_of(run.checkpoint)
        labels = labels or classifier.input.labels
        _check_labels(run, labels, classifier.input.labels)
        subject = read_subject(run.checkpoint, labels, part="val")
        results = measure(subject.samples, classifier)
        samples += results.samples
        rows.append(results.probabilities)
        root = subject.folder
    _check_faces(folder, runs, samples)
    order = sorted(range(len(samples)), key=lambda i: (samples[i].annotation, samples[i].number))
    probabilities = np.concatenate(rows)[order]
    return CrossValidated(
        Results([samples[i] for i in order], probabilities, labels), root, len(runs)
    )


def _runs(folder: Path) -> list[_Run]:
    """Reads what the folder holds, sorted by fold."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected that of a sweep of folds: {EXAMPLE}")
    places = sorted(path for path in folder.iterdir() if (path / "config.yaml").is_file())
    if not places:
        raise DataError(
            f"{folder}: no run folder in it; expected one for each fold, as they are left by"
            f" {EXAMPLE}"
        )
    runs, problems = [], []
    for place in places:
        try:
            runs.append(_run(place))
        except (CheckpointError, DataError) as error:
            problems.append(str(error))
    if problems:
        raise DataError(summarise(problems))
    return sorted(runs, key=lambda run: run.fold)


def _run(place: Path) -> _Run:
    split = read_split(place / SPLIT)
    held_out = {entry.fold for entry in split.entries.values() if entry.part == "val"}
    fold = held_out.pop() if len(held_out) == 1 else None
    if fold is None:
        raise DataError(
            f"{place}: not a run that held out one fold: {SPLIT} says so of none of its validation"
            f" photos; expected runs of {EXAMPLE}"
        )
    if not _finished(place):
        raise DataError(
            f"{place}: fold {fold} is not finished; give the command of the sweep once more, which"
            " goes on with it"
        )
    checkpoint = find_checkpoint(place)
    if not checkpoint.is_file():
        raise DataError(f"{place}: its kept checkpoint {checkpoint.name} is gone; train it again")
    return _Run(place, split, fold, checkpoint)


def _finished(place: Path) -> bool:
    try:
        content = json.loads((place / "selection.json").read_text(encoding="utf-8"))
        return bool(content.get("finished", True))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError):
        return True  # `find_checkpoint` says what is wrong with it


def _check_folds(folder: Path, runs: Sequence[_Run]) -> None:
    """Checks that the runs hold out all folds of one split, each once."""
    first = runs[0]
    for run in runs[1:]:
        if _divided(run.split) != _divided(first.split):
            raise DataError(
                f"{run.folder}: divides other photos, or the same ones otherwise, than"
                f" {first.folder}; expected runs that differ in data.fold alone"
            )
    for one, other in pairwise(runs):
        if one.fold == other.fold:
            raise DataError(
                f"{one.folder} and {other.folder}: both held out fold {one.fold}, so its"
                f" faces would count twice; expected one run a fold: {EXAMPLE}"
            )
    every = {entry.fold for entry in first.split.entries.values() if entry.fold is not None}
    missing = sorted(every - {run.fold for run in runs})
    if missing:
        listed = ", ".join(map(str, missing))
        raise DataError(
            f"{folder}: no run held out fold {listed} of {len(every)}; train it too:"
            f" data.folds={len(every)} data.fold={listed.replace(' ', '')}"
        )


def _divided(split: FrozenSplit) -> dict[str, tuple[str, str, int | None]]:
    """Gives the photos that were divided into folds, with their hashes and folds."""
    return {
        name: (entry.picture, entry.sha256, entry.fold)
        for name, entry in split.entries.items()
        if entry.part in HELD_OUT
    }


def _check_labels(run: _Run, labels: tuple[str, ...], own: tuple[str, ...]) -> None:
    if own != labels:
        raise DataError(
            f"{run.folder}: its classes are {', '.join(own)}, those of the other folds"
            f" {', '.join(labels)}; expected runs that differ in data.fold alone"
        )


def _check_faces(folder: Path, runs: Sequence[_Run], samples: Sequence[FaceSample]) -> None:
    """Checks that each face of the split was answered about once."""
    distinct = {(sample.annotation, sample.number) for sample in samples}
    if len(distinct) < len(samples):
        raise DataError(
            f"{folder}: {len(samples) - len(distinct)} faces were held out by two runs; expected"
            " each face once"
        )
    counts = runs[0].split.faces
    expected = sum(sum(counts[part].values()) for part in HELD_OUT if part in counts)
    if len(samples) != expected:
        raise DataError(
            f"{folder}: {len(samples)} faces were found, but {expected} were divided into folds;"
            " the settings by which faces are read must be the same in all runs"
        )
