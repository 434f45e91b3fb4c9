"""Predicting a row of sources: photos together in batches, videos and cameras one by one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice, takewhile
from typing import TYPE_CHECKING

from emotion.errors import VideoError
from emotion.faces.detectors import Detector
from emotion.inference.classifiers import Classifier
from emotion.inference.pipeline import Picture, predict_pictures
from emotion.inference.predictions import Prediction
from emotion.inference.settings import Settings
from emotion.inference.sources import Source
from emotion.inference.videos.frames import FrameChoice, Video, open_video
from emotion.inference.videos.prediction import predict_frames, predict_video, unreadable

if TYPE_CHECKING:
    from emotion.inference.drawn.folder import DrawnFolder


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
                        drawn.add(prediction)
            else:
                for source in group:
                    yield from self._video(source, drawn)

    def _video(self, source: Source, drawn: "DrawnFolder | None") -> Iterator[Prediction]:
        try:
            video = _opened(source)
        except VideoError as error:
            if source.path is None:
                raise
            prediction = unreadable(source.name, error)
            yield prediction
            if drawn:
                drawn.add(prediction)
            return
        with video:
            yield from self._frames(video, drawn)

    def _frames(self, video: Video, drawn: "DrawnFolder | None") -> Iterator[Prediction]:
        asked = (video, self.detector, self.classifier, self.settings)
        if drawn is None:
            yield from takewhile(self._is_early, predict_video(*asked))
        else:
            early = takewhile(lambda pair: self._is_early(pair[1]), predict_frames(*asked))
            yield from drawn.draw_video(video, early)

    def _is_early(self, prediction: Prediction) -> bool:
        end = self.settings.seconds
        return end is None or prediction.time is None or prediction.time < end


def _opened(source: Source) -> Video:
    if source.path is not None:
        return open_video(source.path)
    from emotion.inference.videos.cameras import open_camera

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
