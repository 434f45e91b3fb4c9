"""Timelines: what is kept of a video tells the truth about it, however long it is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.figures.tracks import UNSURE
from emotion.inference.drawn.timelines import MOST_FACES, MOST_POINTS, Timelines
from emotion.inference.predictions import NO_FACE, FacePrediction, Prediction

LABELS = ("neutral", "smile")


def frame(number: int, shares: dict[int, float], fps: float = 10.0) -> Prediction:
    """Makes a frame from the probability of a smile of each face."""
    faces = tuple(
        FacePrediction(
            Detection(Box(0, 0, 9, 9), 1.0), {"neutral": 1 - share, "smile": share}, face, 0.7
        )
        for face, share in shares.items()
    )
    reason = None if faces else NO_FACE
    return Prediction("a.mp4", faces, reason, True, number, number / fps)


def test_each_face_has_its_times_probabilities_and_answers() -> None:
    timelines = Timelines()
    for number, shares in enumerate([{1: 0.8}, {1: 0.6, 2: 0.1}, {1: 0.2, 2: 0.2}]):
        timelines.add(frame(number, shares))
    first, second = timelines.tracks()
    assert timelines.faces == 2
    assert (first.number, first.seen, second.number, second.seen) == (1, 3, 2, 2)
    assert first.times.tolist() == [0.0, 0.1, 0.2]
    assert np.allclose(first.probabilities[:, 1], [0.8, 0.6, 0.2])
    assert first.answers.tolist() == [1, UNSURE, 0]
    assert second.times.tolist() == [0.1, 0.2]
    assert not second.absences.any()


def test_an_absence_is_as_long_as_it_was() -> None:
    timelines = Timelines()
    for number in range(100):
        timelines.add(frame(number, {1: 0.9} if number < 20 or number >= 50 else {}))
    (track,) = timelines.tracks()
    gaps = np.flatnonzero(track.absences)
    assert gaps.tolist() == [20]
    assert track.absences[20] == pytest.approx(5.0 - 1.9)


def test_the_faces_seen_most_come_first() -> None:
    timelines = Timelines()
    for number in range(30):
        timelines.add(frame(number, {3: 0.5} | ({1: 0.5} if number < 10 else {2: 0.5})))
    assert [track.number for track in timelines.tracks()] == [3, 2, 1]
    assert [track.number for track in timelines.tracks(most=1)] == [3]


def test_a_long_video_is_thinned_and_keeps_its_gaps() -> None:
    frames, away = 50_000, range(20_000, 20_051)
    timelines = Timelines()
    for number in range(frames):
        timelines.add(frame(number, {} if number in away else {1: number / frames}))
    (track,) = timelines.tracks()
    assert track.seen == frames - len(away)
    assert MOST_POINTS / 2 - 1 <= len(track.times) < MOST_POINTS
    assert track.times[0] == 0
    assert track.times[-1] > frames / 10 * 0.995
    assert np.allclose(track.probabilities[:, 1], track.times * 10 / frames, atol=1e-6)
    # Points stand evenly but for the gap, which is known for its length.
    steps = np.diff(track.times)
    (gap,) = np.flatnonzero(track.absences)
    assert track.absences[gap] == pytest.approx(5.2, abs=0.01)
    assert track.times[gap - 1] < 2000 <= track.times[gap]
    assert np.delete(steps, gap - 1).max() == pytest.approx(steps.min())


def test_a_gap_at_any_place_survives_thinning() -> None:
    for start in (*range(1000, 1004), MOST_POINTS - 1):  # the last: as points are thinned
        timelines = Timelines()
        for number in range(2 * MOST_POINTS):
            timelines.add(frame(number, {} if start <= number < start + 40 else {1: 0.9}))
        (track,) = timelines.tracks()
        assert np.flatnonzero(track.absences).size == 1
        assert track.absences.max() == pytest.approx(4.1, abs=0.01)


def test_people_without_end_are_counted_and_not_kept() -> None:
    timelines = Timelines()
    for number in range(3000):
        timelines.add(frame(number, {1: 0.9, 2 + number // 5: 0.5}))
    assert timelines.faces == 601
    assert len(timelines.tracks(most=1000)) <= MOST_FACES
    assert timelines.tracks()[0].seen == 3000


def test_a_photo_and_a_step_back_are_refused() -> None:
    timelines = Timelines()
    with pytest.raises(ValueError, match="time=None"):
        timelines.add(Prediction("a.jpg", (), NO_FACE, True))
    timelines.add(frame(5, {}))
    with pytest.raises(ValueError, match=r"expected a frame at 0\.5 s or later"):
        timelines.add(frame(4, {}))


@pytest.mark.parametrize("shares", [[], [{}], [{1: 0.9}], [{1: 0.9}, {}, {1: 0.5}]])
def test_a_picture_is_written_whatever_was_seen(
    shares: list[dict[int, float]], tmp_path: Path
) -> None:
    timelines = Timelines()
    for number, seen in enumerate(shares):
        timelines.add(frame(number, seen))
    timelines.write(tmp_path / "new" / "t.png", "영화 $x$.mp4")
    with Image.open(tmp_path / "new" / "t.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == 1200


def test_gathering_needs_no_matplotlib() -> None:
    code = "import sys, emotion.inference.drawn.timelines; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
