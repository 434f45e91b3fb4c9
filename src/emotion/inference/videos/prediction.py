"""From a video to emotions: each face with a number that lasts, its probabilities averaged."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.errors import VideoError
from emotion.faces.detectors import Detector
from emotion.inference.classifiers import Classifier
from emotion.inference.pipeline import Picture, predict_pictures
from emotion.inference.predictions import FacePrediction, Prediction
from emotion.inference.settings import Settings
from emotion.inference.videos.frames import Frame, FrameChoice, Video, open_video
from emotion.inference.videos.smoothing import Smoother
from emotion.inference.videos.tracks import Tracker

# Frames that wait to be drawn, in bytes: 40 of full HD. Smaller batches keep larger frames to it.
KEPT = 256_000_000
# `predict_pictures` keeps back four pictures without a face for each face of a batch.
IDLE = 4
PLAIN = Settings()


def predict_video(
    video: Video | Path,
    detector: Detector,
    classifier: Classifier,
    settings: Settings = PLAIN,
) -> Iterator[Prediction]:
    """Predicts the chosen frames of a video, in their order; memory does not grow with its length.

    Faces are numbered as persons, see `Tracker`. Their probabilities are averaged over time, see
    `Smoother`; those of the frame alone stay in `raw`.

    A file that cannot be opened, or ends too early, gives a last prediction that is not readable
    and says why, without frame and time.

    Args:
        video: a file, or what `open_video` or `open_camera` gave, which stays open.
        detector: finds the faces; called from several threads.
        classifier: names them.
        settings: the rest. Faces of a camera are named one by one: its answers must not wait.

    Raises:
        EmotionError: PyAV is not installed.
    """
    for _, prediction in _predicted(video, detector, classifier, settings, kept=None):
        yield prediction


def predict_frames(
    video: Video | Path,
    detector: Detector,
    classifier: Classifier,
    settings: Settings = PLAIN,
) -> Iterator[tuple[Frame | None, Prediction]]:
    """Predicts as `predict_video` and gives the frames as well, for drawing on them.

    Batches are smaller where frames are large, so that about `KEPT` bytes of them wait at most,
    beside two a thread.

    Yields:
        Frame and prediction; no frame with the last one of a video that cannot be read to its end.
    """
    return _predicted(video, detector, classifier, settings, kept=deque())


def _predicted(
    video: Video | Path,
    detector: Detector,
    classifier: Classifier,
    settings: Settings,
    kept: deque[Frame] | None,
) -> Iterator[tuple[Frame | None, Prediction]]:
    """Gives each prediction, with its frame where frames are kept."""
    with _opened(video) as source:
        if isinstance(source, VideoError):
            yield None, unreadable(str(video), source)
            return
        reading = _Reading(source, settings.choice, kept)
        most = settings.batch_size if kept is None else _bounded(source.size)
        size = 1 if source.live else min(settings.batch_size, most)
        pictures = reading.pictures()
        found = predict_pictures(
            pictures, detector, classifier, settings.threshold, size, settings.jobs
        )
        for prediction in _followed(found, settings.smoothing):
            yield None if kept is None else kept.popleft(), prediction
        if reading.error is not None:
            yield None, unreadable(source.source, reading.error)


@dataclass
class _Reading:
    """Turns frames into pictures, keeps the frames where asked to, and notes how it ended."""

    video: Video
    choice: FrameChoice
    kept: deque[Frame] | None
    error: VideoError | None = None

    def pictures(self) -> Iterator[Picture]:
        """Gives a picture for each chosen frame; ends where the video does."""
        frames = self.video.frames(self.choice)
        try:
            for frame in frames:
                if self.kept is not None:
                    self.kept.append(frame)
                yield Picture(self.video.source, _Once(frame.image), frame.number, frame.time)
                del frame  # or it would live until the next one is decoded
        except VideoError as error:
            self.error = error


class _Once:
    """Hands an image over once: predictions that wait for a batch must not hold their pictures."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self._images = [image]

    def __call__(self) -> NDArray[np.uint8]:
        return self._images.pop()


def _followed(predictions: Iterator[Prediction], smoothing: float) -> Iterator[Prediction]:
    tracker, smoother = Tracker(), Smoother(smoothing)
    for prediction in predictions:
        time = prediction.time or 0.0
        boxes = [face.detection.box for face in prediction.faces]
        numbers = tracker.numbers(boxes, time)
        faces = tuple(
            _smoothed(face, number, smoother, time)
            for face, number in zip(prediction.faces, numbers, strict=True)
        )
        yield replace(prediction, faces=faces)


def _smoothed(face: FacePrediction, number: int, smoother: Smoother, time: float) -> FacePrediction:
    values = smoother.smooth(number, face.probabilities, time)
    return replace(face, number=number, probabilities=values, raw=face.probabilities)


def _bounded(size: tuple[int, int]) -> int:
    """Gives how many faces may wait for one another, so that their frames fit in `KEPT`."""
    return max(KEPT // (3 * size[0] * size[1] * IDLE), 1)


def unreadable(source: str, error: VideoError) -> Prediction:
    """Gives the prediction that says why a video could not be opened, or not to its end."""
    return Prediction(source, (), str(error), readable=False)


@contextmanager
def _opened(video: Video | Path) -> Iterator[Video | VideoError]:
    if isinstance(video, Video):
        yield video
        return
    try:
        opened = open_video(Path(video))
    except VideoError as error:
        yield error
        return
    with opened:
        yield opened
