"""Answering a short video: its drawn copy, its timeline, and each person at the surest moment."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from emotion.demo.answers import Answered, Film
from emotion.demo.faces import Face, face_of
from emotion.demo.limits import refuse_search
from emotion.demo.photos import Photo, temporary_folder
from emotion.errors import VideoError
from emotion.inference.drawn.drawing import Layout, draw_predictions
from emotion.inference.drawn.timelines import Timelines
from emotion.inference.prediction_run import PredictionRun
from emotion.inference.predictions import FacePrediction, Prediction
from emotion.inference.videos.drawn_files import VideoWriter
from emotion.inference.videos.frames import Frame, FrameChoice, Video, open_video
from emotion.inference.videos.prediction import predict_frames

PER_SECOND = 5.0  # frames that are looked at: `emotion predict --fps 5`

Pairs = Iterator[tuple[Frame | None, Prediction]]


def answer_video(photo: Photo, run: PredictionRun, seconds: float, upsample: int) -> Answered:
    """Answers the beginning of a video; one that cannot be read is an answer with the reason.

    Args:
        photo: what was dropped.
        run: finds and names the faces.
        seconds: that are looked at.
        upsample: what the run's detector does, for the limit.

    Raises:
        EmotionError: PyAV is not installed, or the drawn copy cannot be written.
    """
    with photo.on_disk() as path:
        try:
            video = open_video(path)
        except VideoError as error:
            return Answered.failed(photo, f"{photo.name}: {error.reason}")
        if reason := refuse_search(*video.size, upsample):
            return Answered.failed(photo, f"{photo.name}: {reason}")
        video.source = photo.name
        return _answer(photo, video, run, seconds)


def _answer(photo: Photo, video: Video, run: PredictionRun, seconds: float) -> Answered:
    cut = video.duration is not None and video.duration > seconds
    video.has_sound &= not cut  # which would go on after the last picture
    settings = replace(run.settings, choice=FrameChoice(per_second=PER_SECOND))
    pairs = predict_frames(video, run.detector, run.classifier, settings)
    early = takewhile(lambda pair: pair[1].time is None or pair[1].time < seconds, pairs)
    with temporary_folder() as folder:
        copy = _Copy(run, folder)
        predictions = tuple(copy.drawn(video, early))
        film = Film(
            copy.bytes_of("drawn.mp4"),
            copy.timeline(photo.name),
            copy.seconds,
            cut,
        )
    faces = tuple(face for _, face in sorted(copy.surest.items()))
    return Answered(photo, predictions, faces, film=film)


class _Copy:
    """Draws frame by frame, and keeps each person's surest moment."""

    def __init__(self, run: PredictionRun, folder: Path) -> None:
        self.surest: dict[int, Face] = {}
        self.seconds = 0.0
        self._run, self._folder = run, folder
        self._timelines, self._layout = Timelines(), Layout()

    def drawn(self, video: Video, pairs: Pairs) -> Iterator[Prediction]:
        """Passes predictions on, and draws each frame."""
        with VideoWriter(self._folder / "drawn.mp4", video) as writer:
            for frame, prediction in pairs:
                yield prediction
                if frame is not None:
                    self._keep(frame, prediction)
                    image = draw_predictions(
                        frame.image, prediction.faces, numbered=True, layout=self._layout
                    )
                    writer.write(image, frame.time)

    def timeline(self, title: str) -> bytes:
        """Gives the picture of the timeline."""
        path = self._folder / "timeline.png"
        self._timelines.write(path, title)
        return path.read_bytes()

    def bytes_of(self, name: str) -> bytes | None:
        """Gives the content of a file that was written; None where there is none."""
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def _keep(self, frame: Frame, prediction: Prediction) -> None:
        self._timelines.add(prediction)
        self.seconds = frame.time
        for face in prediction.faces:
            before = self.surest.get(face.number)
            if before is None or _certainty(face) > _certainty(before.prediction):
                found = face_of(frame.image, face, self._run.classifier.input, frame.time)
                self.surest[face.number] = found


def _certainty(face: FacePrediction) -> float:
    return face.probabilities[face.emotion]
