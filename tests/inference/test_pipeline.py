"""From photos to emotions: order, reasons, records and bounded memory, with stand-ins."""

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.detectors import Detection, DlibDetector
from emotion.faces.inputs import InputSpec
from emotion.inference.pipeline import BATCH, Picture, predict_pictures
from emotion.inference.predictions import NO_FACE, Prediction
from emotion.sketches.scenes import draw_scene
from emotion.threads import cores

LABELS = ("neutral", "anger", "surprise", "smile", "sad")


class ColumnDetector:
    """Finds a face in each column of ten pixels that is not black."""

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        height, width = image.shape[:2]
        columns = range(0, width - 9, 10)
        return [
            Detection(Box(left, 0, left + 10, height), 0.5 + left / 1000)
            for left in columns
            if image[:, left : left + 10].any()
        ]


@dataclass
class BrightnessClassifier:
    """The brighter a face, the later its class: level 25 is class 0, 75 class 1, and so on."""

    input: InputSpec = field(default_factory=lambda: InputSpec(labels=LABELS, size=64))
    batches: list[int] = field(default_factory=list)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert pixels.shape[1:] == (self.input.size, self.input.size, 3)
        assert pixels.dtype == np.uint8
        self.batches.append(len(pixels))
        classes = (pixels.mean(axis=(1, 2, 3)) // 50).astype(int)
        rows = np.full((len(pixels), len(LABELS)), 0.1, np.float32)
        rows[np.arange(len(pixels)), classes] = 0.6
        return rows


def photo(folder: Path, name: str, *classes: int | None) -> Path:
    """Writes a photo with a column of ten pixels for each class; None is black."""
    levels = [0 if c is None else 50 * c + 25 for c in classes]
    row = np.repeat(np.array(levels, np.uint8), 10)
    Image.fromarray(np.tile(row[None, :, None], (12, 1, 3))).save(folder / name)
    return folder / name


def predict(*paths: Path) -> list[Prediction]:
    return list(predict_pictures(photos(*paths), ColumnDetector(), BrightnessClassifier()))


def photos(*paths: Path) -> list[Picture]:
    return [Picture.of_file(path) for path in paths]


def emotions(prediction: Prediction) -> list[str]:
    return [face.emotion for face in prediction.faces]


def test_each_face_has_its_own_answer_from_left_to_right(tmp_path: Path) -> None:
    (prediction,) = predict(photo(tmp_path, "a.png", 3, None, 0, 4))
    assert emotions(prediction) == ["smile", "neutral", "sad"]
    assert [face.detection.box.left for face in prediction.faces] == [0, 20, 30]
    assert prediction.reason is None
    assert prediction.readable
    first = prediction.faces[0]
    assert list(first.probabilities) == list(LABELS)
    assert first.probabilities == pytest.approx(
        {"neutral": 0.1, "anger": 0.1, "surprise": 0.1, "smile": 0.6, "sad": 0.1}
    )


def test_photos_keep_their_order_whatever_is_in_them(tmp_path: Path) -> None:
    paths = []
    for number in range(3 * BATCH + 5):  # several chunks, the last one short
        classes: list[int | None] = list(range(number % 4))
        paths.append(photo(tmp_path, f"{number % 7}_{number}.png", *(classes or [None])))
    paths[5] = tmp_path / "gone.png"
    predictions = predict(*paths)
    assert [p.source for p in predictions] == [str(path) for path in paths]
    for number, prediction in enumerate(predictions):
        count = 0 if number == 5 else number % 4
        assert emotions(prediction) == list(LABELS[:count])


def test_a_photo_may_be_asked_for_twice(tmp_path: Path) -> None:
    path = photo(tmp_path, "a.png", 1)
    assert [emotions(p) for p in predict(path, path)] == [["anger"], ["anger"]]


def test_no_photo_gives_no_prediction() -> None:
    assert predict() == []


def test_without_a_face_there_is_a_record_with_the_reason(tmp_path: Path) -> None:
    (prediction,) = predict(photo(tmp_path, "a.png", None))
    assert prediction.readable
    (record,) = prediction.records()
    assert (record["source"], record["face"]) == (str(tmp_path / "a.png"), None)
    assert record["reason"] == NO_FACE


def test_an_unreadable_photo_is_a_record_with_the_reason_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "empty.jpg").touch()
    bad = [tmp_path / "broken.png", tmp_path / "empty.jpg", tmp_path / "gone.jpg", tmp_path]
    predictions = predict(*bad, photo(tmp_path, "a.png", 2))
    assert [p.readable for p in predictions] == [False] * 4 + [True]
    for path, prediction in zip(bad, predictions, strict=False):
        (record,) = prediction.records()
        assert record["emotion"] is None
        assert record["reason"].startswith(f"{path}: ")
    assert predictions[1].reason == f"{tmp_path / 'empty.jpg'}: empty file"
    assert emotions(predictions[4]) == ["surprise"]


def test_predictions_of_a_classifier_are_json(tmp_path: Path) -> None:
    (prediction,) = predict(photo(tmp_path, "a.png", 3, 1))
    assert json.loads(json.dumps(prediction.records())) == prediction.records()


def test_the_classifier_sees_the_crop_of_its_own_settings(tmp_path: Path) -> None:
    seen: list[NDArray[np.uint8]] = []

    class Watching(BrightnessClassifier):
        def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            seen.append(pixels)
            return super().probabilities(pixels)

    path = photo(tmp_path, "a.png", 1, 2, 3)
    spec = InputSpec(labels=LABELS, size=96, margin=0.1)
    list(predict_pictures(photos(path), ColumnDetector(), Watching(spec)))
    image = np.asarray(Image.open(path))
    expected = [image[:, 0:11], image[:, 9:21], image[:, 19:30]]
    assert np.array_equal(seen[0], np.stack([resize_crop(crop, 96) for crop in expected]))


def test_faces_are_classified_in_full_batches(tmp_path: Path) -> None:
    paths = [photo(tmp_path, f"{k}.png", 1, 2, 3) for k in range(7)]
    classifier = BrightnessClassifier()
    found = list(predict_pictures(photos(*paths), ColumnDetector(), classifier, batch_size=4))
    assert sum(classifier.batches) == 21
    assert max(classifier.batches) == 4
    assert [emotions(p) for p in found] == [["anger", "surprise", "smile"]] * 7


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_batches_and_threads_change_no_answer(tmp_path: Path, jobs: int, batch_size: int) -> None:
    paths = [photo(tmp_path, f"{k}.png", *(range(k % 5) or [None])) for k in range(12)]
    found = predict_pictures(
        photos(*paths), ColumnDetector(), BrightnessClassifier(), None, batch_size, jobs
    )
    assert list(found) == predict(*paths)


def test_a_threshold_makes_answers_unsure(tmp_path: Path) -> None:
    picture = Picture.of_file(photo(tmp_path, "a.png", 1))
    for threshold, answer in ((0.7, "unsure"), (0.5, "anger"), (None, "anger")):
        (found,) = predict_pictures([picture], ColumnDetector(), BrightnessClassifier(), threshold)
        assert (found.faces[0].answer, found.faces[0].emotion) == (answer, "anger")


def test_a_frame_keeps_its_number_and_time() -> None:
    frame = Picture("a.mp4", lambda: np.full((12, 10, 3), 75, np.uint8), frame=7, time=0.25)
    (found,) = predict_pictures([frame], ColumnDetector(), BrightnessClassifier())
    assert (found.source, found.frame, found.time) == ("a.mp4", 7, 0.25)
    assert emotions(found) == ["anger"]


def test_a_detector_that_fails_is_a_record_with_the_reason(tmp_path: Path) -> None:
    class Failing(ColumnDetector):
        def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
            if image.shape[1] == 20:
                raise MemoryError
            return super().detect(image)

    paths = [photo(tmp_path, f"{k}.png", *[1] * k) for k in (1, 2, 3)]
    found = list(predict_pictures(photos(*paths), Failing(), BrightnessClassifier()))
    assert [p.readable for p in found] == [True, False, True]
    assert found[1].reason == f"{paths[1]}: the face detector failed (out of memory)"


def test_without_any_face_the_classifier_is_not_asked(tmp_path: Path) -> None:
    classifier = BrightnessClassifier()
    list(predict_pictures(photos(photo(tmp_path, "a.png", None)), ColumnDetector(), classifier))
    assert classifier.batches == []


def test_paths_are_taken_as_predictions_are_made() -> None:
    taken = 0

    def endless() -> Iterator[Picture]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield Picture.of_file(Path(f"/nowhere/{number}.jpg"))

    predictions = predict_pictures(endless(), ColumnDetector(), BrightnessClassifier())
    for number in range(10 * BATCH):
        assert next(predictions).source == f"/nowhere/{number}.jpg"
        assert taken <= number + 1 + 4 * BATCH + 2 * cores()


@pytest.mark.skipif(cores() < 2, reason="one core detects one photo at a time")
def test_photos_are_searched_at_the_same_time(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=60)  # breaks where one thread searches alone

    class Meeting(ColumnDetector):
        def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
            meeting.wait()
            return super().detect(image)

    paths = [photo(tmp_path, f"{k}.png", k) for k in range(2)]
    predictions = list(predict_pictures(photos(*paths), Meeting(), BrightnessClassifier()))
    assert [emotions(p) for p in predictions] == [["neutral"], ["anger"]]


def test_a_drawn_face_goes_all_the_way(tmp_path: Path) -> None:
    drawn = draw_scene(np.random.default_rng([0, 1]), ["smile"])
    Image.fromarray(drawn.image).save(tmp_path / "a.png")
    (prediction,) = predict_pictures(
        photos(tmp_path / "a.png"), DlibDetector(), BrightnessClassifier()
    )
    (face,) = prediction.faces
    assert face.detection.box.iou(Box(*drawn.faces[0].box)) > 0.4
    assert sum(face.probabilities.values()) == pytest.approx(1)
