"""What a comparison leaves for programs: JSON, CSV, PNG and a text."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image
from tests.evaluation.comparison.comparison_maker import answered, faces_of, make_report

from emotion.evaluation.comparison.report import ComparisonReport, write_comparison


@pytest.fixture(scope="module")
def report(sample_root: Path) -> ComparisonReport:
    samples = faces_of(sample_root / "train")
    rows = (answered(samples, 3), answered(samples, 4))
    return make_report(sample_root / "train", samples, *rows, warnings=["trained on 3"])


def test_the_json_holds_what_its_documentation_says(
    report: ComparisonReport, tmp_path: Path
) -> None:
    write_comparison(report, tmp_path)
    content = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert content["format"] == 1
    assert set(content) == {
        *("format", "emotion", "verdict", "a", "b", "data", "labels", "faces", "units", "unit"),
        *("resamples", "level", "scores", "classes", "mcnemar", "same_answers", "identical"),
    }
    assert content["b"] == {
        "checkpoint": "faces5-test",
        "sha256": "ab" * 32,
        "epoch": 15,
        "warnings": ["trained on 3"],
    }
    assert content["a"]["warnings"] == []
    assert content["verdict"] == report.verdict
    pairs = content["mcnemar"]
    assert sum(pairs[name] for name in ("both", "only_a", "only_b", "neither")) == content["faces"]


def test_the_csv_has_a_row_for_each_face(report: ComparisonReport, tmp_path: Path) -> None:
    write_comparison(report, tmp_path)
    with (tmp_path / "comparison.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == report.comparison.faces
    right = {side: sum(row["truth"] == row[f"{side}_answer"] for row in rows) for side in "ab"}
    pairs = report.comparison.pairs
    assert right == {"a": pairs.both + pairs.only_a, "b": pairs.both + pairs.only_b}
    sample, row = report.samples[0], rows[0]
    box = tuple(int(row[name]) for name in ("xmin", "ymin", "xmax", "ymax"))
    assert (row["file"], box) == (sample.image.name, sample.box.to_inclusive())
    assert float(row["b_probability"]) == pytest.approx(report.probabilities[1][0].max(), abs=1e-6)


def test_the_picture_is_as_wide_as_a_phone(report: ComparisonReport, tmp_path: Path) -> None:
    write_comparison(report, tmp_path)
    with Image.open(tmp_path / "comparison.png") as image:
        assert image.width <= 552


def test_the_files_are_the_same_each_time(report: ComparisonReport, tmp_path: Path) -> None:
    for name in "xy":
        write_comparison(report, tmp_path / name)
    for path in (tmp_path / "x").iterdir():
        assert path.read_bytes() == (tmp_path / "y" / path.name).read_bytes()


def test_the_text_has_the_verdict_before_the_table_and_the_warning_between(
    report: ComparisonReport,
) -> None:
    text = report.text()
    places = [
        text.index(part) for part in (report.verdict, "warning, B: trained on 3", "accuracy  ")
    ]
    assert places == sorted(places)
    assert "macro-F1 " in text
    assert f"only B {report.comparison.pairs.only_b}, neither" in text


def test_one_face_has_no_interval_for_its_losses(sample_root: Path, tmp_path: Path) -> None:
    samples = faces_of(sample_root / "test")[:1]
    rows = (answered(samples, 1), answered(samples, 2))
    report = make_report(sample_root / "test", samples, *rows)
    write_comparison(report, tmp_path)
    assert "none: one photo or person says nothing of others" in report.text()
    content = json.loads((tmp_path / "comparison.json").read_text())
    assert content["scores"]["log_loss"]["difference"]["low"] is None
