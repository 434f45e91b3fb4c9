"""The gallery: what is on the page, read back from the page."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from lxml import html
from numpy.typing import NDArray
from PIL import Image

from emotion.evaluation.gallery import gallery as module
from emotion.evaluation.gallery.choice import Choice, FalseFind, choose
from emotion.evaluation.gallery.gallery import Gallery, make_gallery
from emotion.faces.boxes import Box
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import FaceSample, gather_samples
from emotion.pages.rendering import _environment

SPEC = InputSpec(size=64, margin=0.1, square=True)


class Painter:
    """Explains a crop by its brightness, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[NDArray[np.uint8], int]] = []

    def __call__(
        self, pixels: NDArray[np.uint8], classes: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        self.asked += zip(pixels, classes.tolist(), strict=True)
        heat: NDArray[np.float32] = pixels.mean(axis=3).astype(np.float32) / 255
        return heat


@pytest.fixture(scope="module")
def samples(sample_root: Path) -> Sequence[FaceSample]:
    return gather_samples(read_folder(sample_root / "train").photos, LabelScheme(), "sample")


def answered(samples: Sequence[FaceSample]) -> NDArray[np.float32]:
    """Probabilities; every third answer is wrong."""
    rows = np.random.default_rng(0).dirichlet(np.full(5, 0.3), len(samples)).astype(np.float32)
    for i, (row, sample) in enumerate(zip(rows, samples, strict=True)):
        answer, greatest = (sample.target + (i % 3 == 0)) % 5, int(row.argmax())
        row[[answer, greatest]] = row[[greatest, answer]]
    return rows


def chosen(samples: Sequence[FaceSample]) -> Choice:
    rows = answered(samples)
    find = FalseFind(samples[0].image, Box(2, 2, 30, 30), 0.25, rows[0])
    return choose(samples, rows, missed=[1, 2], false_finds=[find])


def page_of(gallery: Gallery) -> str:
    macro = '{% from "report_gallery.html" import gallery %}{{ gallery(part) }}'
    return _environment().from_string(macro).render(part=gallery)


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_each_entry_tells_its_face(samples: Sequence[FaceSample], sample_root: Path) -> None:
    choice = chosen(samples)
    gallery = make_gallery(choice, SPEC, sample_root)
    faces = (*choice.mistakes.faces, *choice.right.faces)
    entries = (*gallery.mistakes.entries, *gallery.right.entries)
    for face, entry in zip(faces, entries, strict=True):
        assert face.truth is not None
        assert face.probabilities is not None
        assert entry.file == face.image.relative_to(sample_root).as_posix()
        assert entry.box == face.box.to_inclusive()
        assert entry.truth == EMOTIONS[face.truth]
        assert entry.answer == EMOTIONS[int(face.probabilities.argmax())]
        assert list(entry.probabilities) == list(EMOTIONS)
        assert list(entry.probabilities.values()) == face.probabilities.tolist()
        assert entry.photo.uri.startswith("data:image/jpeg;base64,")
        assert entry.heat_map is None
    assert gallery.missed is not None
    assert gallery.false_finds is not None
    assert [e.answer for e in gallery.missed.entries] == [None, None]
    (find,) = gallery.false_finds.entries
    assert (find.truth, find.score, find.box) == (None, 0.25, (2, 2, 29, 29))


def test_heat_maps_are_of_the_answers_to_the_crops_that_the_network_saw(
    samples: Sequence[FaceSample], sample_root: Path
) -> None:
    painter, choice = Painter(), chosen(samples)
    gallery = make_gallery(choice, SPEC, sample_root, painter)
    faces = (*choice.mistakes.faces, *choice.right.faces)
    assert len(faces) > module.BATCH
    for face, (pixels, answer) in zip(faces, painter.asked, strict=True):
        np.testing.assert_array_equal(pixels, SPEC.pixels(read_image(face.image), face.box))
        assert answer == face.answer
    assert all(e.heat_map for e in (*gallery.mistakes.entries, *gallery.right.entries))
    assert gallery.missed is not None
    assert gallery.false_finds is not None
    others = (*gallery.missed.entries, *gallery.false_finds.entries)
    assert not any(entry.heat_map for entry in others)


def test_the_page_shows_the_worst_mistakes_first(
    samples: Sequence[FaceSample], sample_root: Path
) -> None:
    gallery = make_gallery(chosen(samples), SPEC, sample_root, Painter())
    page = html.fromstring(page_of(gallery))
    titles = [text_of(title) for title in page.iter("h3")]
    assert titles == ["Worst mistakes", "Right answers", "Missed faces", "False finds"]
    captions = [text_of(caption) for caption in page.iter("figcaption")]
    worst = gallery.mistakes.entries[0]
    assert worst.answer is not None
    share = f"{100 * worst.probabilities[worst.answer]:.0f}"
    if share not in ("0", "100"):
        assert captions[0].startswith(f"truth {worst.truth} → answer {worst.answer} {share} %")
    assert all(label in captions[0] for label in EMOTIONS)
    assert captions[-1].startswith("no face annotated → answer")
    assert "detector’s score 0.25" in captions[-1]
    alts = [image.get("alt", "") for image in page.iter("img")]
    assert all(alts)
    assert sum("heat map" in alt for alt in alts) == len(gallery.mistakes.entries) + len(
        gallery.right.entries
    )
    assert "Adebayo" in text_of(page)
    # The page's policy knows no style attribute.
    assert not page.xpath("//*[@style or @onclick or @onload]")


def test_without_heat_maps_and_a_detector_none_are_spoken_of(
    samples: Sequence[FaceSample], sample_root: Path
) -> None:
    page = text_of(
        html.fromstring(
            page_of(make_gallery(choose(samples, answered(samples)), SPEC, sample_root))
        )
    )
    assert "heat map" not in page
    assert "detector" not in page.lower()


def test_a_photo_that_vanished_is_a_reason(tmp_path: Path) -> None:
    gone = FaceSample(tmp_path / "gone.jpg", tmp_path / "a.xml", 1, 1, Box(0, 0, 9, 9), 0)
    Image.new("RGB", (40, 40)).save(tmp_path / "small.png")
    moved = FaceSample(tmp_path / "small.png", tmp_path / "b.xml", 1, 1, Box(50, 50, 90, 90), 0)
    there = FaceSample(tmp_path / "small.png", tmp_path / "b.xml", 1, 2, Box(5, 5, 30, 30), 0)
    rows = np.array([[0.1, 0.9, 0, 0, 0], [0.2, 0.8, 0, 0, 0], [0.3, 0.7, 0, 0, 0]], np.float32)
    painter = Painter()
    gallery = make_gallery(choose([gone, moved, there], rows), SPEC, tmp_path, painter)
    shown = [entry.photo for entry in gallery.mistakes.entries]
    assert [bool(photo.uri) for photo in shown] == [False, False, True]
    assert shown[0].notes == ("no such file",)
    assert [bool(entry.heat_map) for entry in gallery.mistakes.entries] == [False, False, True]
    assert len(painter.asked) == 1
    page = text_of(html.fromstring(page_of(gallery)))
    assert "not shown: no such file" in page
    assert "not shown: its box lies outside: the picture has changed" in page


def test_the_page_is_bounded_and_only_what_is_shown_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    opened: list[Path] = []

    def read(path: Path) -> NDArray[np.uint8]:
        opened.append(path)
        return noise

    monkeypatch.setattr(module, "read_image", read)
    box = Box(100, 100, 250, 250)
    many = [
        FaceSample(tmp_path / f"{i}.jpg", tmp_path / f"{i}.xml", 1, 1, box, i % 2)
        for i in range(2000)
    ]
    rows = np.tile(np.array([0.9, 0.1, 0, 0, 0], np.float32), (2000, 1))
    finds = [FalseFind(tmp_path / f"{i}.jpg", box, i, rows[0]) for i in range(100)]
    choice = choose(many, rows, missed=range(1000), false_finds=finds)
    gallery = make_gallery(choice, SPEC, tmp_path, Painter())
    assert len(opened) == 24 + 12 + 12 + 12
    page = page_of(gallery)
    assert len(page) < 3_000_000
    assert "24 of 1,000: " in text_of(html.fromstring(page))


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = "<script>1</script>"
    labels = (evil, "b")
    sample = FaceSample(tmp_path / f"{'<b>'}.jpg", tmp_path / "a.xml", 1, 1, Box(0, 0, 9, 9), 0)
    rows = np.array([[0.4, 0.6]], np.float32)
    page = page_of(make_gallery(choose([sample], rows), InputSpec(labels=labels), tmp_path))
    assert "<script>" not in page
    assert "<b>" not in page
    assert re.search(r"&lt;script&gt;1", page)


def test_plain_values_are_json_without_pictures(
    samples: Sequence[FaceSample], sample_root: Path
) -> None:
    gallery = make_gallery(chosen(samples), SPEC, sample_root, Painter())
    text = json.dumps(gallery.to_dict(), allow_nan=False)
    assert "data:" not in text
    content = json.loads(text)
    assert content["missed"]["total"] == 2
    first = content["mistakes"]["shown"][0]
    assert set(first) == {"file", "box", "truth", "answer", "probabilities", "score"}
    without = make_gallery(choose(samples, answered(samples)), SPEC, sample_root).to_dict()
    assert without["missed"] is None


def test_the_same_results_give_the_same_page(
    samples: Sequence[FaceSample], sample_root: Path
) -> None:
    pages = {page_of(make_gallery(chosen(samples), SPEC, sample_root, Painter())) for _ in "ab"}
    assert len(pages) == 1


def test_no_mistakes_and_no_right_answers_are_said_to_be_none(tmp_path: Path) -> None:
    nothing = choose([], np.zeros((0, 5), np.float32), missed=[], false_finds=[])
    page = text_of(html.fromstring(page_of(make_gallery(nothing, SPEC, tmp_path))))
    assert "No answer was wrong." in page
    assert "The detector found every annotated face." in page
