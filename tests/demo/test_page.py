"""The page in a real browser: what a visitor does, and what is left of it."""

import csv
import io
import json
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FileChooser, Page
from tests.demo.chromium import (
    BOX,
    PATIENCE,
    Visitor,
    chromium,
    download,
    drop,
    is_local,
    names,
    overflow,
    requests_in,
    token,
)
from tests.demo.served import Served, serve
from tests.exports import Exported
from tests.films import film

from emotion.__main__ import main
from emotion.sketches.scenes import draw_scene

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page with a checkpoint and what was exported from it, whose thresholds are 0.4."""
    folder = tmp_path_factory.mktemp("served")
    limits = ("--max-mb", "3", "--max-photos", "6", "--max-seconds", "2")
    running = serve(folder, [exported.checkpoint, exported.onnx], *limits, "--device", "cpu")
    yield running
    assert running.stop() == 143


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The browser's own log of the network, which is whole when the browser has ended."""
    return tmp_path_factory.mktemp("log") / "network.json"


@pytest.fixture(scope="module")
def everybody(
    served: Served, log: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    with chromium(tmp_path_factory.mktemp("profile"), f"--log-net-log={log}") as browser:
        yield Visitor(browser, served.address)
    asked = [url for origin, url in requests_in(log) if origin.startswith("http")]
    assert len(asked) > 50
    assert [url for url in asked if not is_local(url)] == []


@pytest.fixture
def visitor(everybody: Visitor, served: Served) -> Iterator[Visitor]:
    yield everybody
    everybody.close()
    assert everybody.elsewhere() == []
    assert everybody.mistakes == []
    assert served.files() == []  # nothing of what was dropped is on the disk
    assert "Traceback" not in served.output.read_text()


@pytest.fixture(scope="module")
def photos(sample_root: Path) -> list[Path]:
    return sorted((sample_root / "test" / "img").iterdir())


def predicted(
    photos: list[Path], model: Path, form: str, monkeypatch: pytest.MonkeyPatch, *options: str
) -> str:
    """Gives what `emotion predict` writes for photos in the folder that one is in."""
    monkeypatch.chdir(photos[0].parent)
    out = model.parent / f"predicted.{form}"
    arguments = [*(path.name for path in photos), "--model", str(model), "--out", str(out)]
    assert main(["predict", *arguments, *options]) == 0
    return out.read_text()


def same_csv(ours: str, theirs: str) -> None:
    """Compares records; several photos at once are named in batches, which moves last digits."""
    for row, other in zip(
        csv.reader(io.StringIO(ours)), csv.reader(io.StringIO(theirs)), strict=True
    ):
        assert len(row) == len(other)
        for cell, expected in zip(row, other, strict=True):
            try:
                assert float(cell) == pytest.approx(float(expected), abs=2e-6)
            except ValueError:
                assert cell == expected


def set_threshold(page: Page, value: float) -> None:
    number = page.locator("#em-threshold input[type=number]")
    before = token(page)
    number.fill(str(value))
    number.press("Enter")
    page.wait_for_function(
        "before => document.querySelector('.em-downloads a').getAttribute('href')"
        ".split('/')[1] !== before",
        arg=before,
    )


def test_photos_get_boxes_and_names_and_downloads_are_those_of_the_command(
    visitor: Visitor, photos: list[Path], exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visitor.open()
    drop(page, *photos)
    theirs = predicted(photos, exported.checkpoint, "csv", monkeypatch)
    faces = sum(1 for row in csv.DictReader(io.StringIO(theirs)) if row["face"])
    assert page.locator(".em-spot").count() == len(names(page)) == faces > 0
    assert page.locator(".em-frame img").count() == len(photos)
    for picture in page.locator(".em-frame img").all():
        assert picture.evaluate("e => e.decode().then(() => e.naturalWidth)") > 100
    same_csv(download(page, "CSV").decode(), theirs)

    lines = [json.loads(line) for line in download(page, "JSON").decode().splitlines()]
    expected = predicted(photos, exported.checkpoint, "jsonl", monkeypatch)
    for record, other in zip(lines, map(json.loads, expected.splitlines()), strict=True):
        assert record.pop("probabilities") == pytest.approx(other.pop("probabilities"), abs=2e-6)
        assert record == other
    with zipfile.ZipFile(io.BytesIO(download(page, "Pictures"))) as archive:
        assert archive.namelist() == [
            f"{number:04d}_{path.stem}.jpg" for number, path in enumerate(photos, 1)
        ]
        drawn = np.asarray(Image.open(archive.open(archive.namelist()[0])))
    assert drawn.shape == np.asarray(Image.open(photos[0])).shape


def test_another_threshold_changes_the_answers_as_it_does_in_the_command(
    visitor: Visitor, photos: list[Path], exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visitor.open()
    assert page.locator("#em-threshold input[type=number]").input_value() == "0.4"
    drop(page, *photos[:2])
    set_threshold(page, 0)
    assert not any("unsure" in name for name in names(page))
    set_threshold(page, 0.99)
    assert all("unsure" in name for name in names(page))
    options = ("--unsure-below", "0.99")
    theirs = predicted(photos[:2], exported.checkpoint, "csv", monkeypatch, *options)
    same_csv(download(page, "CSV").decode(), theirs)
    page.locator(".em-card").first.click()
    page.wait_for_selector(".em-open")
    assert "less than the 99% that an answer needs here" in page.locator(".em-open").inner_text()


def choose_model(page: Page, name: str) -> None:
    page.locator("#em-model input").click()
    page.get_by_role("option", name=name).click()
    page.get_by_text(f"Answered by {name}").wait_for()


def test_a_closer_look_has_a_heat_map_where_a_checkpoint_answered(
    visitor: Visitor, photos: list[Path]
) -> None:
    page = visitor.open()
    drop(page, photos[0])
    page.locator(".em-spot").first.click()  # on the face in the photo itself
    look = page.locator("#em-face .em-open")
    look.wait_for()
    assert look.locator("figure img").count() == 2
    assert look.locator(".em-row").count() == 5
    numbers = [int(text.rstrip("%")) for text in look.locator(".em-number").all_inner_texts()]
    assert sum(numbers) == pytest.approx(100, abs=3)
    assert f"Face 1 in {photos[0].name}" in look.inner_text()

    choose_model(page, "model.onnx")
    page.locator("#em-face .em-empty").wait_for()
    page.locator(".em-card").first.click()
    look.wait_for()
    assert look.locator("figure img").count() == 1
    assert "Heat maps need a checkpoint" in look.inner_text()


def test_smaller_faces_are_found_when_asked_for(visitor: Visitor, tmp_path: Path) -> None:
    scene = Image.fromarray(draw_scene(np.random.default_rng(1), ("smile",)).image)
    small = scene.resize((scene.width // 4, scene.height // 4), Image.Resampling.LANCZOS)
    small.save(tmp_path / "small.png")
    page = visitor.open()
    drop(page, tmp_path / "small.png")
    assert names(page) == []
    assert "no face found; “Find faces”" in page.locator(".em-reason").inner_text()
    page.locator("#em-upsample").get_by_text("40 and more").click()
    page.locator(".em-card").wait_for()
    assert len(names(page)) == 1


def test_the_camera_takes_a_photo(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_text("Take a photo").click()
    page.get_by_text("Click to Access Webcam").click()
    # Gradio's button does nothing while the camera warms up.
    page.wait_for_function("document.querySelector('#em-camera video')?.videoWidth > 0")
    page.locator("#em-camera button[aria-label='capture photo' i]").click()
    page.locator(".em-file").wait_for()
    assert page.locator(".em-file h3").inner_text().startswith("camera.")
    assert (
        page.locator(".em-frame img").evaluate("e => e.decode().then(() => e.naturalWidth)") > 100
    )
    page.get_by_text("Click to Access Webcam").wait_for()  # the camera is off again


def test_several_tabs_at_once_get_their_own_answers(visitor: Visitor, photos: list[Path]) -> None:
    pages = [visitor.open() for _ in range(4)]
    # The last two tabs drop the very same photo.
    asked = [[photos[0]], [photos[1], photos[2]], [photos[3]], [photos[3]]]
    for page, paths in zip(pages, asked, strict=True):
        page.locator(BOX).set_input_files([str(path) for path in paths])
    for page, paths in zip(pages, asked, strict=True):
        page.locator(".em-answer").wait_for()
        assert page.locator(".em-file h3").all_inner_texts() == [path.name for path in paths]
    tokens = [token(page) for page in pages]
    assert len(set(tokens)) == len(pages)
    rows = [csv.DictReader(io.StringIO(download(page, "CSV").decode())) for page in pages]
    for found, paths in zip(rows, asked, strict=True):
        assert {row["source"] for row in found} == {path.name for path in paths}
    # A tab that is closed takes its answer with it; the others keep theirs.
    addresses = [f"{visitor.address}/answers/{each}/answers.csv" for each in tokens]
    pages[0].close()
    status = 0
    end = time.monotonic() + PATIENCE / 1000
    while status != 404 and time.monotonic() < end:
        status = pages[1].request.get(addresses[0]).status
        time.sleep(0.1)
    assert status == 404
    assert pages[1].request.get(addresses[1]).status == 200


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until an element has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_the_keyboard_alone_is_enough(visitor: Visitor, photos: list[Path]) -> None:
    page = visitor.open()
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    tab_to(page, "#em-drop button")
    end = time.monotonic() + PATIENCE / 1000
    while not choosers and time.monotonic() < end:  # Playwright misses the first ones
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
    choosers[0].set_files([str(photos[0])])
    page.locator(".em-file h3").get_by_text(photos[0].name).wait_for()
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "[data-sample='1']")
    page.keyboard.press("Enter")
    page.get_by_text("drawing-2.jpg").wait_for()
    tab_to(page, ".em-downloads a")
    tab_to(page, ".em-card")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.locator(".em-open").wait_for()
    page.wait_for_function("document.activeElement.matches('.em-detail')")
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.matches('.em-card')")
    before = token(page)
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "#em-threshold input[type=range]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => !document.querySelector('.em-downloads a').href.includes(before)", arg=before
    )


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_phones_and_screens_in_light_and_dark(
    width: int, scheme: str, visitor: Visitor
) -> None:
    page = visitor.open(width, 844, scheme)
    assert overflow(page) == []
    page.locator("[data-sample='3']").click()
    page.locator(".em-card").first.wait_for()
    assert overflow(page) == []
    page.locator(".em-card").first.click()
    look = page.locator(".em-open")
    look.wait_for()
    assert overflow(page) == []
    close = page.locator(".em-close")
    assert close.is_visible() == (width == 390)  # beside the answers it may stay
    texts = page.evaluate(
        """() => ['.em-heading h1', '.em-quiet', '.em-class', '.em-open h2'].map(selector => {
          const e = document.querySelector(selector);
          let ground = e;
          while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)')
            ground = ground.parentElement ?? document.body;
          return [getComputedStyle(e).color, getComputedStyle(ground).backgroundColor];
        })"""
    )
    for colour, ground in texts:
        assert contrast(colour, ground) >= 4.5
    assert (brightness(texts[0][1]) < 0.2) == (scheme == "dark")
    if width == 390:
        close.click()
        look.wait_for(state="detached")


def numbers_in(colour: str) -> list[float]:
    return [
        float(part) for part in colour[colour.index("(") + 1 : -1].replace(",", " ").split()[:3]
    ]


def brightness(colour: str) -> float:
    """Gives the relative luminance as WCAG defines it."""
    shares = [value / 255 for value in numbers_in(colour)]
    light = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_too_much_is_refused_before_it_is_uploaded(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open()
    (tmp_path / "big.jpg").write_bytes(bytes(3_100_000))
    many = [tmp_path / f"{number}.jpg" for number in range(7)]
    for path in many:
        path.write_bytes(b"x")
    before = len(visitor.requests)
    page.locator(BOX).set_input_files([str(path) for path in many])
    alert = page.locator("#em-status [role=alert]")
    alert.wait_for()
    assert alert.inner_text() == "7 files at once; this page takes 6. Drop fewer."
    page.locator(BOX).set_input_files([str(tmp_path / "big.jpg")])
    page.get_by_text("big.jpg: 3.1 MB; this page takes files of up to 3 MB.").wait_for()
    assert not any("/upload" in url for url in visitor.requests[before:])
    drop(page, many[0])  # and the box still works
    assert "not a picture" in page.locator(".em-reason").inner_text()
    assert alert.count() == 0


GIVE = """async ([address, name, kind]) => {
  const content = await (await fetch(address)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([content], name, {type: "image/png"}));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true})
    : new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.querySelector("h1").dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_photos_are_pasted_and_dropped_anywhere(kind: str, visitor: Visitor) -> None:
    page = visitor.open()
    picture = page.locator("[data-sample='0'] img").get_attribute("src")
    page.evaluate(GIVE, [picture, "given.png", kind])
    page.locator(".em-card").wait_for()
    assert page.locator(".em-file h3").inner_text() == "given.png"


def test_a_video_is_played_with_its_answers(visitor: Visitor, tmp_path: Path) -> None:
    image = draw_scene(np.random.default_rng(1), ("smile",)).image[:340, :440]
    film(tmp_path / "clip.mp4", [image] * 30, fps=10, sound=3.0)
    page = visitor.open()
    drop(page, tmp_path / "clip.mp4")
    duration = page.locator("video").evaluate(
        "v => new Promise(done => v.readyState ? done(v.duration)"
        " : v.addEventListener('loadedmetadata', () => done(v.duration)))"
    )
    assert duration == pytest.approx(2.0, abs=0.3)
    page.locator("video").evaluate("v => v.play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2")
    assert "only the first 2 seconds" in page.locator(".em-file").inner_text()
    assert len(names(page)) == 1
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV").decode())))
    assert [row["time"] for row in rows] == [str(round(n / 5, 1)) for n in range(10)]
    assert page.locator(".em-timeline").evaluate("e => e.decode().then(() => e.naturalWidth)") > 100


def test_hostile_pictures_are_answered_with_their_reasons(
    visitor: Visitor, shared: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visitor.open()
    hostile = sorted((shared / "data" / "hostile").iterdir())
    assert len(hostile) == 42
    monkeypatch.chdir(hostile[0].parent)
    out = exported.onnx.parent / "hostile.csv"
    arguments = [*(path.name for path in hostile), "--out", str(out), "--model"]
    assert main(["predict", *arguments, str(exported.checkpoint)]) == 1
    theirs = csv.DictReader(io.StringIO(out.read_text()))
    reasons = {(row["source"], row["reason"]) for row in theirs}
    found: set[tuple[str, str]] = set()
    for start in range(0, len(hostile), 6):
        drop(page, *hostile[start : start + 6])
        assert page.locator(".em-file").count() == 6
        ours = csv.DictReader(io.StringIO(download(page, "CSV").decode()))
        found |= {(row["source"], row["reason"]) for row in ours}
    assert found == reasons


def test_ctrl_c_in_the_midst_of_an_answer_ends_at_once(
    everybody: Visitor, exported: Exported, tmp_path: Path
) -> None:
    image = np.zeros((1200, 1600, 3), np.uint8)
    long = film(tmp_path / "long.mp4", [image] * 100, fps=10)
    served = serve(tmp_path, [exported.onnx], "--max-seconds", "60")
    visitor = Visitor(everybody.browser, served.address)
    try:
        page = visitor.open()
        page.locator(BOX).set_input_files([str(long)])
        page.get_by_text("Looking at 1 file").wait_for()
        began = time.monotonic()
        assert served.stop(signal.SIGINT) == 130
        assert time.monotonic() - began < 20
    finally:
        visitor.close()
    assert served.output.read_text().endswith("stopped\n")
    assert "Traceback" not in served.output.read_text()
    assert not list(served.temporary.iterdir())


def test_nothing_of_the_page_is_from_elsewhere(visitor: Visitor) -> None:
    page = visitor.open()
    parts: list[str] = page.evaluate(
        "[...document.querySelectorAll('link[href], script[src], img[src], iframe[src]')]"
        ".map(e => e.href || e.src)"
    )
    assert len(parts) > 5
    assert [part for part in parts if not is_local(part)] == []
    assert page.evaluate("document.fonts.size") == 0
    kept: Any = page.evaluate(
        "async () => [Object.keys(localStorage).length, document.cookie,"
        " (await indexedDB.databases()).length, (await caches.keys()).length]"
    )
    assert kept == [0, "", 0, 0]
