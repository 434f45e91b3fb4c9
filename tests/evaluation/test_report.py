"""The files of an evaluation, read back by other means than those that wrote them."""

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray
from PIL import Image

from emotion.evaluation.report import Report, make_report, write_report
from emotion.evaluation.results import Results
from emotion.faces.boxes import Box
from emotion.faces.folders import read_folder
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import FaceSample, gather_samples

FILES = ("classes.png", "confusion.png", "metrics.json", "predictions.csv", "report.txt")
SCORES = ("accuracy", "balanced_accuracy", "macro_f1")
FACE = Box(0, 0, 9, 9)


def probabilities(answers: list[int], classes: int) -> NDArray[np.float32]:
    """Rows that sum to 1 and are greatest at the answers."""
    rows = np.random.default_rng(0).dirichlet(np.ones(classes), len(answers))
    for row, answer in zip(rows, answers, strict=True):
        greatest = int(row.argmax())
        row[[answer, greatest]] = row[[greatest, answer]]
    return rows.astype(np.float32)


def results_of(targets: list[int], answers: list[int], labels: tuple[str, ...]) -> Results:
    """Two faces to a photo."""
    samples = [
        FaceSample(Path(f"{i // 2}.jpg"), Path(f"{i // 2}.xml"), 1, 1 + i % 2, FACE, target)
        for i, target in enumerate(targets)
    ]
    return Results(samples, probabilities(answers, len(labels)), labels)


# "surprise" does not occur, "anger" is never answered, "sad" neither.
ODD = results_of([0, 0, 1, 1, 3, 3, 0], [0, 3, 0, 3, 3, 2, 0], EMOTIONS)


@pytest.fixture(scope="module")
def real(sample_root: Path) -> Results:
    """Answers about the sample data set's test part, every third one wrong."""
    samples = gather_samples(read_folder(sample_root / "test").photos, LabelScheme(), "test")
    answers = [(s.target + (i % 3 == 0)) % len(EMOTIONS) for i, s in enumerate(samples)]
    return Results(samples, probabilities(answers, len(EMOTIONS)), EMOTIONS)


def written(results: Results, folder: Path, **about: Any) -> Report:
    report = make_report(results)
    write_report(report, results, folder, about)
    return report


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report on `ODD`; nobody writes into it."""
    folder = tmp_path_factory.mktemp("odd") / "new" / "folder"
    written(ODD, folder, checkpoint="epoch_004.ckpt")
    return folder


def strict_json(path: Path) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_report_leaves_its_files_and_nothing_else(odd: Path) -> None:
    assert sorted(p.name for p in odd.iterdir()) == sorted(FILES)


def test_writing_again_replaces_the_files(tmp_path: Path, real: Results) -> None:
    written(real, tmp_path)
    written(ODD, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(FILES)
    assert strict_json(tmp_path / "metrics.json")["faces"] == 7


def test_scores_are_sklearns(odd: Path) -> None:
    scores = strict_json(odd / "metrics.json")["scores"]
    truth = ODD.targets, ODD.answers
    assert scores.keys() == set(SCORES)
    assert scores["accuracy"]["value"] == pytest.approx(sklearn.metrics.accuracy_score(*truth))
    recall = sklearn.metrics.recall_score(*truth, average="macro", labels=[0, 1, 3])
    assert scores["balanced_accuracy"]["value"] == pytest.approx(recall)
    f1 = sklearn.metrics.f1_score(*truth, average="macro")
    assert scores["macro_f1"]["value"] == pytest.approx(f1)
    for score in scores.values():
        assert 0 <= score["low"] <= score["value"] <= score["high"] <= 1


def test_numbers_that_have_no_meaning_are_null(odd: Path) -> None:
    classes = {c["label"]: c for c in strict_json(odd / "metrics.json")["classes"]}
    assert list(classes) == list(EMOTIONS)
    assert classes["surprise"] == {
        "label": "surprise",
        "faces": 0,
        "precision": 0.0,
        "recall": None,
        "f1": 0.0,
    }
    assert classes["anger"]["precision"] is None
    assert classes["sad"] == {
        "label": "sad",
        "faces": 0,
        "precision": None,
        "recall": None,
        "f1": None,
    }


def test_metrics_say_what_was_counted_and_how(odd: Path) -> None:
    content = strict_json(odd / "metrics.json")
    expected = sklearn.metrics.confusion_matrix(ODD.targets, ODD.answers, labels=range(5))
    assert content["checkpoint"] == "epoch_004.ckpt"
    assert content["faces"] == 7
    assert content["photos"] == 4
    assert content["labels"] == list(EMOTIONS)
    assert content["confusion"] == expected.tolist()
    assert content["best_constant_guess"] == pytest.approx(3 / 7)
    assert content["interval"]["level"] == 0.95


def test_the_best_constant_guess_goes_by_the_truth_and_not_by_the_answers() -> None:
    report = make_report(results_of([0, 1, 1, 2], [0, 0, 0, 0], ("a", "b", "c")))
    assert report.constant == 0.5


def test_the_text_tells_each_score_with_its_interval(odd: Path) -> None:
    report = make_report(ODD)
    text = (odd / "report.txt").read_text(encoding="utf-8")
    assert text == report.text()
    assert "7 faces in 4 photos, each counted once" in text
    for name in SCORES:
        s = report.scores[name]
        shown = f"{s.value:.3f} [{s.low:.3f}, {s.high:.3f}]"
        assert f"{name.replace('_', ' ')} {shown}" in " ".join(text.split())
    assert "best constant guess 0.429" in " ".join(text.split())
    assert "95% interval, 10,000 resamples of the photos" in text


def test_the_text_tells_each_class_with_dashes_where_there_is_nothing_to_tell() -> None:
    lines = [line.split() for line in make_report(ODD).text().splitlines()]
    assert ["class", "faces", "precision", "recall", "F1"] in lines
    assert ["neutral", "3", "0.667", "0.667", "0.667"] in lines
    assert ["anger", "2", "–", "0.000", "0.000"] in lines
    assert ["sad", "0", "–", "–", "–"] in lines


def xml_boxes(folder: Path) -> list[tuple[str, ...]]:
    """Reads file name, corners and label of every face with Python's own parser."""
    rows = []
    for path in sorted((folder / "annotations").glob("*.xml")):
        root = ET.parse(path).getroot()
        for element in root.iter("object"):
            corners = [element.findtext(f"bndbox/{n}") for n in ("xmin", "ymin", "xmax", "ymax")]
            row = (root.findtext("filename"), *corners, element.findtext("name"))
            rows.append(tuple(map(str, row)))
    return rows


def test_predictions_are_a_row_a_face_with_the_xmls_own_box(
    tmp_path: Path, real: Results, sample_root: Path
) -> None:
    written(real, tmp_path)
    with (tmp_path / "predictions.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    expected = ["file", "xmin", "ymin", "xmax", "ymax", "truth", "prediction", *EMOTIONS]
    assert header == expected
    assert [tuple(row[:6]) for row in rows] == xml_boxes(sample_root / "test")


def test_predictions_tell_probabilities_that_sum_to_one(tmp_path: Path, real: Results) -> None:
    written(real, tmp_path)
    with (tmp_path / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shares = np.array([[float(row[label]) for label in EMOTIONS] for row in rows])
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=5e-6)
    np.testing.assert_allclose(shares, real.probabilities, atol=1e-6)
    answers = [EMOTIONS[i] for i in shares.argmax(axis=1)]
    assert [row["prediction"] for row in rows] == answers
    right = sum(row["truth"] == row["prediction"] for row in rows)
    assert make_report(real).scores["accuracy"].value == pytest.approx(right / len(rows))


def test_file_names_with_commas_and_quotes_come_back(tmp_path: Path) -> None:
    name = 'smith, "bob".jpg'
    sample = FaceSample(Path(name), Path("a.xml"), 1, 1, FACE, 0)
    written(Results([sample], probabilities([0], 2), ("a", "b")), tmp_path)
    with (tmp_path / "predictions.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["file"] == name


@pytest.mark.parametrize("name", ["confusion.png", "classes.png"])
def test_pictures_open_and_show_something(odd: Path, name: str) -> None:
    with Image.open(odd / name) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    assert 200 < pixels.shape[0] < 2000
    assert 200 < pixels.shape[1] < 2000
    assert 0.001 < (pixels < 128).any(axis=-1).mean() < 0.9


def test_one_face_is_enough_for_a_report(tmp_path: Path) -> None:
    report = written(results_of([0], [1], ("a", "b")), tmp_path)
    assert report.scores["accuracy"].value == 0
    assert report.photos == 1
