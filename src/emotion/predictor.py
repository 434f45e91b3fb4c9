"""Emotions from Python: load a model once, then call it on photos, arrays or lists of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from emotion.errors import PictureError
from emotion.faces.detector_files import build_detector
from emotion.faces.detectors import Detector
from emotion.faces.searching import BoundedSearch
from emotion.inference.pipeline import BATCH, Picture
from emotion.inference.prediction_run import PredictionRun
from emotion.inference.predictions import Prediction
from emotion.inference.settings import Settings
from emotion.inference.sources import Source
from emotion.inference.videos.frames import FrameChoice
from emotion.inference.videos.smoothing import TIME_CONSTANT
from emotion.models import Model, open_model

Photo = str | PathLike[str] | NDArray[np.uint8]
FROM_MODEL = -1.0  # the threshold that the model file carries, if it does


@dataclass(frozen=True)
class Predictor:
    """Finds the faces in pictures and names their emotions; may be called from several threads.

    Attributes:
        model: what names the faces, and where it is from.
        run: the detector and the settings.
    """

    model: Model
    run: PredictionRun

    @classmethod
    def load(
        cls,
        model: str | PathLike[str] | None = None,
        *,
        detector: str | Detector = "dlib",
        upsample: int | None = None,
        score: float | None = None,
        max_side: int | None = None,
        min_face: int = 0,
        threshold: float | None = FROM_MODEL,
        device: str | None = None,
        batch_size: int = BATCH,
        jobs: int | None = None,
    ) -> Self:
        """Loads a model and a detector.

        Args:
            model: a checkpoint, a run's folder, or an exported file; an .onnx file needs no torch.
                None for the model in the box.
            detector: a name in `conf/detector/`, the path of such a file, or a detector.
            upsample: times that a picture is doubled before it is searched; None for the file's.
            score: least score of a face; None for the file's.
            max_side: longer side in pixels at which a picture is searched at most; None for any.
            min_face: shorter side in pixels of the smallest face that counts.
            threshold: probability below which the answer is "unsure"; None for always answering;
                where it is not given, the model's own.
            device: "cpu", "cuda", …; None for a GPU where there is one.
            batch_size: faces that are classified together.
            jobs: threads that read and search; None for one a core.

        Raises:
            CheckpointError: the model cannot be used.
            ConfigError: a setting is wrong.
        """
        if isinstance(detector, str):
            detector = build_detector(detector, {"upsample": upsample, "threshold": score})
        search = BoundedSearch(detector, max_side, min_face)
        opened = open_model(None if model is None else Path(model), device)
        least = opened.threshold if threshold == FROM_MODEL else threshold
        settings = Settings(least, batch_size, jobs)
        return cls(opened, PredictionRun(search, opened.classifier, settings))

    @overload  # a str is a list of str too, but a path here
    def __call__(self, picture: Photo) -> Prediction: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, picture: Iterable[Photo]) -> list[Prediction]: ...

    def __call__(self, picture: Photo | Iterable[Photo]) -> Prediction | list[Prediction]:
        """Predicts one picture, or several.

        Args:
            picture: a path, an array (H x W x 3, uint8, RGB, or H x W grey), or a list of these.

        Returns:
            A prediction, or a list of them in the same order. A picture that cannot be used is a
            prediction with a reason.
        """
        if isinstance(picture, str | PathLike | np.ndarray):
            # In this thread: a thread of its own would need a detector of its own.
            return next(self._with(jobs=1).pictures([_picture(picture)]))
        return list(self.stream(picture))

    def stream(self, pictures: Iterable[Photo]) -> Iterator[Prediction]:
        """Predicts any number of pictures one after the other, in memory that does not grow."""
        return self.run.pictures(map(_picture, pictures))

    def video(
        self,
        path: str | PathLike[str],
        *,
        every: int = 1,
        per_second: float | None = None,
        smoothing: float = TIME_CONSTANT,
    ) -> Iterator[Prediction]:
        """Predicts the frames of a video, in memory that does not grow.

        Args:
            path: the file.
            every: take each so manieth frame.
            per_second: take so many frames a second instead.
            smoothing: time constant in seconds of the average over frames; 0 for none.
        """
        choice = FrameChoice(every, per_second)
        run = self._with(choice=choice, smoothing=smoothing)
        return run.sources([Source(Path(path), is_video=True)])

    def _with(self, **settings: Any) -> PredictionRun:
        return replace(self.run, settings=replace(self.run.settings, **settings))


def _picture(photo: Photo) -> Picture:
    if isinstance(photo, np.ndarray):
        return Picture("", partial(_checked, photo))
    return Picture.of_file(Path(photo))


def _checked(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shape = " x ".join(map(str, array.shape))
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.shape[2:] == (3,)):
        raise PictureError(
            Path("array"),
            "picture_not_a_picture",
            f"expected H x W x 3 or H x W of uint8 (RGB, 0 to 255), got {shape} of {array.dtype}",
        )
    if 0 in array.shape:
        raise PictureError(Path("array"), "picture_empty", f"no pixels in {shape}")
    return array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2)
