"""The page of a comparison: its parts are there, the gallery does not take sides."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from lxml import html
from tests.evaluation.comparison.comparison_maker import answered, faces_of, make_report

from emotion.evaluation.comparison import page as comparison_page
from emotion.evaluation.comparison.page import choose_faces, write_comparison_page
from emotion.faces.images import read_image

EVIL = "<script>x</script>\"' \u202e\x00$\\frac$"


def page_of(root: Path, folder: Path, text: str = "faces5-test") -> str:
    samples = faces_of(root)
    warnings = ["it was trained on 3 of these faces"]
    rows = (answered(samples, 3), answered(samples, 4))
    report = make_report(root, samples, *rows, text=text, warnings=warnings)
    write_comparison_page(folder / "x.html", report)
    return (folder / "x.html").read_text(encoding="utf-8")


def parsed(page: str) -> html.HtmlElement:
    element = html.document_fromstring(page)
    assert isinstance(element, html.HtmlElement)
    return element


def text_of(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())


def test_the_sentence_comes_first_then_the_warning(sample_root: Path, tmp_path: Path) -> None:
    page = parsed(page_of(sample_root / "train", tmp_path))
    verdict, warning = page.find_class("card")[:2]
    assert "tell A and B apart" in text_of(verdict) or "names more faces" in text_of(verdict)
    assert "B: it was trained on 3 of these faces" in text_of(warning)
    assert "good" not in verdict.get("class", "")
    assert [text_of(h) for h in page.iter("h2")] == [
        "What was compared on what",
        "How far they differ",
        "Where they disagree",
    ]


def test_the_tables_hold_the_numbers(sample_root: Path, tmp_path: Path) -> None:
    page = parsed(page_of(sample_root / "train", tmp_path))
    scores, recalls, pairs = page.find_class("scores")
    rows = [[text_of(cell) for cell in row] for row in scores.find("tbody")]
    names = ["accuracy", "balanced accuracy", "macro-F1", "log loss", "Brier score"]
    assert [row[0] for row in rows] == names
    assert re.fullmatch(r"[+−]?\d+\.\d \[[+−]?\d+\.\d, [+−]?\d+\.\d\]", rows[0][3])
    assert len(recalls.find("tbody")) == 5
    counts = [int(text_of(cell)) for cell in pairs.iter("td")]
    assert sum(counts) == len(faces_of(sample_root / "train"))


def test_faces_are_shown_by_kind_of_disagreement(sample_root: Path, tmp_path: Path) -> None:
    samples = faces_of(sample_root / "train")
    a, b = (answered(samples, wrong).argmax(axis=1) for wrong in (3, 4))
    truth = np.array([sample.target for sample in samples])
    page = parsed(page_of(sample_root / "train", tmp_path))
    titles = [text_of(h) for h in page.iter("h3")]
    counts = [
        ((b == truth) & (a != truth)).sum(),
        ((a == truth) & (b != truth)).sum(),
        ((a != truth) & (b != truth) & (a != b)).sum(),
    ]
    assert [int(re.findall(r"(\d+) faces?", title)[0]) for title in titles] == counts
    first = text_of(page.find_class("samples")[0].find("li"))
    assert re.search(r"truth: \w+✗ A: \w+ [<>\d].*✓ B: \w+ [<>\d]", first)
    faces = page.find_class("sample")
    assert len(faces) == min(sum(counts), 24)
    assert all(image.get("alt") for image in page.iter("img"))


def test_the_kinds_share_the_places_and_the_surest_come_first() -> None:
    truth = [0] * 100
    sure = np.linspace(0.55, 0.95, 100, dtype=np.float32)
    right, wrong = np.stack([sure, 1 - sure], 1), np.stack([1 - sure, sure], 1)
    only_b = np.arange(100) < 90
    a, b = np.where(only_b[:, None], wrong, right), np.where(only_b[:, None], right, wrong)
    chosen = choose_faces(a, b, truth)
    assert [total for _, _, total in chosen] == [90, 10, 0]
    assert chosen[0][1] == list(range(89, 73, -1))
    assert chosen[1][1] == list(range(99, 91, -1))
    assert sum(len(faces) for _, faces, _ in chosen) == 24
    few = choose_faces(a[85:], b[85:], truth[85:])
    assert [len(faces) for _, faces, _ in few] == [5, 10, 0]


def test_each_photo_is_opened_once_and_only_those_that_are_shown(
    sample_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def read(path: Path) -> object:
        opened.append(path)
        return read_image(path)

    monkeypatch.setattr(comparison_page, "read_image", read)
    page = parsed(page_of(sample_root / "train", tmp_path))
    assert len(opened) == len(set(opened))
    shown = {text_of(face).split()[-1] for face in page.find_class("sample")}
    assert {path.name for path in opened} == {name.rpartition("/")[2] for name in shown}


def test_a_photo_that_is_gone_is_said_to_be(sample_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(sample_root / "train", tmp_path / "faces")
    samples = faces_of(root)
    report = make_report(root, samples, answered(samples, 3), answered(samples, 4))
    for sample in samples:
        sample.image.unlink(missing_ok=True)
    write_comparison_page(tmp_path / "x.html", report)
    page = parsed((tmp_path / "x.html").read_text(encoding="utf-8"))
    assert text_of(page).count("not shown: no such file") == len(page.find_class("sample")) > 0


def test_no_disagreement_is_told(sample_root: Path, tmp_path: Path) -> None:
    samples = faces_of(sample_root / "test")
    rows = answered(samples, 3)
    write_comparison_page(tmp_path / "x.html", make_report(sample_root, samples, rows, rows))
    page = parsed((tmp_path / "x.html").read_text(encoding="utf-8"))
    assert "Nowhere: they gave the same answer to every face." in text_of(page)
    assert "good" in page.find_class("verdict")[0].get("class", "")


class Outline(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in [("", ""), *attrs]]


def test_the_page_reaches_nowhere_whatever_names_are(sample_root: Path, tmp_path: Path) -> None:
    page = page_of(sample_root / "train", tmp_path, text=EVIL)
    found = Outline(page).found
    assert not {tag for tag, _, _ in found} & {"script", "iframe", "object", "form"}
    assert not [name for _, name, _ in found if name.startswith("on") or name == "style"]
    sources = [value for _, name, value in found if name == "src"]
    assert all(value.startswith("data:image/") for value in sources)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", page)
    ids = [value for _, name, value in found if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_same_comparison_gives_the_same_page(sample_root: Path, tmp_path: Path) -> None:
    assert page_of(sample_root / "train", tmp_path) == page_of(sample_root / "train", tmp_path)
