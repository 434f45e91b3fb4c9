"""The report's text, table of answers and page, read back by other means."""

import csv
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import html
from numpy.typing import NDArray
from PIL import Image
from tests.browser import measure_pages
from tests.datasets import SMILE, add_photo
from tests.evaluation.judge import Judge, evaluated
from tests.evaluation.subject_maker import make_results, make_subject

from emotion.evaluation.evaluating import Options, evaluate
from emotion.evaluation.report import Report, predictions_csv
from emotion.evaluation.results import Results
from emotion.faces.boxes import Box
from emotion.faces.labels import EMOTIONS
from emotion.faces.samples import FaceSample

PARTS = (
    *("about", "scores", "confusion", "end_to_end", "calibration", "slices", "robustness"),
    *("gallery", "suspects", "learning"),
)


@pytest.fixture(scope="module")
def made(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """A report on the sample data set with heat maps and corruptions; nobody writes into it."""

    def explain(pixels: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.ones(pixels.shape[:3], np.float32) * (classes[:, None, None] >= 0)

    out = tmp_path_factory.mktemp("report")
    options = Options(
        data=sample_root / "test",
        corrupt=lambda pixels, name, strength, index: pixels // (1 + strength),
        explain=explain,
        command=["emotion", "evaluate", "a b.ckpt"],
    )
    report, _ = evaluate(evaluated(out, Judge()), options, out / "o")
    return report, out / "o"


def test_the_page_has_all_parts_in_order(made: tuple[Report, Path]) -> None:
    page = html.parse(str(made[1] / "report.html")).getroot()
    assert [h.get("id") for h in page.iter("h2")] == list(PARTS)
    text = " ".join(page.text_content().split())
    accuracy = made[0].scores.whole["accuracy"]
    assert f"{accuracy.value:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}]" in text
    assert "The checkpoint has no run folder" in text
    assert "emotion evaluate a b.ckpt" in text


def test_the_page_loads_nothing_from_elsewhere(made: tuple[Report, Path]) -> None:
    text = (made[1] / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|iframe|object|embed)|@import|url\(", text)
    page: Any = html.document_fromstring(text)
    sources = page.xpath("//@src | //@srcset | //link/@href")
    assert sources
    assert all(str(source).startswith("data:") for source in sources)
    assert not page.xpath("//@style | //@onclick | //@onload")


def test_warnings_stand_in_plain_sight(made: tuple[Report, Path], sample_root: Path) -> None:
    text = (made[1] / "report.html").read_text(encoding="utf-8")
    assert "Do not trust" not in text
    assert "looked at" not in text.partition("<main>")[0]


@pytest.mark.slow
def test_a_browser_shows_it_on_a_phone_and_on_a_desk(
    made: tuple[Report, Path], tmp_path: Path, browser: list[str]
) -> None:
    page = (made[1] / "report.html").read_text(encoding="utf-8")
    attacked = page.replace("</body>", "<script>window.hacked = 1</script></body>")
    found = measure_pages(browser, tmp_path, [(page, 390), (page, 1280), (attacked, 390)])
    assert [frame["width"] for frame in found] == [390, 1280, 390]
    for frame in found:
        assert frame["scroll"] <= frame["width"]
        assert frame["wide"] == frame["cut"] == 0
        assert frame["height"] > 3000
        assert frame["images"] == frame["loaded"] > 3
        assert frame["margin"] == "0px"  # the style was allowed
        assert frame["hacked"] == "no"


@pytest.mark.slow
def test_a_browser_shows_odd_names_within_the_page(
    tmp_path: Path, sample_root: Path, browser: list[str]
) -> None:
    labels = ("<b>bold</b>", "w" * 60, "a very long name of a class with many words", "x", "y")
    options = Options(data=tmp_path / "data")
    for i, label in enumerate(labels):
        add_photo(tmp_path / "data", f"{'photo' * 20}{i}", (label, SMILE[1]))
    evaluate(evaluated(tmp_path, Judge(labels)), options, tmp_path / "o")
    page = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    for frame in measure_pages(browser, tmp_path, [(page, 390), (page, 1280)]):
        assert frame["scroll"] <= frame["width"]
        assert frame["wide"] == frame["cut"] == 0


def test_the_text_tells_each_score_with_its_interval(made: tuple[Report, Path]) -> None:
    report, folder = made
    text = (folder / "report.txt").read_text(encoding="utf-8")
    assert text == report.text()
    flat = " ".join(text.split())
    for name, s in report.scores.whole.items():
        shown = f"{s.value:.3f} [{s.low:.3f}, {s.high:.3f}]"
        assert f"{name.replace('_', ' ')} {shown}" in flat
    guess = report.scores.constant
    assert f"best constant guess {guess.accuracy:.3f} (always {guess.label})" in flat
    assert "each counted once" in flat
    assert "95% interval, 10,000 draws of photos" in flat


def xml_boxes(folder: Path) -> list[tuple[str, ...]]:
    """Reads file name, corners and label of every face with Python's own parser."""
    rows = []
    for path in sorted((folder / "annotations").glob("*.xml")):
        root = ET.parse(path).getroot()
        for element in root.iter("object"):
            corners = [element.findtext(f"bndbox/{n}") for n in ("xmin", "ymin", "xmax", "ymax")]
            row = (f"img/{root.findtext('filename')}", *corners, element.findtext("name"))
            rows.append(tuple(map(str, row)))
    return rows


def test_answers_are_a_row_a_face_with_the_xmls_own_box(
    made: tuple[Report, Path], sample_root: Path
) -> None:
    with (made[1] / "predictions.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    before = ["file", "xmin", "ymin", "xmax", "ymax", "truth", "prediction"]
    assert header == [*before, *EMOTIONS, "found_iou", "found_prediction"]
    assert [tuple(row[:6]) for row in rows] == xml_boxes(sample_root / "test")


def test_file_names_with_commas_and_quotes_come_back() -> None:
    name = 'smith, "bob".jpg'
    sample = FaceSample(Path("root", name), Path("a.xml"), 1, 1, Box(0, 0, 9, 9), 0)
    shares = np.array([[0.75, 0.25]], np.float32)
    text = predictions_csv(Results([sample], shares, ("a", "b")), (), Path("root"))
    row = next(csv.DictReader(text.splitlines()))
    assert (row["file"], row["truth"], row["a"], row["found_iou"]) == (name, "a", "0.750000", "")


@pytest.mark.slow
def test_a_hundred_thousand_answers_are_a_table() -> None:
    subject = make_subject([[i % 3] for i in range(100_000)])
    results = make_results(subject, [0] * 100_000, ("a", "b", "c"))
    assert predictions_csv(results, (), Path()).count("\n") == 100_001


@pytest.mark.parametrize(
    "name",
    ["confusion.png", "reliability.png", "risk_coverage.png", "robustness.png"],
)
def test_pictures_open_and_show_something(made: tuple[Report, Path], name: str) -> None:
    with Image.open(made[1] / name) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    assert 200 < pixels.shape[0] < 2000
    assert 200 < pixels.shape[1] < 2000
    assert 0.001 < (pixels < 128).any(axis=-1).mean() < 0.9
