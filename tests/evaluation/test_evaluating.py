"""A whole evaluation with a made-up classifier: its files, what they say, and odd data."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray
from tests.datasets import SAD, SMILE, add_photo
from tests.evaluation.judge import Judge, evaluated

from emotion.evaluation.evaluating import Options, evaluate
from emotion.evaluation.subjects import ReadingOptions
from emotion.faces.labels import EMOTIONS

FILES = {
    *("report.html", "metrics.json", "predictions.csv", "report.txt"),
    *("confusion.png", "reliability.png", "risk_coverage.png"),
}


def strict_json(path: Path) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.fixture(scope="module")
def whole(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sample data set's training part; nobody writes into it."""
    out = tmp_path_factory.mktemp("evaluation") / "new" / "folder"
    options = Options(data=sample_root / "train", upsamples=(0,), command=["emotion", "evaluate"])
    _, files = evaluate(evaluated(out.parent.parent), options, out)
    assert {path.name for path in files} == FILES
    assert files[0].name == "report.html"
    return out


def test_it_leaves_its_files_and_nothing_else(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == FILES


def test_the_answers_in_the_table_give_the_scores(whole: Path) -> None:
    content = strict_json(whole / "metrics.json")
    with (whole / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth, answers = [r["truth"] for r in rows], [r["prediction"] for r in rows]
    assert content["scores"]["accuracy"]["value"] == pytest.approx(
        sklearn.metrics.accuracy_score(truth, answers)
    )
    assert content["confusion"] == (
        sklearn.metrics.confusion_matrix(truth, answers, labels=EMOTIONS).tolist()
    )
    shares = np.array([[float(row[label]) for label in EMOTIONS] for row in rows])
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=5e-6)
    assert [EMOTIONS[i] for i in shares.argmax(axis=1)] == answers
    shares /= shares.sum(axis=1, keepdims=True)
    loss = sklearn.metrics.log_loss(truth, shares[:, np.argsort(EMOTIONS)], labels=sorted(EMOTIONS))
    assert content["calibration"]["log_loss"] == pytest.approx(loss, abs=1e-5)


def test_found_faces_in_the_table_are_those_of_the_scores(whole: Path) -> None:
    part = strict_json(whole / "metrics.json")["end_to_end"][0]
    with (whole / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [row for row in rows if row["found_iou"]]
    assert 0 < len(found) == part["found"] <= len(rows)
    assert all(float(row["found_iou"]) >= 0.5 for row in found)
    right = sum(row["found_prediction"] == row["truth"] for row in found)
    assert part["joint"]["value"] == pytest.approx(right / len(rows))
    assert part["recall"]["value"] == pytest.approx(len(found) / len(rows))


def test_the_schema_is_written_down(whole: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    content = strict_json(whole / "metrics.json")
    parts = [content, content["about"], content["end_to_end"][0]]
    missing = [key for part in parts for key in part if f"`{key}`" not in text]
    assert missing == []


@pytest.mark.slow
def test_the_same_again_gives_the_same_bytes(sample_root: Path, tmp_path: Path) -> None:
    made = evaluated(tmp_path)
    options = Options(data=sample_root / "test")
    folders = [tmp_path / "a", tmp_path / "b"]
    dates = [evaluate(made, options, folder)[0].about.date for folder in folders]
    for path in folders[0].iterdir():
        contents = [
            (folder / path.name).read_bytes().replace(date.encode(), b"date")
            for folder, date in zip(folders, dates, strict=True)
        ]
        assert contents[0] == contents[1], path.name


@pytest.mark.usefixtures("blank")
def test_without_a_detector_nothing_is_looked_for(sample_root: Path, tmp_path: Path) -> None:
    judge = Judge()
    report, _ = evaluate(
        evaluated(tmp_path, judge), Options(data=sample_root / "test", upsamples=()), tmp_path / "o"
    )
    assert report.end_to_end == []
    assert judge.asked == report.scores.faces
    assert report.gallery.missed is None
    assert all(slicing.name != "head" for slicing in report.slices)
    assert "--no-detector" in (tmp_path / "o" / "report.html").read_text()


@pytest.mark.slow
def test_two_settings_of_the_detector_are_told_apart(sample_root: Path, tmp_path: Path) -> None:
    options = Options(data=sample_root / "test", upsamples=(0, 1))
    report, _ = evaluate(evaluated(tmp_path), options, tmp_path / "o")
    names = [part.detector for part in report.end_to_end]
    assert names == ["dlib, no upsampling", "dlib, photos doubled"]


@pytest.mark.usefixtures("blank")
def test_one_face_that_no_detector_finds(tmp_path: Path) -> None:
    add_photo(tmp_path / "data", "a", SMILE)
    report, files = evaluate(evaluated(tmp_path), Options(data=tmp_path / "data"), tmp_path / "o")
    assert (report.scores.faces, report.end_to_end[0].found) == (1, 0)
    whole = report.scores.whole["accuracy"]
    assert whole.high - whole.low > 0.9  # one face says nearly nothing
    assert all(path.stat().st_size for path in files)
    assert "found none of 1 annotated face" in (tmp_path / "o" / "report.html").read_text()


@pytest.mark.usefixtures("blank")
def test_one_class_only(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        add_photo(tmp_path / "data", name, SAD)
    report, _ = evaluate(evaluated(tmp_path), Options(data=tmp_path / "data"), tmp_path / "o")
    assert report.scores.constant.accuracy == 1
    assert [one.recall is None for one in report.scores.classes] == [True] * 4 + [False]


def test_labels_that_are_hostile_stay_text(tmp_path: Path) -> None:
    labels = ("<script>alert(1)</script>", "=1+1", "a" * 60, "two words")
    for i, label in enumerate(labels):
        add_photo(tmp_path / "data", f"p{i}", (label, SMILE[1]))
    made = evaluated(tmp_path, Judge(labels))
    evaluate(made, Options(data=tmp_path / "data"), tmp_path / "o")
    page = (tmp_path / "o" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    with (tmp_path / "o" / "predictions.csv").open(newline="") as file:
        assert {row["truth"] for row in csv.DictReader(file)} >= {"'=1+1", "two words"}


@pytest.mark.usefixtures("blank")
def test_a_users_columns_become_slices(sample_root: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in (sample_root / "test" / "img").iterdir())
    table = tmp_path / "more.csv"
    rows = [f"{name},{'indoor' if i % 2 else 'outdoor'}" for i, name in enumerate(names)]
    table.write_text("\n".join(["filename,light", *rows]))
    options = Options(data=sample_root / "test", columns=table)
    report, _ = evaluate(evaluated(tmp_path), options, tmp_path / "o")
    light = next(slicing for slicing in report.slices if slicing.name == "light")
    assert {group.name for group in light.groups} == {"indoor", "outdoor"}
    assert sum(group.faces for group in light.groups) == report.scores.faces


@pytest.mark.slow
@pytest.mark.usefixtures("blank")
def test_faces_that_are_not_used_are_no_false_finds(sample_root: Path, tmp_path: Path) -> None:
    data = shutil.copytree(sample_root / "train", tmp_path / "data")
    full, _ = evaluate(evaluated(tmp_path), Options(data=data), tmp_path / "full")
    reading = ReadingOptions(mapped={"smile": None})
    part, _ = evaluate(evaluated(tmp_path), Options(data=data, reading=reading), tmp_path / "part")
    assert part.scores.faces < full.scores.faces
    assert part.end_to_end[0].false_finds == full.end_to_end[0].false_finds
    assert part.end_to_end[0].ignored > 0
    assert part.end_to_end[0].photos == full.end_to_end[0].photos


def test_corrupted_crops_and_heat_maps_are_asked_for(sample_root: Path, tmp_path: Path) -> None:
    def explain(pixels: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.ones(pixels.shape[:3], np.float32) * (classes[:, None, None] >= 0)

    options = Options(
        data=sample_root / "test",
        corrupt=lambda pixels, name, strength, index: pixels // (1 + strength),
        explain=explain,
    )
    report, files = evaluate(evaluated(tmp_path), options, tmp_path / "o")
    assert report.robustness is not None
    assert report.gallery.heat_maps
    assert "robustness.png" in {path.name for path in files}
