"""From videos to emotions: numbers, times, averages, ends, and memory that does not grow."""

import itertools
import math
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.films import cut, film
from tests.stand_ins import BlockDetector, BrightnessClassifier, block

import emotion.inference.videos.prediction as video_module
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection, DlibDetector
from emotion.inference.predictions import NO_FACE, Prediction
from emotion.inference.settings import Settings
from emotion.inference.videos.frames import Frame, FrameChoice, Video, open_video
from emotion.inference.videos.prediction import KEPT, predict_frames, predict_video
from emotion.sketches.scenes import draw_scene
from emotion.threads import cores

SIZE = (256, 64)


def scene(*faces: tuple[float, int]) -> NDArray[np.uint8]:
    """Draws faces on black: left and class of each."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for left, level in faces:
        image[16:48, round(left) : round(left) + 32] = block(level)
    return image


def predict(path: Path, **options: Any) -> list[Prediction]:
    return list(predict_video(path, BlockDetector(), BrightnessClassifier(), Settings(**options)))


def test_each_frame_is_a_prediction_with_number_and_time(tmp_path: Path) -> None:
    times = [0, 0.1, 0.15, 0.6, 1.0]
    path = film(tmp_path / "a.mp4", [scene((32, 3))] * 5, times)
    predictions = predict(path)
    assert [p.frame for p in predictions] == [0, 1, 2, 3, 4]
    assert [p.time for p in predictions] == pytest.approx(times, abs=1e-4)
    assert {p.source for p in predictions} == {str(path)}
    assert [[face.emotion for face in p.faces] for p in predictions] == [["smile"]] * 5


def test_people_keep_their_numbers_while_they_walk_and_come_and_go(tmp_path: Path) -> None:
    images = [
        *(scene((16 + 4 * k, 1), (160, 3)) for k in range(10)),
        *(scene((56, 1)) for _ in range(50)),  # two seconds: the other one has left
        *(scene((56, 1), (160, 4)) for _ in range(3)),
    ]
    predictions = predict(film(tmp_path / "a.mp4", images))
    numbers = [[face.number for face in p.faces] for p in predictions]
    assert numbers == [[1, 2]] * 10 + [[1]] * 50 + [[1, 3]] * 3


def test_probabilities_are_averaged_over_time_and_the_raw_ones_stay(tmp_path: Path) -> None:
    times = [0, 0.2, 0.3, 0.7]
    classes = [1, 3, 3, 3]
    path = film(tmp_path / "a.mp4", [scene((96, k)) for k in classes], times)
    faces = [p.faces[0] for p in predict(path, smoothing=0.5)]
    names = list(faces[0].probabilities)
    for face, level in zip(faces, classes, strict=True):
        assert face.raw is not None
        expected = {name: 0.6 if names.index(name) == level else 0.1 for name in names}
        assert face.raw == pytest.approx(expected)
    shares = [face.probabilities["smile"] for face in faces]
    assert shares == pytest.approx([0.6 - 0.5 * math.exp(-t / 0.5) for t in times], abs=1e-3)
    assert [face.emotion for face in faces] == ["anger", "anger", "anger", "smile"]


def test_without_averaging_they_are_the_raw_ones(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene((96, k)) for k in (1, 3, 2)])
    for prediction in predict(path, smoothing=0):
        (face,) = prediction.faces
        assert face.probabilities == face.raw


def test_the_threshold_is_one_of_the_averages(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene((96, k)) for k in (1, 3)], [0, 0.3])
    answers = [p.faces[0].answer for p in predict(path, threshold=0.5)]
    assert answers == ["anger", "unsure"]


def test_a_frame_without_a_face_says_so(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene(), scene((96, 2)), scene()])
    predictions = predict(path)
    assert [p.reason for p in predictions] == [NO_FACE, None, NO_FACE]
    assert all(p.readable for p in predictions)
    assert predictions[2].records()[0]["frame"] == 2


def test_only_chosen_frames_are_searched(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene((96, 2))] * 50)
    assert [p.frame for p in predict(path, choice=FrameChoice(every=20))] == [0, 20, 40]
    assert [p.frame for p in predict(path, choice=FrameChoice(per_second=2))] == [0, 13, 25, 38]


def test_a_cut_is_a_last_prediction_with_the_reason(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 40, (100, SIZE[1], SIZE[0], 3), np.uint8)
    images = [np.maximum(scene((96, 2)), grain // 2) for grain in noise]
    path = cut(film(tmp_path / "a.mkv", images))
    *whole, last = predict(path)
    assert len(whole) > 30
    assert [p.frame for p in whole] == list(range(len(whole)))
    assert all(p.readable for p in whole)
    assert not last.readable
    assert (last.frame, last.time, last.faces) == (None, None, ())
    place = f"{whole[-1].time:.2f} s (frame {whole[-1].frame})"
    assert str(last.reason).startswith(f"{path}: cut off after {place}: ")


def test_a_video_that_cannot_be_opened_is_one_prediction(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    for path in (tmp_path / "a.mp4", tmp_path / "gone.mp4"):
        (prediction,) = predict(path)
        assert not prediction.readable
        assert prediction.source == str(path)
        assert str(prediction.reason).startswith(f"{path}: ")
        pairs = list(predict_frames(path, BlockDetector(), BrightnessClassifier()))
        assert pairs == [(None, prediction)]


def test_frames_come_with_their_predictions(tmp_path: Path) -> None:
    images = [scene((16 + 3 * k, 2), *([(200, 3)] if k % 3 else [])) for k in range(45)]
    path = film(tmp_path / "a.mp4", images)
    pairs = list(predict_frames(path, BlockDetector(), BrightnessClassifier()))
    assert [prediction for _, prediction in pairs] == predict(path)
    for frame, prediction in pairs:
        assert frame is not None
        assert (frame.number, frame.time) == (prediction.frame, prediction.time)
        found = BlockDetector().detect(frame.image)
        assert found == [face.detection for face in prediction.faces]


def test_at_a_cut_the_last_prediction_has_no_frame(tmp_path: Path) -> None:
    path = cut(film(tmp_path / "a.mkv", [scene((k, 2)) for k in range(100)]))
    *_, (frame, prediction) = predict_frames(path, BlockDetector(), BrightnessClassifier())
    assert frame is None
    assert "cut off after" in str(prediction.reason)


class Endless(Video):
    """A video that never ends, and that knows how many of its images are still alive."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        super().__init__("endless", None, size, 25.0)
        self.references: list[weakref.ref[NDArray[np.uint8]]] = []
        self.made = 0

    def frames(self, choice: FrameChoice = FrameChoice()) -> Iterator[Frame]:  # noqa: B008
        for number in itertools.count():
            image = scene((16, 2)) if number % 50 == 0 else scene()
            self.references.append(weakref.ref(image))
            self.made += 1
            yield Frame(number, number / 25, image)
            del image

    @property
    def held(self) -> int:
        self.references = [reference for reference in self.references if reference() is not None]
        return len(self.references)


def test_predictions_that_wait_hold_no_pictures() -> None:
    video, most = Endless(), 0
    for _ in itertools.islice(predict_video(video, BlockDetector(), BrightnessClassifier()), 300):
        most = max(most, video.held)
    assert most <= 2 * cores() + 2
    assert video.made < 300 + 100


def test_frames_that_wait_to_be_drawn_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_module, "KEPT", 16 * 3 * SIZE[0] * SIZE[1])
    video, most = Endless(), 0
    pairs = predict_frames(video, BlockDetector(), BrightnessClassifier())
    for _ in itertools.islice(pairs, 300):
        most = max(most, video.held)
    assert most <= 16 + 2 * cores() + 2
    assert KEPT < 2**28


def test_people_in_a_drawn_video_are_found_and_followed(tmp_path: Path) -> None:
    drawn = draw_scene(np.random.default_rng([4, 2]), ["smile", "anger"])
    height, width = (side // 2 * 2 for side in drawn.image.shape[:2])
    images = [np.roll(drawn.image, 4 * k, axis=1)[:height, :width] for k in range(8)]
    path = film(tmp_path / "a.mp4", images, fps=10)
    predictions = list(predict_video(path, DlibDetector(), BrightnessClassifier()))
    first = [face.number for face in predictions[0].faces]
    assert first
    for k, prediction in enumerate(predictions):
        for face in prediction.faces:
            boxes = [Box(*one.box) for one in drawn.faces]
            moved = [Box(b.left + 4 * k, b.top, b.right + 4 * k, b.bottom) for b in boxes]
            assert max(face.detection.box.iou(box) for box in moved) > 0.4
    assert {face.number for p in predictions for face in p.faces} <= {1, 2}


MEMORY = """
import resource, sys
from pathlib import Path
from typing import Any
from tests.stand_ins import BlockDetector, BrightnessClassifier
from emotion.inference.videos.prediction import predict_frames, predict_video
predict = predict_frames if sys.argv[1] == "frames" else predict_video
count = sum(1 for _ in predict(Path(sys.argv[2]), BlockDetector(), BrightnessClassifier()))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="units of ru_maxrss differ")
@pytest.mark.parametrize("kind", ["frames", "video"])
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path: Path, kind: str) -> None:
    used = {}
    for count in (200, 2000):
        images = (np.kron(scene((k % 200, 2)), np.ones((4, 2, 1), np.uint8)) for k in range(count))
        path = film(tmp_path / f"{count}.mp4", images)
        command = [sys.executable, "-c", MEMORY, kind, str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
        )
        frames, kilobytes = map(int, done.stdout.split())
        assert frames == count
        used[count] = kilobytes
    # A frame has 384 KiB: were they kept, 1800 more would take 690 000 KiB. The peak of the same
    # film differs by some thousand from one process to the next.
    assert used[2000] - used[200] < 20_000


def test_a_detector_that_fails_on_a_frame_ends_nothing(tmp_path: Path) -> None:
    class Failing(BlockDetector):
        def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
            if not image.any():
                raise RuntimeError("odd")
            return super().detect(image)

    path = film(tmp_path / "a.mp4", [scene((96, 2)), scene(), scene((96, 2))])
    predictions = list(predict_video(path, Failing(), BrightnessClassifier()))
    assert [p.readable for p in predictions] == [True, False, True]
    assert [face.number for p in predictions for face in p.faces] == [1, 1]


def test_an_open_video_stays_open(tmp_path: Path) -> None:
    with open_video(film(tmp_path / "a.mp4", [scene((96, 2))] * 3)) as video:
        for _ in range(2):
            found = predict_video(video, BlockDetector(), BrightnessClassifier())
            assert [p.frame for p in found] == [0, 1, 2]
