"""Calibration of joined data sets: in each of them, against sums by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotion.errors import DataError
from emotion.evaluation.calibration.by_source import (
    FEWEST,
    calibration_of,
    parted_by_source,
    threshold_for,
)
from emotion.evaluation.subjects import Subject, read_subject
from emotion.faces.labels import EMOTIONS


@pytest.fixture
def subject(sample_root: Path, tmp_path: Path) -> Subject:
    """Faces in a folder of its own: as many as are asked for, of two photos."""
    found = read_subject(tmp_path / "x.ckpt", EMOTIONS, data=sample_root / "test")
    root = tmp_path / "data"
    (root / "val" / "img").mkdir(parents=True)
    one, two = (
        [replace(found.samples[0], image=root / "val" / "img" / name)] * FEWEST for name in "ab"
    )
    return replace(found, root=root, samples=[*one, *two[1:]])


def write_sources(subject: Subject, text: str) -> None:
    (subject.root / "val" / "sources.csv").write_text(f"filename,source\n{text}")


def test_faces_are_parted_as_the_table_says(subject: Subject) -> None:
    assert parted_by_source(subject) == {}
    write_sources(subject, "a,one\nb,one\n")
    assert parted_by_source(subject) == {}, "one source is the whole"
    write_sources(subject, "a,one\nb,two\n")
    found = parted_by_source(subject)
    assert list(found) == ["one"], "the other has too few faces"
    assert found["one"].tolist() == list(range(FEWEST))


def test_a_damaged_table_is_named(subject: Subject) -> None:
    write_sources(subject, "a\n")
    with pytest.raises(DataError, match=r"sources\.csv:2: expected a file name and a source"):
        parted_by_source(subject)


def test_figures_are_those_by_hand() -> None:
    shares = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
    found = calibration_of(shares, np.array([0, 0, 0]))
    assert found.faces == 3
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.confidence == pytest.approx((0.9 + 0.8 + 0.6) / 3)
    assert found.ece == pytest.approx((0.1 + 0.8 + 0.4) / 3)  # a bin each


def test_the_share_of_wrong_answers_holds_in_each_source() -> None:
    generator = np.random.default_rng(0)
    sure = generator.uniform(0.5, 1, 4000)
    shares = np.stack([sure, 1 - sure], axis=1).astype(np.float32)
    places = {"honest": np.arange(3000), "proud": np.arange(3000, 4000)}
    # Of the first as many are wrong as they say, of the second half as many again.
    chance = np.where(np.arange(4000) < 3000, 1 - sure, 1.5 * (1 - sure))
    targets = (generator.uniform(size=4000) < chance).astype(np.int64)
    alone, both = (threshold_for(shares, targets, 0.1, parts) for parts in ({}, places))
    assert alone is not None
    assert both is not None
    assert alone < both
    for part in (np.arange(4000), *places.values()):
        answered = part[shares[part, 0] >= both]
        assert targets[answered].mean() <= 0.1
    wrong = np.ones(4000, np.int64)
    assert threshold_for(shares, np.where(np.arange(4000) < 3000, 0, wrong), 0.1, places) is None
