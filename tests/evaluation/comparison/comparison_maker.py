"""Comparisons of two made-up classifiers on the faces of a data set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.comparison.comparison import compare
from emotion.evaluation.comparison.report import ComparisonReport, Side
from emotion.evaluation.comparison.verdict import verdict
from emotion.evaluation.intervals import Units
from emotion.faces.folders import read_folder
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import FaceSample, gather_samples


def faces_of(root: Path) -> list[FaceSample]:
    """Reads the faces of a folder of annotated photos."""
    return gather_samples(read_folder(root).photos, LabelScheme(), "sample")


def answered(samples: Sequence[FaceSample], wrong: int) -> NDArray[np.float32]:
    """Probabilities; of each `wrong` answers one is wrong."""
    rows = np.random.default_rng(wrong).dirichlet(np.full(5, 0.3), len(samples))
    for i, (row, sample) in enumerate(zip(rows, samples, strict=True)):
        answer, greatest = (sample.target + (i % wrong == 0) * wrong) % 5, int(row.argmax())
        row[[answer, greatest]] = row[[greatest, answer]]
    return rows.astype(np.float32)


def make_report(
    root: Path,
    samples: Sequence[FaceSample],
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    text: str = "faces5-test",
    warnings: Sequence[str] = (),
) -> ComparisonReport:
    """Compares; `text` stands wherever a name is shown."""
    targets = np.array([sample.target for sample in samples])
    found = compare(a, b, targets, EMOTIONS, Units.by_name([s.image for s in samples], targets))
    side = Side(text, "ab" * 32, 15)
    return ComparisonReport(
        a=side,
        b=replace(side, warnings=tuple(warnings)),
        data=text,
        folder=str(root),
        notes=(text,),
        samples=samples,
        labels=EMOTIONS,
        probabilities=(a, b),
        comparison=found,
        verdict=verdict(found, text),
    )
