"""Runs of a cross-validation put together: each face once, or an error that says why not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from emotion.data.assignment import SplitPlan, assign, freeze
from emotion.data.audit import Rules
from emotion.data.source import FaceSource
from emotion.data.split_file import write_split
from emotion.errors import DataError
from emotion.evaluation.suspects.folds import cross_validated
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import gather_samples

FOLDS = 2
SPEC = InputSpec(size=64)


class Judge:
    """A run's classifier: goes by brightness, and each run a little otherwise."""

    def __init__(self, checkpoint: Path, labels: tuple[str, ...] = EMOTIONS) -> None:
        self.input = InputSpec(labels=labels, size=64)
        self.run = int(checkpoint.read_text())

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        shares = np.zeros((len(pixels), len(self.input.labels)), np.float32)
        shares[:, self.run] = pixels.mean(axis=(1, 2, 3)) / 255
        shares[:, -1] += 1 - shares.sum(axis=1)
        return shares


@pytest.fixture(scope="module")
def finished(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep over two folds as `emotion train -m` leaves it, as far as it is read."""
    folder = tmp_path_factory.mktemp("folds")
    faces = FaceSource(sample_root, Rules(LabelScheme())).read()
    for fold in range(1, FOLDS + 1):
        run, plan = folder / str(fold - 1), SplitPlan(folds=FOLDS, fold=fold)
        parts = assign(faces.photos, faces.audit, plan)
        write_split(run / "split.json", freeze(parts, faces.audit, plan))
        data = {"root": str(sample_root), "folds": FOLDS, "fold": fold}
        (run / "config.yaml").write_text(yaml.safe_dump({"data": data}))
        (run / "selection.json").write_text(json.dumps({"checkpoint": "kept.ckpt"}))
        (run / "kept.ckpt").write_text(str(fold))
    (folder / "leaderboard.csv").touch()
    return folder


@pytest.fixture
def sweep(finished: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "folds"))


def test_each_face_is_answered_once_by_the_run_that_held_it_out(
    finished: Path, sample_root: Path
) -> None:
    found = cross_validated(finished, Judge)
    samples = gather_samples(read_folder(sample_root / "train").photos, LabelScheme(), "train")
    key = [(s.annotation, s.number) for s in found.results.samples]
    assert key == sorted((s.annotation, s.number) for s in samples)
    assert found.folds == FOLDS
    assert found.root == sample_root
    assert found.results.labels == EMOTIONS
    fold_of = {}
    for number in range(FOLDS):
        content = json.loads((finished / str(number) / "split.json").read_text())
        for name in content["parts"]["val"]["files"]:
            fold_of[sample_root / name] = number + 1
    for sample, row in zip(found.results.samples, found.results.probabilities, strict=True):
        crop = SPEC.pixels(read_image(sample.image), sample.box)
        assert row[fold_of[sample.annotation]] == pytest.approx(crop.mean() / 255, abs=1e-5)


def spoil_split(run: Path, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    content = json.loads((run / "split.json").read_text())
    for part in ("train", "val"):
        change(content["parts"][part]["files"])
    (run / "split.json").write_text(json.dumps(content))


def other_hash(files: dict[str, dict[str, object]]) -> None:
    for entry in files.values():
        entry["sha256"] = "0" * 64


def no_fold(files: dict[str, dict[str, object]]) -> None:
    for entry in files.values():
        entry.pop("fold")


def test_a_missing_fold_is_named(sweep: Path) -> None:
    shutil.rmtree(sweep / "0")
    with pytest.raises(DataError, match=r"no run held out fold 1 of 2.*data\.fold=1"):
        cross_validated(sweep, Judge)


def test_a_fold_that_is_not_finished_is_named(sweep: Path) -> None:
    (sweep / "1" / "selection.json").unlink()
    with pytest.raises(DataError, match=r"1: fold 2 is not finished; give the command"):
        cross_validated(sweep, Judge)


def test_a_run_stopped_in_between_is_not_finished(sweep: Path) -> None:
    selection = {"checkpoint": "kept.ckpt", "finished": False}
    (sweep / "1" / "selection.json").write_text(json.dumps(selection))
    with pytest.raises(DataError, match=r"1: fold 2 is not finished"):
        cross_validated(sweep, Judge)


def test_a_fold_held_out_twice_is_named(sweep: Path) -> None:
    shutil.copytree(sweep / "0", sweep / "2")
    with pytest.raises(DataError, match=r"0 and .*2: both held out fold 1.*count twice"):
        cross_validated(sweep, Judge)


def test_runs_on_other_photos_are_refused(sweep: Path) -> None:
    spoil_split(sweep / "1", other_hash)
    with pytest.raises(DataError, match=r"1: divides other photos.*0; expected runs that differ"):
        cross_validated(sweep, Judge)


def test_runs_without_folds_are_refused(sweep: Path) -> None:
    spoil_split(sweep / "1", no_fold)
    with pytest.raises(DataError, match=r"1: not a run that held out one fold"):
        cross_validated(sweep, Judge)


def test_other_classes_are_refused(sweep: Path) -> None:
    def classifier(path: Path) -> Judge:
        run = int(path.read_text())
        return Judge(path, EMOTIONS if run == 1 else EMOTIONS[::-1])

    with pytest.raises(DataError, match=r"1: its classes are sad, .*differ in data\.fold alone"):
        cross_validated(sweep, classifier)


def test_a_checkpoint_that_is_gone_is_named(sweep: Path) -> None:
    (sweep / "0" / "kept.ckpt").unlink()
    with pytest.raises(DataError, match=r"0: its kept checkpoint kept\.ckpt is gone"):
        cross_validated(sweep, Judge)


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_runs_is_refused_with_the_way_out(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "x").mkdir()
    expected = "no run folder in it" if made else "no such folder"
    with pytest.raises(DataError, match=rf"{expected}.*emotion train -m data\.folds=5"):
        cross_validated(tmp_path / "x", Judge)


def test_all_problems_of_a_sweep_are_listed(sweep: Path) -> None:
    for run in ("0", "1"):
        (sweep / run / "selection.json").unlink()
    with pytest.raises(DataError, match=r"fold 1 is not finished(.|\n)*fold 2 is not finished"):
        cross_validated(sweep, Judge)
