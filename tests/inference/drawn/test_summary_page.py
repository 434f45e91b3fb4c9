"""The summary page: all is counted, a fair few are shown, and no name can change the page."""

import base64
import io
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from numpy.typing import NDArray
from PIL import Image
from tests.browser import measure_pages

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.drawn.summary_page import MOST_FACES, MOST_VIDEOS, PredictionSummary
from emotion.inference.predictions import NO_FACE, UNSURE, FacePrediction, Prediction

LABELS = ("neutral", "anger", "surprise", "smile", "sad")
EVIL = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"' \u202e\x00.jpg"
RED = np.full((100, 100, 3), (200, 30, 30), np.uint8)


def face(
    emotion: str, share: float = 0.8, number: int = 1, threshold: float | None = 0.5
) -> FacePrediction:
    rest = (1 - share) / (len(LABELS) - 1)
    probabilities = {label: share if label == emotion else rest for label in LABELS}
    return FacePrediction(Detection(Box(20, 20, 60, 60), 1.0), probabilities, number, threshold)


def photo(source: str, *faces: FacePrediction) -> Prediction:
    return Prediction(source, faces, None if faces else NO_FACE, True)


def unreadable(source: str, reason: str = "empty file") -> Prediction:
    return Prediction(source, (), reason, False)


def written(summary: PredictionSummary, folder: Path, model: str = "best.onnx") -> str:
    summary.write(folder / "summary.html", model)
    return (folder / "summary.html").read_text(encoding="utf-8")


def parsed(page: str) -> Any:
    return html.document_fromstring(page.encode())


def text_of(element: Any) -> str:
    return " ".join(element.text_content().split())


def rows(page: str) -> dict[str, tuple[str, str]]:
    found = {}
    for row in parsed(page).xpath("//table/tbody/tr"):
        name, _, count, share = (text_of(cell) for cell in row)
        found[name] = (count, share)
    return found


def small_summary(folder: Path) -> PredictionSummary:
    summary = PredictionSummary(LABELS)
    summary.add(photo("in/a.jpg", face("smile"), face("sad", 0.6, 2)), RED, folder / "1 a.jpg")
    summary.add(photo("in/b.jpg", face("smile", 0.3)), RED, folder / "2_b.jpg")
    summary.add(photo("in/c.jpg"), RED, folder / "3_c.jpg")
    summary.add(unreadable("in/d.jpg"))
    return summary


def test_everything_is_counted_by_what_became_of_it(tmp_path: Path) -> None:
    page = written(small_summary(tmp_path), tmp_path)
    assert rows(page) == {
        "neutral": ("0", "0.0 %"),
        "anger": ("0", "0.0 %"),
        "surprise": ("0", "0.0 %"),
        "smile": ("1", "33.3 %"),
        "sad": ("1", "33.3 %"),
        UNSURE: ("1", "33.3 %"),
        "with faces": ("2", "50.0 %"),
        NO_FACE: ("1", "25.0 %"),
        "unreadable": ("1", "25.0 %"),
    }
    told = text_of(parsed(page).xpath("//header/p")[0])
    assert told.startswith("3 faces in 4 photos. Named by best.onnx.")
    assert "below 50 %" in told


def test_it_says_what_a_classifier_cannot_know(tmp_path: Path) -> None:
    note = text_of(parsed(written(small_summary(tmp_path), tmp_path)).xpath("//*[@role='note']")[0])
    assert "an expression at one moment" in note
    assert "does not know what the person feels" in note


def test_faces_stand_below_their_answers_with_links_to_the_drawn_pictures(tmp_path: Path) -> None:
    page = parsed(written(small_summary(tmp_path), tmp_path))
    shelves = {
        text_of(section.xpath(".//h2")[0]): section for section in page.xpath("//main/section")
    }
    assert list(shelves) == ["Counts", "smile", "sad", UNSURE, "No face found", "Unreadable"]
    assert text_of(shelves["sad"].xpath(".//figcaption")[0]) == "60 % · face 2a.jpg"
    assert text_of(shelves[UNSURE].xpath(".//figcaption")[0]) == "smile 30 %b.jpg"
    links = {a.get("href") for a in shelves["smile"].xpath(".//a")}
    assert links == {"1%20a.jpg"}
    assert text_of(shelves["Unreadable"].xpath(".//li")[0]) == "in/d.jpg: empty file"


def test_a_thumbnail_shows_the_face(tmp_path: Path) -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[100:200, 100:200] = (200, 30, 30)
    seen = FacePrediction(Detection(Box(100, 100, 200, 200), 1.0), {"a": 1.0})
    summary = PredictionSummary(["a"])
    summary.add(photo("x.jpg", seen), image)
    uri = parsed(written(summary, tmp_path)).xpath("//figure//img")[0].get("src")
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as opened:
        pixels = np.asarray(opened.convert("RGB")).astype(int)
    assert pixels.shape == (128, 128, 3)
    red = np.asarray((abs(pixels - (200, 30, 30)) < 20).all(axis=-1))
    assert red[64, 64]
    assert red.mean() == pytest.approx(1 / 1.5**2, abs=0.04)  # a quarter more on each side


def test_links_lead_to_the_files_whatever_they_are_called(tmp_path: Path) -> None:
    summary = PredictionSummary(LABELS)
    names = ["a b#?&%41.jpg", "javascript:alert(1).jpg", "é\"'<.jpg"]
    for name in names:
        summary.add(photo(name, face("smile")), RED, tmp_path / "drawn" / name)
    page = parsed(written(summary, tmp_path))
    links = list(dict.fromkeys(a.get("href") for a in page.xpath("//figure//a")))
    assert [unquote(link) for link in links] == [f"drawn/{name}" for name in names]
    assert not any(set(link) & set(":?#\"'<> ") for link in links)


def test_videos_have_their_timeline_and_their_answers(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "t.png")
    summary = PredictionSummary(LABELS)
    for number in range(10):
        faces = (face("smile"), face("sad", number=2)) if number < 5 else (face("smile"),)
        summary.add(Prediction("in/v.mp4", faces, None, True, number, number / 10))
    summary.add(Prediction("in/v.mp4", (), "the video ends early", False, 10, 1.0))
    summary.add_video("in/v.mp4", timeline=tmp_path / "t.png", drawn=tmp_path / "v.mp4")
    page = written(summary, tmp_path)
    (section,) = parsed(page).xpath("//main/section/section")
    told = text_of(section)
    assert "10 frames searched up to second 0.9 · 2 faces" in told
    assert "smile 67 %, sad 33 %" in told
    assert "the video ends early" in told
    assert {a.get("href") for a in section.xpath(".//a")} == {"v.mp4", "t.png"}
    assert section.xpath(".//img")[0].get("src").startswith("data:image/png;base64,")
    assert rows(page)["smile"] == ("0", "0.0 %")  # frames are no photos


def test_a_video_whose_pictures_are_missing_is_told_of(tmp_path: Path) -> None:
    summary = PredictionSummary(LABELS)
    summary.add_video("in/v.mp4", timeline=tmp_path / "none.png")
    page = parsed(written(summary, tmp_path))
    assert "No face was found" in text_of(page.xpath("//main/section/section")[0])
    assert not page.xpath(".//img")


def test_videos_without_end_are_counted(tmp_path: Path) -> None:
    summary = PredictionSummary(LABELS)
    for video in range(MOST_VIDEOS + 30):
        for number in range(3):
            summary.add(Prediction(f"{video}.mp4", (), NO_FACE, True, number, number / 10))
        summary.add_video(f"{video}.mp4")
    page = parsed(written(summary, tmp_path))
    assert len(page.xpath("//main/section/section")) == MOST_VIDEOS
    assert "30 more videos" in text_of(page)
    assert f"{MOST_VIDEOS + 30} videos" in text_of(page.xpath("//header/p")[0])


@pytest.mark.slow
def test_photos_without_end_are_counted_and_memory_stays_flat(tmp_path: Path) -> None:
    summary = PredictionSummary(LABELS)
    image = np.random.default_rng(0).integers(0, 256, (90, 90, 3)).astype(np.uint8)

    def add(first: int, last: int) -> None:
        for number in range(first, last):
            prediction = [photo("", face("smile"), face("sad")), photo(""), unreadable("")][
                number % 3
            ]
            named = Prediction(
                f"{number}.jpg", prediction.faces, prediction.reason, prediction.readable
            )
            summary.add(named, image if summary.wants(named) else None)

    add(0, 2000)
    tracemalloc.start()
    add(2000, 6000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1_500_000  # what was replaced is as large as what replaced it
    page = written(summary, tmp_path)
    assert rows(page)["smile"] == ("2,000", "50.0 %")
    document = parsed(page)
    shelf = document.xpath("//ul[@aria-labelledby]")[0]
    assert len(shelf) == MOST_FACES
    assert f"{MOST_FACES} of 2,000 faces, drawn by lot" in text_of(document)
    numbers = [int(item.xpath(".//figcaption//bdi")[-1].text_content()[:-4]) for item in shelf]
    assert numbers == sorted(numbers)
    assert np.mean(numbers) == pytest.approx(3000, abs=4 * 6000 / np.sqrt(12 * MOST_FACES))
    assert len(document.xpath("//figure//img")) == 3 * MOST_FACES  # none was asked for in vain
    assert len(page) < 3_000_000


def test_the_same_predictions_give_the_same_page(tmp_path: Path) -> None:
    pages = [written(small_summary(tmp_path), tmp_path) for _ in range(2)]
    assert pages[0] == pages[1]


def test_an_empty_summary_is_a_page(tmp_path: Path) -> None:
    assert "0 faces in 0 photos" in text_of(parsed(written(PredictionSummary(LABELS), tmp_path)))


@given(st.text(min_size=1, max_size=60) | st.just(EVIL))
@settings(max_examples=30)
def test_no_text_changes_the_page(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    pages = []
    for name in ("x", text):
        summary = PredictionSummary([name, "b"])
        seen = FacePrediction(Detection(Box(0, 0, 9, 9), 1.0), {name: 0.9, "b": 0.1})
        summary.add(photo(name, seen), RED)
        summary.add(photo(name))
        summary.add(unreadable(name, name))
        summary.add(Prediction(name, (seen,), None, True, 0, 0.0))
        page = written(summary, tmp_path_factory.mktemp("page"), model=name)
        pages.append([element.tag for element in parsed(page).iter() if element.tag != "wbr"])
    assert pages[0] == pages[1] or text in ("b", UNSURE)


def test_nothing_is_fetched_and_no_script_runs(tmp_path: Path) -> None:
    page = parsed(written(small_summary(tmp_path), tmp_path))
    assert not page.xpath("//script | //iframe | //object | //link[not(@href='data:,')]")
    assert all(src.startswith("data:") for src in page.xpath("//@src"))
    assert "default-src 'none'" in page.xpath("//meta[@http-equiv]/@content")[0]


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (120, 90, 3)).astype(np.uint8)


@pytest.mark.slow
def test_a_browser_shows_it_on_phones_and_screens(tmp_path: Path, browser: list[str]) -> None:
    Image.new("RGB", (1200, 500), "white").save(tmp_path / "t.png")
    summary = PredictionSummary(LABELS)
    for number in range(30):
        name = EVIL if number == 3 else f"{'long_' * (number % 9)}name {number}.jpg"
        emotion = LABELS[number % 5]
        summary.add(photo(name, face(emotion, 0.3 + number / 50)), noise(number), tmp_path / name)
    summary.add(photo("x" * 200), noise(99))
    summary.add(unreadable(EVIL, "y" * 300))
    summary.add(Prediction("z" * 90 + ".mp4", (face("smile"),), None, True, 0, 0.0))
    summary.add_video("z" * 90 + ".mp4", tmp_path / "t.png", tmp_path / "z.mp4")
    page = written(summary, tmp_path)
    frames = [(page, 390), (page, 1280)]
    for frame, (_, width) in zip(measure_pages(browser, tmp_path, frames), frames, strict=True):
        assert frame["width"] == width
        assert frame["scroll"] <= width
        assert frame["wide"] == 0
        assert frame["hacked"] == "no"
        assert frame["images"] == frame["loaded"] == 32
        assert frame["margin"] == "0px"  # the style was allowed


@pytest.mark.slow
def test_a_browser_draws_the_bars_in_the_colours_of_the_classes(
    tmp_path: Path, browser: list[str]
) -> None:
    summary = small_summary(tmp_path)
    summary.write(tmp_path / "summary.html", "best")
    picture = tmp_path / "page.png"
    command = [*browser, f"--screenshot={picture}", "--window-size=1280,900"]
    command += [(tmp_path / "summary.html").as_uri()]
    subprocess.run(command, capture_output=True, timeout=100, check=True)
    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    for colour in ((0x00, 0x9E, 0x73), (0xCC, 0x79, 0xA7)):  # smile and sad
        assert (pixels == colour).all(axis=-1).sum() > 1000
