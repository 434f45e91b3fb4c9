"""Photos, videos and cameras in a row: order, reasons, drawn copies and how many there are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.films import film
from tests.stand_ins import LABELS, BlockDetector, BrightnessClassifier, block

from emotion.errors import ConfigError, VideoError
from emotion.inference.drawn.folder import DrawnFolder
from emotion.inference.prediction_run import PredictionRun, count_pictures
from emotion.inference.settings import Settings
from emotion.inference.sources import Source
from emotion.inference.videos.frames import FrameChoice


def scene(level: int) -> NDArray[np.uint8]:
    image = np.zeros((64, 96, 3), np.uint8)
    image[10:50, 20:60] = block(level)
    return image


def photo(path: Path, level: int) -> Source:
    Image.fromarray(scene(level)).save(path)
    return Source(path)


def video(path: Path, frames: int = 4) -> Source:
    return Source(film(path, [scene(3)] * frames, fps=10))


def run(**settings: Any) -> PredictionRun:
    return PredictionRun(BlockDetector(), BrightnessClassifier(), Settings(**settings))


@pytest.fixture
def mixed(tmp_path: Path) -> list[Source]:
    (tmp_path / "text.mp4").write_text("no video")
    return [
        photo(tmp_path / "a.png", 1),
        photo(tmp_path / "b.png", 2),
        video(tmp_path / "c.mp4"),
        Source(tmp_path / "text.mp4"),
        photo(tmp_path / "d.png", 4),
    ]


def test_sources_keep_their_order_and_what_is_no_video_is_a_record(mixed: list[Source]) -> None:
    found = list(run().sources(mixed))
    expected = [mixed[0], mixed[1], *[mixed[2]] * 4, mixed[3], mixed[4]]
    assert [p.source for p in found] == [source.name for source in expected]
    assert [p.frame for p in found] == [None, None, 0, 1, 2, 3, None, None]
    assert [p.readable for p in found] == [True] * 6 + [False, True]
    assert [f.emotion for p in found for f in p.faces] == [
        *("anger", "surprise", *["smile"] * 4, "sad")
    ]


def test_frames_can_be_chosen_and_ended(tmp_path: Path) -> None:
    source = video(tmp_path / "c.mp4", 10)
    every = run(choice=FrameChoice(every=4)).sources([source])
    assert [p.frame for p in every] == [0, 4, 8]
    early = run(seconds=0.35).sources([source])
    assert [p.frame for p in early] == [0, 1, 2, 3]


def test_drawing_changes_no_prediction_and_leaves_pictures_and_a_page(
    mixed: list[Source], tmp_path: Path
) -> None:
    drawn = DrawnFolder(tmp_path / "drawn", LABELS, "a.onnx")
    assert list(run().sources(mixed, drawn)) == list(run().sources(mixed))
    page = drawn.finish()
    names = ["0001_a.jpg", "0002_b.jpg", "0003_c.mp4", "0003_c.timeline.png", "0005_d.jpg"]
    assert sorted(path.name for path in page.parent.iterdir()) == [*names, "summary.html"]
    text = page.read_text()
    assert all(name in text for name in names)
    copy = list(run().sources([Source(page.parent / "0003_c.mp4")]))
    assert [p.frame for p in copy] == [0, 1, 2, 3]
    assert np.asarray(Image.open(page.parent / "0001_a.jpg")).shape == (64, 96, 3)


def test_a_camera_that_is_not_there_is_an_error() -> None:
    with pytest.raises(VideoError, match="camera 99"):
        list(run().sources([Source(None, 99)]))


def test_pictures_are_counted_for_the_bar(mixed: list[Source]) -> None:
    assert count_pictures(mixed, FrameChoice()) == 3 + 4 + 1
    assert count_pictures(mixed, FrameChoice(every=4)) == 3 + 1 + 1
    assert count_pictures([Source(None, 0)], FrameChoice()) is None
    assert count_pictures(mixed, FrameChoice(), most=4) is None


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"batch_size": 0}, "batch-size: expected 1 face or more, got 0"),
        ({"jobs": 0}, "jobs: expected 1 thread or more, got 0"),
        ({"threshold": 1.1}, "unsure-below: expected 0 to 1, got 1.1"),
        ({"threshold": float("nan")}, "unsure-below"),
        ({"smoothing": -1.0}, "smoothing: expected 0 seconds or more"),
        ({"smoothing": float("nan")}, "smoothing"),
        ({"seconds": 0.0}, "seconds: expected more than 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Settings(**settings)
