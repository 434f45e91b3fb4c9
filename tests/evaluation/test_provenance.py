"""What was evaluated on what: hashes and earlier looks."""

import hashlib
import shutil
from pathlib import Path

import pytest

from emotion.evaluation.provenance import describe, hash_faces
from emotion.evaluation.subjects import ReadingOptions, Subject, read_subject
from emotion.experiments.outcome import RunResult
from emotion.faces.labels import EMOTIONS


def subject_of(run: RunResult, data: Path | None = None, **options: str) -> Subject:
    return read_subject(
        run.checkpoint,
        EMOTIONS,
        data=data,
        options=ReadingOptions(**options),  # type: ignore[arg-type]
    )


def test_the_description_names_everything(run: RunResult) -> None:
    subject = subject_of(run)
    about = describe(subject, run.checkpoint, 1, EMOTIONS, ["emotion", "evaluate", "x"])
    sha = hashlib.sha256(run.checkpoint.read_bytes()).hexdigest()
    assert about.checkpoint_sha256 == sha
    split = hashlib.sha256((run.folder / "split.json").read_bytes()).hexdigest()
    assert about.split_sha256 == split
    assert sum(about.faces.values()) == len(subject.samples)
    assert about.photos_in_all == len(subject.photos)
    assert all(about.photos[label] <= about.faces[label] for label in EMOTIONS)
    assert about.versions.keys() >= {"python", "emotion", "torch", "numpy", "scipy"}
    assert about.command == ["emotion", "evaluate", "x"]
    assert about.date.endswith("+00:00")


def test_the_hash_of_faces_goes_by_pixels_boxes_and_classes_and_not_by_names(
    run: RunResult, data: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(data / "test", tmp_path / "moved")
    expected = hash_faces(subject_of(run))
    assert hash_faces(subject_of(run, moved)) == expected
    first = sorted((moved / "annotations").glob("*.xml"))[0]
    text = first.read_text()
    first.write_text(text.replace("<xmin>", "<xmin>1", 1))
    with pytest.raises(AssertionError):
        assert hash_faces(subject_of(run, moved, drop=("box_outside",))) == expected  # type: ignore[arg-type]
