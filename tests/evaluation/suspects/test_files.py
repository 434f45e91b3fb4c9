"""What the annotators get: a CSV, a contact sheet, a part of the page."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from lxml import html
from numpy.typing import NDArray
from PIL import Image

from emotion.evaluation.results import Results
from emotion.evaluation.suspects.files import (
    SuspectsPart,
    clear_suspects,
    suspects_csv,
    write_suspects,
)
from emotion.evaluation.suspects.folds import CrossValidated
from emotion.evaluation.suspects.suspects import Suspect, find_suspects
from emotion.faces.boxes import Box
from emotion.faces.folders import read_folder
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import FaceSample, gather_samples
from emotion.pages.rendering import _environment


def doubtful(samples: Sequence[FaceSample]) -> NDArray[np.float32]:
    """Sure answers, every fourth of which is another than the label."""
    rows = np.full((len(samples), 5), 0.02, np.float32)
    for i, (row, sample) in enumerate(zip(rows, samples, strict=True)):
        row[(sample.target + (i % 4 == 0)) % 5] = 0.92 - 0.001 * (i % 7)
        row /= row.sum()
    return rows


@pytest.fixture(scope="module")
def found(sample_root: Path) -> CrossValidated:
    samples = gather_samples(read_folder(sample_root / "train").photos, LabelScheme(), "train")
    return CrossValidated(Results(samples, doubtful(samples), EMOTIONS), sample_root, 5)


def page_of(part: SuspectsPart) -> html.HtmlElement:
    macro = '{% from "report_suspects.html" import suspects %}{{ suspects(part) }}'
    return html.fromstring(_environment().from_string(macro).render(part=part))


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_a_row_leads_to_its_face(found: CrossValidated, tmp_path: Path) -> None:
    write_suspects(found, tmp_path / "new")
    with (tmp_path / "new" / "suspects.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    suspects = find_suspects(found.results.probabilities, found.results.targets)
    assert len(rows) == len(suspects) > 3
    for rank, (row, suspect) in enumerate(zip(rows, suspects, strict=True), 1):
        assert int(row["rank"]) == rank
        xml = found.root / row["xml"]
        element = ET.parse(xml).getroot().findall("object")[int(row["object"]) - 1]
        assert element.findtext("name") == row["given"]
        assert [element.findtext(f"bndbox/{name}") for name in ("xmin", "ymax")] == [
            row["xmin"],
            row["ymax"],
        ]
        assert xml.read_text().splitlines()[int(row["line"]) - 1].strip() == "<object>"
        assert (found.root / row["file"]).is_file()
        assert row["suggested"] == EMOTIONS[suspect.suggested] != row["given"]
        assert float(row["margin"]) == pytest.approx(suspect.margin, abs=1e-6)
        assert float(row["p_given"]) < float(row["p_suggested"])
        assert row["verdict"] == ""


def test_the_sheet_and_the_page_show_the_first(found: CrossValidated, tmp_path: Path) -> None:
    part = write_suspects(found, tmp_path)
    suspects = find_suspects(found.results.probabilities, found.results.targets)
    with Image.open(tmp_path / "suspects.png") as sheet:
        assert sheet.width >= 3 * 180
    assert part.suspects == len(suspects)
    assert part.faces == len(found.results.samples)
    assert part.agreement == pytest.approx((found.results.answers == found.results.targets).mean())
    assert sum(count for _, _, count in part.pairs) == part.suspects
    assert [entry.rank for entry in part.entries] == list(range(1, len(part.entries) + 1))
    page = page_of(part)
    captions = [text_of(caption) for caption in page.iter("figcaption")]
    first = part.entries[0]
    assert captions[0].startswith(f"1. label {first.given} 2 % → perhaps {first.suggested} 9")
    assert len(list(page.iter("img"))) == len(part.entries) == min(len(suspects), 24)
    assert "Look before you change anything." in text_of(page)
    assert not page.xpath("//*[@style]")


def test_plain_values_are_json(found: CrossValidated, tmp_path: Path) -> None:
    content = json.loads(json.dumps(write_suspects(found, tmp_path).to_dict(), allow_nan=False))
    assert np.sum(content["joint"]) == pytest.approx(1)
    assert content["labels"] == list(EMOTIONS)
    assert 0 < content["share_wrong"] < 1


def test_the_same_answers_give_the_same_files(found: CrossValidated, tmp_path: Path) -> None:
    parts = [write_suspects(found, tmp_path / name) for name in "ab"]
    for name in ("suspects.csv", "suspects.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert parts[0].entries == parts[1].entries


def test_no_suspects_are_said_to_be_none(found: CrossValidated, tmp_path: Path) -> None:
    samples = found.results.samples
    rows = np.eye(5, dtype=np.float32)[found.results.targets]
    part = write_suspects(CrossValidated(Results(samples, rows, EMOTIONS), found.root, 5), tmp_path)
    assert (part.suspects, part.share_wrong, part.entries) == (0, 0, ())
    assert text_of(page_of(part)).startswith("Likely wrong labels None of the labels of")
    assert len((tmp_path / "suspects.csv").read_text().splitlines()) == 1
    assert (tmp_path / "suspects.png").is_file()


def test_a_photo_that_vanished_is_a_reason(tmp_path: Path) -> None:
    box = Box(0, 0, 9, 9)
    samples = [FaceSample(tmp_path / "x.jpg", tmp_path / "x.xml", 1, i, box, 0) for i in (1, 2)]
    samples.append(FaceSample(tmp_path / "y.jpg", tmp_path / "y.xml", 1, 1, box, 1))
    rows = np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]], np.float32)
    part = write_suspects(CrossValidated(Results(samples, rows, ("a", "b")), tmp_path, 2), tmp_path)
    assert part.entries[0].photo.notes == ("no such file",)
    assert "not shown: no such file" in text_of(page_of(part))
    assert (tmp_path / "suspects.png").is_file()


def test_cells_are_harmless_in_a_spreadsheet(tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x")'
    sample = FaceSample(Path("=1+1.jpg"), Path("@a\x1b.xml"), 1, 1, Box(0, 0, 9, 9), 0)
    labels = (evil, "+1+cmd")
    results = Results([sample], np.array([[0.1, 0.9]], np.float32), labels)
    text = suspects_csv([Suspect(0, 0, 1, -0.8, 0.1, 0.9)], results, tmp_path)
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["given"] == f"'{evil}"
    assert row["suggested"] == "'+1+cmd"
    assert row["file"] == "'=1+1.jpg"
    assert row["xml"] == "'@a .xml"
    assert row["margin"] == "-0.800000"


def judged(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """Writes a verdict into the second row, as a spreadsheet would save it; gives the rows."""
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[1]["verdict"] = "wrong; it is anger,\nsays Ann"
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return rows


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_verdicts_are_taken_over(found: CrossValidated, tmp_path: Path, delimiter: str) -> None:
    write_suspects(found, tmp_path)
    rows = judged(tmp_path / "suspects.csv", delimiter)
    write_suspects(found, tmp_path)
    with (tmp_path / "suspects.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == rows
    assert not (tmp_path / "suspects-before.csv").exists()


def test_verdicts_on_faces_that_are_no_longer_suspect_are_kept_aside(
    found: CrossValidated, tmp_path: Path
) -> None:
    write_suspects(found, tmp_path)
    judged(tmp_path / "suspects.csv")
    text = (tmp_path / "suspects.csv").read_bytes()
    clear_suspects(tmp_path)
    assert (tmp_path / "suspects.csv").exists()
    sure = np.eye(5, dtype=np.float32)[found.results.targets] * 0.9 + 0.02
    results = Results(found.results.samples, sure, EMOTIONS)
    write_suspects(CrossValidated(results, found.root, 5), tmp_path)
    assert (tmp_path / "suspects-before.csv").read_bytes() == text
    clear_suspects(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"suspects-before.csv"}
