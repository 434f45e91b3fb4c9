"""From pictures to emotions: find the faces, cut them out, name them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emotion.errors import PictureError
from emotion.faces.detectors import Detection, Detector
from emotion.faces.images import read_image
from emotion.inference.classifiers import Classifier
from emotion.inference.predictions import NO_FACE, FacePrediction, Prediction
from emotion.threads import map_in_order

BATCH = 16  # faces that are classified together; more is slower on a CPU


@dataclass(frozen=True)
class Picture:
    """Something to be searched for faces.

    Attributes:
        source: the file as it was named, or what stands for it.
        read: gives H x W x 3, uint8, RGB; called from another thread. Raises PictureError.
        frame: number of the frame in its video, from 0; None for a photo.
        time: seconds from the video's beginning; None for a photo.
    """

    source: str
    read: Callable[[], NDArray[np.uint8]]
    frame: int | None = None
    time: float | None = None

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Gives the photo in a file, which is opened when its turn comes."""
        return cls(str(path), partial(read_image, path))


@dataclass(frozen=True)
class _Searched:
    picture: Picture
    detections: tuple[Detection, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    reason: str | None
    readable: bool


def predict_pictures(
    pictures: Iterable[Picture],
    detector: Detector,
    classifier: Classifier,
    threshold: float | None = None,
    batch_size: int = BATCH,
    jobs: int | None = None,
) -> Iterator[Prediction]:
    """Predicts pictures, in their order; detection runs on all cores, classification in batches.

    Memory does not grow with the number of pictures. One that cannot be read, or has no face, is a
    prediction with a reason.

    Args:
        pictures: taken one by one as the work advances.
        detector: finds the faces; called from several threads.
        classifier: names them.
        threshold: least probability of an answer, see `FacePrediction`.
        batch_size: faces that are classified together, at least as long as there are more.
        jobs: threads that read and search; None for one a core.
    """
    search = partial(_search, detector=detector, classifier=classifier)
    waiting: list[_Searched] = []
    faces = 0
    for searched in map_in_order(search, pictures, jobs):
        waiting.append(searched)
        faces += len(searched.pixels)
        # Pictures without faces are not kept back for ever.
        if faces >= batch_size or len(waiting) >= 4 * batch_size:
            yield from _classify(waiting, classifier, threshold, batch_size)
            waiting, faces = [], 0
    yield from _classify(waiting, classifier, threshold, batch_size)


def _search(picture: Picture, detector: Detector, classifier: Classifier) -> _Searched:
    try:
        image = picture.read()
    except PictureError as error:
        return _Searched(picture, (), (), str(error), readable=False)
    try:
        detections = tuple(detector.detect(image))
    except (RuntimeError, MemoryError) as error:  # one odd photo must not end a run of many
        reason = f"{picture.source}: the face detector failed ({str(error) or 'out of memory'})"
        return _Searched(picture, (), (), reason, readable=False)
    pixels = tuple(classifier.input.pixels(image, found.box) for found in detections)
    return _Searched(picture, detections, pixels, None if detections else NO_FACE, readable=True)


def _classify(
    pictures: list[_Searched], classifier: Classifier, threshold: float | None, batch_size: int
) -> Iterator[Prediction]:
    pixels = [face for picture in pictures for face in picture.pixels]
    batches = [pixels[i : i + batch_size] for i in range(0, len(pixels), batch_size)]
    rows = iter([row for batch in batches for row in classifier.probabilities(np.stack(batch))])
    for searched in pictures:
        faces = tuple(
            FacePrediction(detection, named(next(rows), classifier.input.labels), number, threshold)
            for number, detection in enumerate(searched.detections, 1)
        )
        picture = searched.picture
        yield Prediction(
            picture.source, faces, searched.reason, searched.readable, picture.frame, picture.time
        )


def named(row: NDArray[np.float32], labels: Iterable[str]) -> dict[str, float]:
    """Gives class name -> probability for a row of probabilities."""
    return {label: float(value) for label, value in zip(labels, row, strict=True)}
