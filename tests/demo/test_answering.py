"""Answers: in order, with reasons, for several at once, and as the command gives them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.demo.visitors import answerer, film_of, model, photo
from tests.exports import Exported
from tests.stand_ins import BlockDetector

from emotion.demo.answering import Answerer, SharedSearch, Stopped, dlib_detector
from emotion.demo.answers import Answer, Choice
from emotion.demo.limits import Limits
from emotion.demo.photos import Photo
from emotion.errors import EmotionError
from emotion.faces.detectors import Detection
from emotion.models import open_model
from emotion.predictor import Predictor


def test_files_are_answered_in_their_order_and_what_is_no_picture_has_a_reason(
    tmp_path: Path,
) -> None:
    dropped = [
        photo("a.png", 1),
        Photo("b.jpg", b"text"),
        film_of(tmp_path / "c.mp4", "c.mp4", 4),
        photo("d.png"),
        Photo("e.mp4", b"text"),
    ]
    found = list(answerer().answered(dropped, Choice()))
    assert [file.photo for file in found] == dropped
    assert [[f.prediction.emotion for f in file.faces] for file in found] == [
        *(["anger"], [], ["sad"], [], [])
    ]
    assert "not a picture" in str(found[1].reason)
    assert found[3].reason == "no face found"
    assert "not a video" in str(found[4].reason)
    assert [file.film is not None for file in found] == [False, False, True, False, False]


def test_each_choice_gets_its_model_and_its_threshold() -> None:
    made = answerer(model("a"), model("b", threshold=0.7))
    for choice, answer in ((Choice(0, 0, None), "smile"), (Choice(1, 0, 0.7), "unsure")):
        (file,) = made.answered([photo("a.png", 3)], choice)
        assert file.faces[0].prediction.answer == answer
    assert made.labels(Choice(1)) == made.models[1].classifier.input.labels


def test_a_picture_that_is_too_large_doubled_is_answered_with_the_way_out() -> None:
    large = np.zeros((2500, 2500, 3), np.uint8)
    from emotion.demo.looks import to_jpeg

    dropped = Photo("large.jpg", to_jpeg(large))
    plain, doubled = (
        next(answerer().answered([dropped], Choice(upsample=often))) for often in (0, 2)
    )
    assert plain.reason == "no face found"
    assert "4 times enlarged are too many for this page; look for larger faces" in str(
        doubled.reason
    )


def test_a_mistake_in_one_file_is_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EmotionError("videos and cameras need PyAV")

    monkeypatch.setattr("emotion.demo.answering.answer_video", fail)
    first, second = answerer().answered([Photo("a.mp4", b""), photo("b.png", 1)], Choice())
    assert first.predictions[0].reason == "a.mp4: videos and cameras need PyAV"
    assert len(second.faces) == 1


def test_another_threshold_is_as_if_it_had_been_chosen_at_once(tmp_path: Path) -> None:
    made = answerer()
    dropped = [photo("a.png", 1), film_of(tmp_path / "b.mp4", "b.mp4", 3), Photo("c.jpg", b"")]
    before, at_once = (
        Answer(tuple(made.answered(dropped, Choice(threshold=least))), Choice(threshold=least), ())
        for least in (None, 0.7)
    )
    after = made.below(before, 0.7)
    assert after.choice == Choice(threshold=0.7)
    assert list(after.predictions) == list(at_once.predictions)
    assert after.counts == {"unsure": 2}
    assert [file.drawn for file in after.files] == [file.drawn for file in at_once.files]
    films = [answer.files[1].film for answer in (before, after, at_once)]
    assert all(films)
    assert films[0] != films[1]


class Counting:
    """A detector that knows how many searches there were at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.02)
        with self._lock:
            self.now -= 1
        return []


def test_no_more_searches_at_once_than_places_whoever_asks() -> None:
    counting, places = Counting(), BoundedSemaphore(2)
    searches = [SharedSearch(counting, places, threading.Event()) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda search: search.detect(np.zeros((2, 2, 3), np.uint8)), searches))
    assert counting.most == 2


def test_nothing_is_searched_once_the_page_is_ended() -> None:
    made = answerer()
    running = made.answered([photo(f"{n}.png", 1) for n in range(40)], Choice())
    next(running)
    made.stopping.set()
    with pytest.raises(Stopped):
        list(running)


def test_visitors_at_once_get_their_own_answers() -> None:
    made = replace(answerer(), detector=lambda upsample: BlockDetector())
    asked = [tuple(1 + (k + n) % 4 for n in range(1 + k % 3)) for k in range(24)]

    def ask(levels: tuple[int, ...]) -> list[str]:
        (file,) = made.answered([photo("a.png", *levels)], Choice())
        return [face.prediction.emotion for face in file.faces]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, asked))
    names = made.labels(Choice())
    assert found == [[names[level] for level in levels] for levels in asked]


def test_records_are_those_of_the_predictor(exported: Exported, sample_root: Path) -> None:
    paths = sorted((sample_root / "test" / "img").iterdir())
    opened = open_model(exported.onnx)
    made = Answerer([opened], Limits())
    dropped = [Photo(path.name, path.read_bytes()) for path in paths]
    found = list(made.answered(dropped, Choice(threshold=opened.threshold)))
    predictor = Predictor.load(exported.onnx, jobs=1)
    for file, path in zip(found, paths, strict=True):
        (ours,), theirs = file.predictions, predictor(path)
        assert ours == replace(theirs, source=path.name)
        assert len(file.faces) == len(theirs.faces) > 0


def test_detectors_are_made_once() -> None:
    assert dlib_detector(0) is dlib_detector(0)
    assert dlib_detector(1) is not dlib_detector(0)
