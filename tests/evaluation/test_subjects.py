"""What is evaluated: the run's own parts, and data that is named."""

import json
import shutil
from pathlib import Path

import pytest
from tests.conftest import train_tiny
from tests.datasets import SAD, SMILE, add_clean, add_photo

from emotion.errors import DataError
from emotion.evaluation.subjects import ReadingOptions, read_subject
from emotion.experiments.outcome import RunResult
from emotion.faces.labels import EMOTIONS


def split_of(run: RunResult, part: str) -> set[str]:
    content = json.loads((run.folder / "split.json").read_text())
    return {Path(f["picture"]).name for f in content["parts"][part]["files"].values()}


def test_the_test_part_is_that_of_the_run(run_result: RunResult) -> None:
    subject = read_subject(run_result.checkpoint, EMOTIONS)
    assert {photo.image.name for photo in subject.photos} == split_of(run_result, "test")
    assert (subject.part, subject.name) == ("test", "data-test")
    assert len(subject.samples) == sum(len(photo.faces) for photo in subject.photos)
    assert len(subject.units()) == len(subject.photos)


def test_the_validation_part_is_what_chose_the_epoch(run_result: RunResult) -> None:
    subject = read_subject(run_result.checkpoint, EMOTIONS, "val")
    assert {photo.image.name for photo in subject.photos} == split_of(run_result, "val")
    assert subject.name == "data-val"


@pytest.mark.slow
def test_a_fold_validates_on_its_own_part(sample_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(sample_root, tmp_path / "data")
    seen: list[set[str]] = []
    for fold in (1, 2):
        settings = ("trainer.max_epochs=1", "data.folds=2", f"data.fold={fold}")
        run = train_tiny(root, tmp_path / str(fold), *settings)
        subject = read_subject(run.checkpoint, EMOTIONS, "val")
        seen.append({photo.image.name for photo in subject.photos})
    assert not seen[0] & seen[1]
    assert seen[0] | seen[1] == {path.name for path in (root / "train" / "img").iterdir()}


def test_named_data_may_be_a_folder_or_a_data_set_with_a_test_part(
    run_result: RunResult, sample_root: Path
) -> None:
    whole = read_subject(run_result.checkpoint, EMOTIONS, data=sample_root)
    part = read_subject(run_result.checkpoint, EMOTIONS, data=sample_root / "test")
    assert whole.samples == part.samples
    assert (whole.part, whole.name) == (None, "data-test")


def test_photos_without_a_face_that_is_used_are_still_looked_at(
    run_result: RunResult, tmp_path: Path
) -> None:
    add_photo(tmp_path, "a", SMILE, ("other", SAD[1]))
    add_photo(tmp_path, "b", ("other", SMILE[1]))
    options = ReadingOptions(mapped={"other": None})
    subject = read_subject(run_result.checkpoint, EMOTIONS, data=tmp_path, options=options)
    assert [photo.image.stem for photo in subject.photos] == ["a", "b"]
    assert [sample.image.stem for sample in subject.samples] == ["a"]
    assert {image.stem: boxes for image, boxes in subject.ignored.items()} == {
        "a": [SAD[1]],
        "b": [SMILE[1]],
    }
    assert len(subject.units()) == 2


def test_difficult_faces_can_be_left_out_and_are_no_false_finds_then(
    run_result: RunResult, tmp_path: Path
) -> None:
    add_photo(tmp_path, "a", SMILE)
    path = add_photo(tmp_path, "b", SAD)
    path.write_text(path.read_text().replace("<difficult>0", "<difficult>1"))
    subject = read_subject(
        run_result.checkpoint, EMOTIONS, data=tmp_path, options=ReadingOptions(drop_difficult=True)
    )
    assert [sample.image.stem for sample in subject.samples] == ["a"]
    assert not subject.difficult_kept
    assert [image.stem for image in subject.ignored] == ["b"]


def test_persons_are_units_where_they_are_known(run_result: RunResult, tmp_path: Path) -> None:
    for name in ("ann_1", "ann_2", "bob_1"):
        add_photo(tmp_path, name)
    options = ReadingOptions(groups=r"name:^(.*)_\d")
    subject = read_subject(run_result.checkpoint, EMOTIONS, data=tmp_path, options=options)
    units = subject.units()
    assert (len(units), units.noun) == (2, "person")
    assert units.of_face.tolist() == [0, 0, 1]


def test_data_without_a_face_say_what_helps(run_result: RunResult, tmp_path: Path) -> None:
    path = add_photo(tmp_path, "a")
    text = path.read_text()
    start, end = text.index("<object>"), text.index("</object>") + len("</object>")
    path.write_text(text[:start] + text[end:])
    options = ReadingOptions(drop=("no_object",))
    with pytest.raises(DataError, match=r"no face with a label of .*emotion predict"):
        read_subject(run_result.checkpoint, EMOTIONS, data=tmp_path, options=options)


def test_parts_without_a_test_must_be_named(run_result: RunResult, tmp_path: Path) -> None:
    add_clean(tmp_path)
    shutil.rmtree(tmp_path / "test")
    with pytest.raises(DataError, match=r"has train/, but no test/; name the part"):
        read_subject(run_result.checkpoint, EMOTIONS, data=tmp_path)


def test_a_run_without_a_test_part_says_so(sample_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(sample_root / "train", tmp_path / "one folder")
    run = train_tiny(root, tmp_path / "run", "trainer.max_epochs=1")
    with pytest.raises(DataError, match="the run kept no photos for a test; name others"):
        read_subject(run.checkpoint, EMOTIONS)
    assert read_subject(run.checkpoint, EMOTIONS, "val").name == "one folder-val"
