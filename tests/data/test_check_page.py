"""The page of an audit: all kinds are there, nothing gets out of hand, nothing is loaded."""

import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from numpy.typing import NDArray
from PIL import Image
from tests.browser import measure_pages

from emotion.data import check_samples
from emotion.data.check_page import write_check_page
from emotion.faces.images import find_images, read_image
from emotion.faces.problems import KINDS

EVIL = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"' \u202e\x00\x1b[31m"
PARTS = {
    "train": {
        "photos": 1688,
        "faces": 1700,
        "difficult": 219,
        "classes": {"neutral": 1569, "anger": 100, "sad": 0},
        "other_labels": {"fear": 11, EVIL: 20},
        "box_sides": [24, *range(100, 200), 350],
    },
    "test": {
        "photos": 1,
        "faces": 1,
        "difficult": 0,
        "classes": {"neutral": 0, "anger": 1, "sad": 0},
        "other_labels": {},
        "box_sides": [],
    },
}
VOID = {"meta", "link", "br", "hr", "img", "input", "wbr", "rect"}


def problem(kind: str, **values: Any) -> dict[str, Any]:
    base = {"kind": kind, "file": "train/annotations/a.xml", "line": 17, "tag": None, "object": 1}
    rest: dict[str, Any] = {
        "message": f"{kind} is wrong",
        "picture": None,
        "box": None,
        "others": [],
    }
    return {**base, **rest, **values}


def make_report(*problems: dict[str, Any], **values: Any) -> dict[str, Any]:
    found = Counter(problem["kind"] for problem in problems)
    kinds = [
        {
            "kind": name,
            "severity": KINDS[name].severity,
            "title": KINDS[name].title,
            "remedy": KINDS[name].remedy,
            "mendable": KINDS[name].mendable,
            "accepted": False,
            "count": count,
            "files": len({p["file"] for p in problems if p["kind"] == name}),
        }
        for name, count in found.most_common()
    ]
    kinds.sort(key=lambda kind: str(kind["severity"]))
    base = {"format": 1, "emotion": "0.2.0", "root": "faces5", "parts": PARTS, "clean": not kinds}
    return {**base, "kinds": kinds, "problems": list(problems), **values}


def write(folder: Path, report: dict[str, Any], root: Path | None = None) -> str:
    write_check_page(folder / "check.html", report, root or folder)
    return (folder / "check.html").read_text(encoding="utf-8")


def text_of(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())


def parsed(page: str) -> html.HtmlElement:
    element = html.document_fromstring(page)
    assert isinstance(element, html.HtmlElement)
    return element


def sections(page: str) -> list[html.HtmlElement]:
    return list(parsed(page).find_class("kind"))


class Outline(HTMLParser):
    """Collects tags and attributes; whatever is opened must be closed, in turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), tag
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, attribute: str) -> list[str]:
        return [value for _, name, value in self.attributes if name == attribute]


def many_problems(root: Path) -> list[dict[str, Any]]:
    """Problems of every kind, with real, missing and hostile pictures and texts."""
    pictures = [path.relative_to(root).as_posix() for path in find_images(root / "train")]
    problems = [problem(kind) for kind in KINDS]
    for picture in pictures[:8]:
        height, width = read_image(root / picture).shape[:2]
        beyond = [width - 90, height - 90, width + 60, height + 40]
        problems.append(problem("box_outside", picture=picture, box=beyond, file=picture))
        problems.append(problem("identical", picture=picture, others=pictures[8:9]))
    for n in range(40):
        name = f"train/img/{n}{EVIL}.jpg"
        problems.append(problem("label_unknown", message=EVIL * 200, file=name, picture=name))
    return problems


def test_a_clean_data_set_is_said_to_be_clean(tmp_path: Path) -> None:
    page = parsed(write(tmp_path, make_report()))
    (verdict,) = page.find_class("verdict")
    assert text_of(verdict) == "Clean: no problem was found."
    assert "None." in text_of(page.get_element_by_id("problems").getparent())


def test_the_verdict_counts_problems_files_errors_and_warnings(tmp_path: Path) -> None:
    problems = [problem("box_empty", file=f"{n}.xml") for n in range(1200)]
    problems += [problem("similar", file=f"{n}.xml") for n in range(3)]
    problems += [problem("no_object", file="other.xml")]
    report = make_report(*problems)
    report["kinds"][-1]["accepted"] = True
    page = parsed(write(tmp_path, report))
    assert text_of(page.find_class("verdict")[0]) == (
        "Not clean: 1,204 problems in 1,201 files: 1,200 errors, which training refuses;"
        " 3 warnings, which training only mentions; 1 accepted."
    )
    assert text_of(page.find_class("accepted")[0]) == "◌ accepted warning"


def test_classes_are_counted_in_a_table_with_bars(tmp_path: Path) -> None:
    page = parsed(write(tmp_path, make_report()))
    train, test = page.find_class("chart")[:2]
    assert text_of(train.find("caption")) == (
        "train: 1,700 faces in 1,688 photos, 219 marked difficult"
    )
    assert text_of(test.find("caption")) == "test: 1 face in 1 photo"
    rows = [[text_of(cell) for cell in row] for row in train.find("tbody")]
    assert rows[:3] == [
        ["neutral", "", "1,569", "92.3 %"],
        ["anger", "", "100", "5.9 %"],
        ["sad", "", "0", "0.0 %"],
    ]
    assert rows[3][0].startswith("<script>window")  # labels that are no class: the more frequent
    assert rows[4] == ["fear no class", "", "11", "0.6 %"]
    # All parts have one scale: the one face of the test part is its whole.
    widths = [svg.get("width") for svg in train.find_class("bar") + test.find_class("bar")]
    assert widths == ["92.29%", "5.88%", "1.18%", "0.65%", "100.0%"]


def test_sizes_of_boxes_are_a_histogram_with_the_smallest_marked(tmp_path: Path) -> None:
    page = parsed(write(tmp_path, make_report()))
    chart = page.find_class("chart")[2]
    caption = "train: the smallest has 24 pixels, half have 149 or more"
    assert text_of(chart.find("caption")) == caption
    rows = [[text_of(cell) for cell in row] for row in chart.find("tbody")]
    assert rows[0][:3] == ["24–31", "◂ smallest", "1"]
    assert [row[0] for row in rows if row[2] != "0"] == [
        "24–31",
        "96–127",
        "128–191",
        "192–255",
        "256–383",
    ]
    assert sum(int(row[2]) for row in rows) == 102
    assert "test: no box" in text_of(page)


def test_every_kind_has_its_section_with_the_ways_out(tmp_path: Path) -> None:
    page = write(tmp_path, make_report(*(problem(kind) for kind in KINDS)))
    found = sections(page)
    assert len(found) == len(KINDS)
    for section in found:
        kind = KINDS[text_of(section.find_class("quiet")[0]).split(" ")[0]]
        text = text_of(section)
        assert text_of(section.find(".//h3")) == kind.title
        assert f"Remedy {kind.remedy}" in text
        assert kind.severity in text_of(section.find_class("badge")[0])
        assert ("emotion data check ROOT --fix DIR" in text) == kind.mendable
        droppable = kind.severity == "error" and kind.scope != "data"
        assert (f"data.drop=[{kind.name}] trains without such {kind.scope}s" in text) == droppable
        assert f"train/annotations/a.xml:17: {kind.name} is wrong" in text
    contents = parsed(page).find_class("contents")[0]
    targets = [link.get("href") for link in contents.iter("a")]
    assert targets == [f"#{section.get('id')}" for section in found]


def test_pictures_are_shown_with_their_boxes_and_copies_side_by_side(
    tmp_path: Path, sample_root: Path
) -> None:
    page = write(tmp_path, make_report(*many_problems(sample_root)), sample_root)
    by_id = {text_of(section.find(".//h3")): section for section in sections(page)}
    outside = by_id[KINDS["box_outside"].title]
    images = list(outside.iter("img"))
    assert len(images) == 6
    assert images[0].get("alt", "").endswith(".jpg, 1 box drawn on it")
    assert "hatched: outside the picture" in text_of(outside)
    copies = by_id[KINDS["identical"].title].find_class("many")
    assert [len(list(sample.iter("img"))) for sample in copies] == [2, 2, 2]
    unknown = by_id[KINDS["label_unknown"].title]
    assert not list(unknown.iter("img"))
    assert text_of(unknown).count("not shown: ") == 6


def test_the_page_is_valid_and_reaches_nowhere(tmp_path: Path, sample_root: Path) -> None:
    page = write(tmp_path, make_report(*many_problems(sample_root), root=EVIL), sample_root)
    outline = Outline(page)
    assert not {"script", "iframe", "object", "embed", "form", "base"} & set(outline.tags)
    assert not [name for _, name, _ in outline.attributes if name.startswith("on")]
    assert all(value.startswith("data:image/jpeg;base64,") for value in outline.values("src"))
    assert all(value == "data:," or value.startswith("#") for value in outline.values("href"))
    assert not {"action", "srcset", "data", "poster", "style"} & {
        n for _, n, _ in outline.attributes
    }
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in outline.values("href")} - {"ata:,"} <= set(ids)
    assert set(outline.values("aria-labelledby")) <= set(ids)
    assert all(outline.values("alt"))
    assert len(outline.values("alt")) == outline.tags.count("img") > 0
    headings = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(headings))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", page)


@settings(max_examples=20)
@given(text=st.text())
def test_no_text_changes_the_page(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    tmp_path = tmp_path_factory.mktemp("page")
    named = text.replace("/", "")  # a slash gives a place to break the line
    outlines = [
        Outline(
            write(
                tmp_path,
                make_report(
                    problem("label_unknown", message=message, file=file, picture=file),
                    root=message,
                    parts={message: {**PARTS["train"], "other_labels": {message: 1}}},
                ),
            )
        )
        for message, file in ((text, named), ("plain", "plain"))
    ]
    assert outlines[0].tags == outlines[1].tags


@pytest.mark.slow
def test_a_hundred_thousand_problems_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)

    def read(path: Path) -> NDArray[np.uint8]:
        opened.append(path)
        return noise

    monkeypatch.setattr(check_samples, "read_image", read)
    kinds = ("box_outside", "similar", "picture_broken", "label_unknown")
    message = "x" * 10_000
    problems = [
        problem(
            kinds[n % 4],
            file=f"{n}.xml",
            picture=f"{n}.jpg",
            box=[1, 1, 390, 130],
            others=[f"{n + 1}.jpg"] if n % 4 == 1 else [],
            message=message,
        )
        for n in range(100_000)
    ]
    page = write(tmp_path, make_report(*problems))
    assert len(opened) == 6 * len(kinds)
    for section in sections(page):
        lines = section.find_class("lines")[0]
        assert len(lines) == 21
        assert text_of(lines[-1]) == "… and 24,980 more in check.json"
    # Noise is what JPEG makes least of.
    assert len(page) < len(kinds) * (6 * 150_000 + 21 * 1000)


def test_parts_and_labels_without_end_are_bounded(tmp_path: Path) -> None:
    part = {**PARTS["train"], "other_labels": {f"label {n}": 1 for n in range(5000)}}
    endless = {f"part {n}": part for n in range(200)}
    page = parsed(write(tmp_path, make_report(parts=endless)))
    assert len(page.find_class("chart")) == 2 * 12
    assert "… and 188 more parts in check.json" in text_of(page)
    assert text_of(page).count("… and 4,973 more in check.json") == 12


@pytest.mark.parametrize("sides", [[0], [-5, 10**300], [1, 2**70], [65_535] * 3])
def test_sizes_beyond_all_pictures_are_no_endless_histogram(
    tmp_path: Path, sides: list[int]
) -> None:
    part = {**PARTS["train"], "box_sides": sides}
    page = parsed(write(tmp_path, make_report(parts={"train": part})))
    rows = page.find_class("chart")[1].find("tbody")
    assert len(rows) <= 14
    assert sum(int(text_of(row[2])) for row in rows) == len(sides)


def test_the_same_report_gives_the_same_page(tmp_path: Path, sample_root: Path) -> None:
    report = make_report(*many_problems(sample_root))
    assert write(tmp_path, report, sample_root) == write(tmp_path, report, sample_root)


@pytest.mark.slow
def test_a_browser_shows_it_without_scrolling_sideways_and_runs_no_script(
    tmp_path: Path, sample_root: Path, browser: list[str]
) -> None:
    page = write(tmp_path, make_report(*many_problems(sample_root)), sample_root)
    attacked = page.replace("</body>", "<script>window.hacked = 1</script></body>")
    allowed = re.sub(r"<meta http-equiv[^>]*>", "", attacked)  # shows that the attack is one
    frames = [(page, 360), (page, 1200), (attacked, 800), (allowed, 800)]
    found = measure_pages(browser, tmp_path, frames)
    assert [frame["width"] for frame in found] == [width for _, width in frames]
    assert [frame["hacked"] for frame in found] == ["no", "no", "no", "yes"]
    for frame in found:
        assert frame["scroll"] <= frame["width"]
        assert frame["wide"] == frame["cut"] == 0
        assert frame["height"] > 5000
        assert frame["images"] == frame["loaded"] == 6 + 2 * 3
        assert frame["margin"] == "0px"  # the style was allowed


@pytest.mark.slow
def test_a_browser_draws_the_bars(tmp_path: Path, browser: list[str]) -> None:
    write(tmp_path, make_report(problem("box_empty")))
    picture = tmp_path / "page.png"
    command = [*browser, f"--screenshot={picture}", "--window-size=800,1400"]
    command += [(tmp_path / "check.html").as_uri()]
    subprocess.run(command, capture_output=True, timeout=100, check=True)
    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    blue = (pixels == (0x00, 0x72, 0xB2)).all(axis=-1)
    assert blue.sum() > 5000
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
