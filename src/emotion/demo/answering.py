"""Answering what was dropped, for several people at once: each with a choice of their own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from threading import BoundedSemaphore, Event

import numpy as np
from numpy.typing import NDArray

from emotion.demo.answers import Answer, Answered, Choice
from emotion.demo.faces import face_of
from emotion.demo.films import answer_video
from emotion.demo.limits import Limits, refuse_search
from emotion.demo.looks import PHOTO_SIDE, shrunk, to_jpeg
from emotion.demo.photos import Photo
from emotion.errors import EmotionError, PictureError
from emotion.faces.detector_files import build_detector
from emotion.faces.detectors import Detection, Detector
from emotion.inference.pipeline import Picture
from emotion.inference.prediction_run import PredictionRun
from emotion.inference.settings import Settings
from emotion.models import Model
from emotion.threads import cores, map_in_order


class Stopped(Exception):  # noqa: N818  an answer is given up since the page is being ended
    """Nobody waits for the answer any more."""


@dataclass(frozen=True)
class SharedSearch:
    """A detector that searches no more pictures at once than there are places, whoever asks.

    Attributes:
        detector: finds the faces; called from several threads, each of which gets its own copy.
        places: taken for as long as a picture is searched.
        stopping: set when nothing more is to be searched.
    """

    detector: Detector
    places: BoundedSemaphore
    stopping: Event

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Finds the faces of an H x W x 3, uint8, RGB picture, from left to right.

        Raises:
            Stopped: the page is being ended.
        """
        with self.places:
            if self.stopping.is_set():
                raise Stopped
            return self.detector.detect(image)


@cache
def dlib_detector(upsample: int) -> Detector:
    """Gives the detector of `emotion predict` that doubles a picture so often; it is made once."""
    return build_detector(settings={"upsample": upsample})


@dataclass(frozen=True)
class Answerer:
    """Answers; may be called from several threads.

    Attributes:
        models: those that a visitor may choose from; one or more.
        limits: how much is looked at.
        detector: gives the detector that doubles a picture so often before it searches it.
        stopping: set when the page is being ended: answers are given up with `Stopped`.
    """

    models: Sequence[Model]
    limits: Limits
    detector: Callable[[int], Detector] = dlib_detector
    stopping: Event = field(default_factory=Event)
    _places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(cores()))

    def answered(self, photos: Sequence[Photo], choice: Choice) -> Iterator[Answered]:
        """Answers files one after the other, in their order; some are worked on at once."""
        run = self._run(choice)
        return map_in_order(partial(self._answer, run=run, upsample=choice.upsample), photos)

    def labels(self, choice: Choice) -> tuple[str, ...]:
        """Gives the class names of the chosen model."""
        return self.models[choice.model].classifier.input.labels

    def below(self, answer: Answer, threshold: float | None) -> Answer:
        """Gives the same files with another threshold; only videos are looked at again."""
        choice = replace(answer.choice, threshold=threshold)
        run = self._run(choice)
        files = [
            file.below(threshold)
            if file.film is None
            else self._answer(file.photo, run, choice.upsample)
            for file in answer.files
        ]
        return replace(answer, files=tuple(files), choice=choice)

    def _run(self, choice: Choice) -> PredictionRun:
        search = SharedSearch(self.detector(choice.upsample), self._places, self.stopping)
        settings = Settings(choice.threshold, jobs=1)
        return PredictionRun(search, self.models[choice.model].classifier, settings)

    def _answer(self, photo: Photo, run: PredictionRun, upsample: int) -> Answered:
        try:
            if photo.is_video:
                return answer_video(photo, run, self.limits.seconds, upsample)
            return answer_photo(photo, run, upsample)
        except PictureError as error:
            return Answered.failed(photo, str(error))
        except EmotionError as error:
            return Answered.failed(photo, f"{photo.name}: {error}")
        except MemoryError:
            return Answered.failed(photo, f"{photo.name}: not enough memory for it")


def answer_photo(photo: Photo, run: PredictionRun, upsample: int) -> Answered:
    """Answers one photo.

    Args:
        photo: what was dropped.
        run: finds and names the faces, on this thread.
        upsample: what the run's detector does, for the limit.

    Raises:
        PictureError: it cannot be read, or is too large.
    """
    image = photo.image(partial(refuse_search, upsample=upsample))
    (prediction,) = run.pictures([Picture(photo.name, lambda: image)])
    spec = run.classifier.input
    answered = Answered(
        photo,
        (prediction,),
        tuple(face_of(image, face, spec) for face in prediction.faces),
        (image.shape[1], image.shape[0]),
        to_jpeg(shrunk(image, PHOTO_SIDE)) if prediction.readable else b"",
    )
    return answered.redrawn()
