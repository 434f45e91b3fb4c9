"""Predicting a row of sources: photos together in batches, videos and cameras one by one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice, takewhile
from typing import TYPE_CHECKING

from emotion.errors import ConfigError, VideoError
from emotion.faces.detectors import Detector
from emotion.inference.classifiers import Classifier
from emotion.inference.frames import FrameChoice, Video, open_video
from emotion.inference.pipeline import BATCH, Picture, predict_pictures
from emotion.inference.predictions import Prediction
from emotion.inference.sources import Source

if TYPE_CHECKING:
    from emotion.inference.drawn_folder import DrawnFolder

SMOOTHING = 0.5  # seconds over which the probabilities of a face in a video are averaged


@dataclass(frozen=True)
class Settings:
    """How is predicted, whatever finds and names the faces.

    Attributes:
        threshold: least probability of an answer; None for always answering.
        batch_size: faces that are classified together.
        jobs: threads that read and search; None for one a core.
        choice: which frames of a video.
        smoothing: time constant in seconds of the average over frames; 0 for none.
        seconds: how much of a video or camera; None for all.

    Raises:
        ConfigError: a value is out of range.
    """

    threshold: float | None = None
    batch_size: int = BATCH
    jobs: int | None = None
    choice: FrameChoice = field(default_factory=FrameChoice)
    smoothing: float = SMOOTHING
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"batch-size: expected 1 face or more, got {self.batch_size}")
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError(f"jobs: expected 1 thread or more, got {self.jobs}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f"unsure-below: expected 0 to 1, got {self.threshold}")
        if not 0 <= self.smoothing < float("inf"):
            raise ConfigError(f"smoothing: expected 0 seconds or more, got {self.smoothing}")
        if self.seconds is not None and not self.seconds > 0:
            raise ConfigError(f"seconds: expected more than 0, got {self.seconds}")


@dataclass(frozen=True)
class PredictionRun:
    """What answers, and how.

    Attributes:
        detector: finds the faces.
        classifier: names them.
        settings: the rest.
    """

    detector: Detector
    classifier: Classifier
    settings: Settings = field(default_factory=Settings)

    def pictures(self, pictures: Iterable[Picture]) -> Iterator[Prediction]:
        """Predicts pictures, in their order."""
        chosen = self.settings
        return predict_pictures(
            pictures,
            self.detector,
            self.classifier,
            chosen.threshold,
            chosen.batch_size,
            chosen.jobs,
        )

    def sources(
        self, sources: Iterable[Source], drawn: "DrawnFolder | None" = None
    ) -> Iterator[Prediction]:
        """Predicts sources, in their order; memory does not grow with their number.

        A photo or video that cannot be read is a prediction with a reason.

        Args:
            sources: taken one by one as the work advances.
            drawn: draws each picture after its prediction was taken.

        Raises:
            VideoError: a camera is not there.
        """
        for are_photos, group in groupby(sources, key=lambda source: source.is_photo):
            if are_photos:
                photos = (Picture.of_file(source.path) for source in group if source.path)
                for prediction in self.pictures(photos):
                    yield prediction
                    if drawn:
                        drawn.add_photo(prediction)
            else:
                for source in group:
                    yield from self._video(source, drawn)

    def _video(self, source: Source, drawn: "DrawnFolder | None") -> Iterator[Prediction]:
        try:
            video = _opened(source)
        except VideoError as error:
            if source.path is None:
                raise
            prediction = Prediction(source.name, (), str(error), readable=False)
            yield prediction
            if drawn:
                drawn.add_unreadable(prediction)
            return
        with video:
            yield from self._frames(video, drawn)

    def _frames(self, video: Video, drawn: "DrawnFolder | None") -> Iterator[Prediction]:
        from emotion.inference.video import predict_frames, predict_video

        chosen = self.settings
        asked = (self.detector, self.classifier, chosen.threshold, chosen.choice)
        more = (chosen.batch_size, chosen.jobs, chosen.smoothing)
        if drawn is None:
            yield from takewhile(self._is_early, predict_video(video, *asked, *more))
        else:
            pairs = predict_frames(video, *asked, *more)
            yield from drawn.draw_video(
                video, takewhile(lambda pair: self._is_early(pair[1]), pairs)
            )

    def _is_early(self, prediction: Prediction) -> bool:
        end = self.settings.seconds
        return end is None or prediction.time is None or prediction.time < end


def _opened(source: Source) -> Video:
    if source.path is not None:
        return open_video(source.path)
    from emotion.inference.cameras import open_camera

    assert source.camera is not None, "a source is a file or a camera"
    return open_camera(source.camera)


def count_pictures(
    sources: Iterable[Source], choice: FrameChoice, most: int = 100_000
) -> int | None:
    """Counts photos and frames, for the progress bar; None where nobody knows.

    Args:
        sources: as they will be predicted.
        choice: which frames of a video.
        most: sources that are counted; more would take long for a bar.
    """
    total = 0
    counted = list(islice(sources, most + 1))
    if len(counted) > most:
        return None
    for source in counted:
        frames = 1 if source.is_photo else _frames_expected(source, choice)
        if frames is None:
            return None
        total += frames
    return total


def _frames_expected(source: Source, choice: FrameChoice) -> int | None:
    if source.path is None:
        return None
    try:
        with open_video(source.path) as video:
            return video.frames_expected(choice)
    except VideoError:
        return 1  # the record that says so
