"""Short videos: as `emotion predict --fps 5` answers them, drawn, each person at the surest."""

import io
import tempfile
from pathlib import Path

import pytest
from PIL import Image
from tests.demo.visitors import film_of, scene
from tests.films import film
from tests.stand_ins import LABELS, BlockDetector, BrightnessClassifier

from emotion.demo.films import PER_SECOND, answer_video
from emotion.demo.photos import Photo
from emotion.inference.prediction_run import PredictionRun
from emotion.inference.settings import Settings
from emotion.inference.sources import Source
from emotion.inference.videos.frames import FrameChoice, open_video

RUN = PredictionRun(BlockDetector(), BrightnessClassifier(), Settings(jobs=1))


def test_frames_are_those_of_the_command(tmp_path: Path) -> None:
    dropped = film_of(tmp_path / "a.mp4", "mine.mp4", 2, 4, frames=20)
    found = answer_video(dropped, RUN, 60, 0)
    choice = FrameChoice(per_second=PER_SECOND)
    run = PredictionRun(RUN.detector, RUN.classifier, Settings(jobs=1, choice=choice))
    theirs = list(run.sources([Source(tmp_path / "a.mp4")]))
    assert len(found.predictions) == len(theirs) == 10
    for prediction, other in zip(found.predictions, theirs, strict=True):
        assert prediction.source == "mine.mp4"
        assert (prediction.faces, prediction.frame, prediction.time) == (
            *(other.faces, other.frame, other.time),
        )


def test_only_the_first_seconds_are_looked_at(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene(2)] * 30, fps=10, sound=3.0)
    dropped = Photo("a.mp4", path.read_bytes())
    found = answer_video(dropped, RUN, 1.0, 0)
    assert [prediction.time for prediction in found.predictions] == pytest.approx(
        [0.0, 0.2, 0.4, 0.6, 0.8]
    )
    assert found.film is not None
    assert found.film.cut
    (tmp_path / "drawn.mp4").write_bytes(found.film.drawn or b"")
    drawn = open_video(tmp_path / "drawn.mp4")
    assert not drawn.has_sound  # it would go on after the last picture
    assert drawn.duration == pytest.approx(1.0, abs=0.21)
    whole = answer_video(dropped, RUN, 10, 0).film
    assert whole is not None
    assert not whole.cut
    (tmp_path / "drawn.mp4").write_bytes(whole.drawn or b"")
    assert open_video(tmp_path / "drawn.mp4").has_sound


def test_there_is_a_drawn_copy_and_a_timeline(tmp_path: Path) -> None:
    found = answer_video(film_of(tmp_path / "a.mp4", "a.mp4", 2), RUN, 10, 0)
    assert found.film is not None
    assert found.film.drawn is not None
    (tmp_path / "drawn.mp4").write_bytes(found.film.drawn)
    frames = list(open_video(tmp_path / "drawn.mp4").frames())
    assert len(frames) == len(found.predictions)
    assert frames[0].image.shape == (160, 240, 3)
    assert abs(frames[0].image.astype(int) - scene(2)).max() > 60
    assert Image.open(io.BytesIO(found.film.timeline)).format == "PNG"


def test_each_person_is_kept_once_at_the_surest_moment(tmp_path: Path) -> None:
    # A person who turns from anger to sadness is less sure between them, by the smoothing.
    scenes = [scene(1, 3)] * 10 + [scene(4, 3)] * 10
    path = film(tmp_path / "a.mp4", scenes, fps=10)
    found = answer_video(Photo("a.mp4", path.read_bytes()), RUN, 10, 0)
    assert [face.prediction.number for face in found.faces] == [1, 2]
    for face in found.faces:
        shares = [
            seen.probabilities[seen.emotion]
            for prediction in found.predictions
            for seen in prediction.faces
            if seen.number == face.prediction.number
        ]
        assert face.prediction.probabilities[face.prediction.emotion] == max(shares)
        assert face.time is not None
    assert found.faces[0].prediction.emotion == LABELS[1]


def test_what_is_no_video_or_too_large_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = answer_video(Photo("x.mp4", b"text" * 9), RUN, 10, 0)
    assert broken.predictions[0].reason == f"x.mp4: {broken.reason}"
    assert "not a video" in str(broken.reason)
    monkeypatch.setattr("emotion.demo.limits.MOST_SEARCHED", 240 * 160)
    large = answer_video(film_of(tmp_path / "a.mp4", "a.mp4", 1), RUN, 10, 1)
    assert "240 x 160 pixels 2 times enlarged are too many" in str(large.reason)
    assert large.film is None


def test_a_video_that_is_cut_off_says_so_and_has_its_faces(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [scene(2)] * 60, fps=10)
    content = path.read_bytes()
    found = answer_video(Photo("a.mkv", content[: len(content) * 2 // 3]), RUN, 10, 0)
    assert found.faces
    assert found.reason is not None
    assert not found.predictions[-1].readable
    assert found.predictions[-1].source == "a.mkv"


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped = film_of(tmp_path / "a.mp4", "a.mp4", 2)
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    answer_video(dropped, RUN, 10, 0)
    assert not list(place.iterdir())
