"""Faces and people that a run has met are noticed."""

import json
import shutil
from pathlib import Path

from emotion.evaluation.leaks import find_leaks
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


def test_a_test_part_that_was_kept_aside_gives_no_warning(run: RunResult) -> None:
    assert find_leaks(subject_of(run), run.checkpoint) == ([], [])


def test_photos_that_were_trained_on_are_noticed_whatever_they_are_called(
    run: RunResult, data: Path, tmp_path: Path
) -> None:
    split = json.loads((run.folder / "split.json").read_text())["parts"]
    for i, part in enumerate(("train", "train", "val")):
        annotation, entry = list(split[part]["files"].items())[i]
        name = f"other{i}{Path(entry['picture']).suffix}"
        (tmp_path / "img").mkdir(exist_ok=True)
        (tmp_path / "annotations").mkdir(exist_ok=True)
        shutil.copy(data / entry["picture"], tmp_path / "img" / name)
        text = (data / annotation).read_text().replace(Path(entry["picture"]).name, name)
        (tmp_path / "annotations" / f"other{i}.xml").write_text(text)
    subject = subject_of(run, tmp_path)
    counts = {i: sum(s.image.stem == f"other{i}" for s in subject.samples) for i in range(3)}
    warnings, notes = find_leaks(subject, run.checkpoint)
    total = sum(counts.values())
    assert warnings == [
        f"{counts[0] + counts[1]} of these {total} faces were in the checkpoint's training: the"
        " figures are too good.",
        f"{counts[2]} of these {total} faces chose the checkpoint's epoch: the figures are too"
        " good.",
    ]
    assert notes == []


def test_validation_itself_is_named_as_what_chose_the_epoch(run: RunResult) -> None:
    subject = read_subject(run.checkpoint, EMOTIONS, "val")
    warnings, _ = find_leaks(subject, run.checkpoint)
    n = len(subject.samples)
    assert warnings == [
        f"{n} of these {n} faces chose the checkpoint's epoch: the figures are too good."
    ]


def configured(run: RunResult, folder: Path, old: str, new: str) -> Path:
    """Copies a run with another text in its config, and gives the copy's checkpoint."""
    copy = shutil.copytree(run.folder, folder)
    text = (copy / "config.yaml").read_text()
    assert old in text
    (copy / "config.yaml").write_text(text.replace(old, new))
    return copy / run.checkpoint.relative_to(run.folder)


def test_where_the_pictures_are_gone_the_pairs_are_compared(
    run: RunResult, data: Path, tmp_path: Path
) -> None:
    gone = f"root: {tmp_path / 'gone'}"
    checkpoint = configured(run, tmp_path / "run", f"root: {data}", gone)
    train = shutil.copytree(data / "train", tmp_path / "kept")
    subject = read_subject(checkpoint, EMOTIONS, data=train)
    warnings, notes = find_leaks(subject, checkpoint)
    assert len(warnings) == 2
    assert sum(int(warning.split()[0]) for warning in warnings) == len(subject.samples)
    assert "pictures of the run are no longer there" in notes[0]


def test_persons_who_were_in_training_are_noticed(
    run: RunResult, data: Path, tmp_path: Path
) -> None:
    # Training refuses such a split unless it is told to leave it: the run did not know of persons.
    known = f"groups: {data / 'groups.csv'}"
    checkpoint = configured(run, tmp_path / "run", "groups: null", known)
    subject = read_subject(checkpoint, EMOTIONS)
    assert len(set(subject.persons.values())) == len(subject.photos)
    warnings, _ = find_leaks(subject, checkpoint)
    assert [w.partition(" faces, were")[0].partition(",")[0] for w in warnings] == [
        "1 of the people"
    ]


def test_a_lone_checkpoint_is_said_to_be_one(run: RunResult, data: Path, tmp_path: Path) -> None:
    alone = tmp_path / "deep" / "er" / "alone.ckpt"
    alone.parent.mkdir(parents=True)
    shutil.copy(run.checkpoint, alone)
    subject = read_subject(alone, EMOTIONS, data=data / "test")
    warnings, notes = find_leaks(subject, alone)
    assert warnings == []
    assert "no run folder, so nobody knows whether these faces were in training" in notes[0]


def test_a_split_that_cannot_be_read_is_a_warning(run: RunResult, tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "run")
    checkpoint = folder / "checkpoints" / run.checkpoint.name
    subject = read_subject(checkpoint, EMOTIONS)
    (folder / "split.json").write_text('{"format": 1')
    (warning,), _ = find_leaks(subject, checkpoint)
    assert "split.json" in warning
    assert warning.endswith("so nobody knows whether these faces were in training.")
    (folder / "split.json").unlink()
    assert "so nobody knows" in find_leaks(subject, checkpoint)[0][0]
