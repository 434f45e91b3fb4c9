"""`emotion calibrate`: on validation only, stored once, never compounded."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.conftest import train_tiny

import emotion.evaluation.results
from emotion.__main__ import main
from emotion.evaluation.calibration import by_source
from emotion.evaluation.calibration.temperature import apply_temperature, fit_temperature
from emotion.evaluation.results import Results, measure
from emotion.experiments.outcome import RunResult
from emotion.faces.samples import FaceSample
from emotion.inference.checkpoint_files import find_checkpoint
from emotion.inference.classifiers import Classifier
from emotion.training.checkpoints import read_checkpoint, store_calibration


@pytest.fixture
def run(run_result: RunResult, tmp_path: Path) -> Path:
    """A run folder that may be written into."""
    return shutil.copytree(run_result.folder, tmp_path / "run")


def stored(run: Path) -> float:
    return read_checkpoint(find_checkpoint(run)).temperature


def seen(monkeypatch: pytest.MonkeyPatch) -> list[Results]:
    """Keeps what the command measures."""
    kept = []

    def spy(samples: Sequence[FaceSample], classifier: Classifier) -> Results:
        kept.append(measure(samples, classifier))
        return kept[-1]

    monkeypatch.setattr(emotion.evaluation.results, "measure", spy)
    return kept


def test_the_temperature_of_the_validation_photos_is_stored(
    run: Path,
    run_result: RunResult,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured = seen(monkeypatch)
    assert main(["calibrate", str(run)]) == 0
    (results,) = measured
    split = json.loads((run / "split.json").read_text())["parts"]["val"]["files"]
    pictures = {Path(described["picture"]).name for described in split.values()}
    assert {sample.image.name for sample in results.samples} == pictures
    expected = fit_temperature(results.probabilities, results.targets)
    assert stored(run) == expected
    printed = capsys.readouterr().out
    assert f"temperature {expected:.4f}; the answers stay as they are" in printed
    # What training logged of the same faces.
    logged = run_result.metrics["val/loss"]
    before, after = re.findall(r"log loss +([\d.]+) +([\d.]+)", printed)[0]
    assert float(before) == pytest.approx(logged, abs=2e-4)
    assert float(after) <= float(before)
    assert len(re.findall(r"ECE, 15 equal-(?:mass|width) bins +[\d.]+ +[\d.]+", printed)) == 2
    assert "fitted on these very faces" in printed
    assert f"stored in {find_checkpoint(run)}" in printed


def test_a_second_time_is_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(run)]) == 0
    first = stored(run)
    assert main(["calibrate", str(find_checkpoint(run)), "--device", "cpu"]) == 0
    assert stored(run) == first
    assert f"(it had {first:.4f})" in capsys.readouterr().out


def test_a_dry_run_stores_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = find_checkpoint(run).read_bytes()
    assert main(["calibrate", str(run), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "temperature " in printed
    assert "not stored (--dry-run)" in printed
    assert find_checkpoint(run).read_bytes() == before


def answered(monkeypatch: pytest.MonkeyPatch, *faces: tuple[float, bool]) -> None:
    """Lets the first validation faces be answered so surely, and rightly or not; there are four."""

    def measured(samples: Sequence[FaceSample], classifier: Classifier) -> Results:
        results = measure(samples, classifier)
        shares = np.empty_like(results.probabilities)
        assert len(shares) == len(faces)
        for row, target, (sure, right) in zip(shares, results.targets, faces, strict=True):
            row[:] = (1 - sure) / 4
            row[target if right else (target + 1) % 5] = sure
        return replace(results, probabilities=shares)

    monkeypatch.setattr(emotion.evaluation.results, "measure", measured)


THRESHOLDS = [
    *(("0.3", 1), ("0", 2)),
    *(pytest.param(*pair, marks=pytest.mark.slow) for pair in (("0.2", 2), ("0.26", 1))),
]


@pytest.mark.parametrize(("error", "face"), THRESHOLDS)
def test_the_threshold_for_a_wanted_error_is_stored(
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: str,
    face: int,
) -> None:
    faces = [(0.5, True), (0.4, True), (0.9, True), (0.6, False)]  # wrong: 0, 1/2, 1/3, 1/4
    answered(monkeypatch, *faces)
    assert main(["calibrate", str(run), "--error", error]) == 0
    checkpoint = read_checkpoint(find_checkpoint(run))
    assert checkpoint.threshold is not None
    assert f"threshold {checkpoint.threshold:.4f}: less sure answers" in capsys.readouterr().out
    sure = np.array([[faces[face][0], *[(1 - faces[face][0]) / 4] * 4]], np.float32)
    expected = apply_temperature(sure, checkpoint.temperature).max()
    assert checkpoint.threshold == pytest.approx(expected, abs=1e-6)


def test_of_joined_data_sets_each_is_told_and_keeps_the_wanted_error(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(monkeypatch, (0.5, True), (0.4, True), (0.9, True), (0.6, False))
    parts = {"one": np.array([0, 1]), "two": np.array([2, 3])}
    monkeypatch.setattr(by_source, "parted_by_source", lambda _: parts)
    assert main(["calibrate", str(run), "--error", "0.3"]) == 0
    checkpoint = read_checkpoint(find_checkpoint(run))
    sure = np.array([[0.9, *[0.025] * 4]], np.float32)  # of all together 0.4 would do
    expected = apply_temperature(sure, checkpoint.temperature).max()
    assert checkpoint.threshold == pytest.approx(expected, abs=1e-6)
    printed = capsys.readouterr().out
    assert re.search(r"^one +2 +1\.000 ", printed, re.MULTILINE)
    assert re.search(r"^two +2 +0\.500 ", printed, re.MULTILINE)
    assert "so that 30% are wrong, and no more of any source" in printed


def test_without_a_wanted_error_a_threshold_is_taken_away(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_calibration(find_checkpoint(run), 1.0, 0.4)
    assert main(["calibrate", str(run)]) == 0
    assert read_checkpoint(find_checkpoint(run)).threshold is None
    assert "no threshold: every face gets an answer" in capsys.readouterr().out


def test_an_error_that_no_threshold_reaches_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(monkeypatch, (0.5, True), (0.4, True), (0.6, True), (0.9, False))
    before = find_checkpoint(run).read_bytes()
    assert main(["calibrate", str(run), "--error", "0.1"]) == 2
    assert "wrong more often than --error 0.1; nothing is stored" in capsys.readouterr().err
    assert find_checkpoint(run).read_bytes() == before


def test_a_checkpoint_alone_is_refused(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = shutil.copy(run_result.checkpoint, tmp_path / "alone.ckpt")
    assert main(["calibrate", str(alone)]) == 2
    text = capsys.readouterr().err
    assert f"{alone}: has no run folder with a config.yaml" in text
    assert "name the checkpoint within its run" in text


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(tmp_path)]) == 2
    assert "without a readable selection.json" in capsys.readouterr().err


def test_photos_that_are_gone_are_told(
    run: Path, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, gone = run / "config.yaml", tmp_path / "gone"
    config.write_text(config.read_text().replace(str(sample_root), str(gone)))
    assert main(["calibrate", str(run)]) == 2
    text = capsys.readouterr().err
    assert f"{gone}: the run's photos are no longer there" in text
    assert "the run's own validation photos, as they were in training" in text
    assert f"data.root in {config} says" in text


def test_photos_that_changed_are_told(
    run: Path, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = run / "config.yaml"
    root = shutil.copytree(sample_root, tmp_path / "data")
    config.write_text(config.read_text().replace(str(sample_root), str(root)))
    names = json.loads((run / "split.json").read_text())["parts"]["val"]["files"]
    for name in names:
        (root / name).unlink()
    assert main(["calibrate", str(run)]) == 2
    assert "the run's own validation photos, as they were" in capsys.readouterr().err
    assert stored(run) == 1.0


def answering(
    monkeypatch: pytest.MonkeyPatch, shares: NDArray[np.float32], targets: Sequence[int]
) -> None:
    """Lets all faces be answered with given probabilities, whatever they are."""

    def fake(samples: Sequence[FaceSample], classifier: Classifier) -> Results:
        given = [replace(samples[0], target=target) for target in targets]
        return Results(given, shares, classifier.input.labels)

    monkeypatch.setattr(emotion.evaluation.results, "measure", fake)


def test_right_answers_alone_cannot_tell_a_temperature(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, np.array([[0.7, 0.3], [0.4, 0.6]], np.float32), [0, 1])
    assert main(["calibrate", str(run)]) == 2
    text = capsys.readouterr().err
    assert "its 2 validation faces are all answered rightly" in text
    assert "nothing is stored" in text
    assert stored(run) == 1.0


def test_probabilities_that_say_nothing_are_named_so(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, np.array([[0.9, 0.1], [0.1, 0.9]], np.float32), [1, 0])
    assert main(["calibrate", str(run)]) == 0
    assert "20 is the highest that is looked for" in capsys.readouterr().out
    assert stored(run) == pytest.approx(20, rel=1e-3)


@pytest.mark.slow
def test_a_calibrated_run_goes_on_as_any_other(
    run_result: RunResult, sample_root: Path, tmp_path: Path
) -> None:
    folders = [tmp_path / "calibrated", tmp_path / "plain"]
    for folder in folders:
        train_tiny(sample_root, folder)
    assert main(["calibrate", str(folders[0] / "checkpoints" / "last.ckpt")]) == 0
    ends = []
    for folder in folders:
        train_tiny(sample_root, folder, "resume=auto", "trainer.max_epochs=3")
        ends.append(torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True))
    for name, tensor in ends[0]["state_dict"].items():
        assert torch.equal(tensor, ends[1]["state_dict"][name]), name
    assert "temperature" not in ends[0]["emotion"]  # other weights need another
