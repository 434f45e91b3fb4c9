"""From photos to emotions: find the faces, cut them out, name them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.errors import PictureError
from emotion.faces.detectors import Detection, Detector
from emotion.faces.images import read_image
from emotion.inference.classifiers import Classifier
from emotion.threads import map_in_order

CHUNK = 16  # photos whose faces are classified together
NO_FACE = "no face found"


@dataclass(frozen=True)
class FacePrediction:
    """One face that was found.

    Attributes:
        detection: where, and how sure the detector is.
        probabilities: class name -> probability, in the order of the classes.
    """

    detection: Detection
    probabilities: dict[str, float]

    @property
    def emotion(self) -> str:
        """The most probable class; of equal ones the first."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])


@dataclass(frozen=True)
class PhotoPrediction:
    """One photo: its faces from left to right, or the reason why there are none.

    Attributes:
        source: the photo.
        faces: may be empty.
        reason: None where faces were found.
        readable: whether the photo could be decoded and searched.
    """

    source: Path
    faces: tuple[FacePrediction, ...]
    reason: str | None
    readable: bool

    def records(self) -> list[dict[str, Any]]:
        """Gives one plain record a face, or a single one with the reason.

        The box names its first and last pixels, as Pascal VOC does.
        """
        if not self.faces:
            return [self._record(None, None)]
        return [self._record(number, face) for number, face in enumerate(self.faces, 1)]

    def _record(self, number: int | None, face: FacePrediction | None) -> dict[str, Any]:
        names = ("xmin", "ymin", "xmax", "ymax")
        return {
            "source": str(self.source),
            "face": number,
            "box": dict(zip(names, face.detection.box.to_inclusive(), strict=True))
            if face
            else None,
            "detector_score": round(face.detection.score, 4) if face else None,
            "emotion": face.emotion if face else None,
            "probabilities": {k: round(v, 6) for k, v in face.probabilities.items()}
            if face
            else None,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class _FoundFaces:
    source: Path
    detections: tuple[Detection, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    reason: str | None
    readable: bool


def predict_photos(
    paths: Iterable[Path], detector: Detector, classifier: Classifier
) -> Iterator[PhotoPrediction]:
    """Predicts photos, in their order; detection runs on all cores.

    Memory does not grow with the number of photos. A photo that cannot be read, or has no face, is
    a prediction with a reason.
    """

    def find(path: Path) -> _FoundFaces:
        try:
            image = read_image(path)
        except PictureError as error:
            return _FoundFaces(path, (), (), str(error), readable=False)
        try:
            detections = tuple(detector.detect(image))
        except (RuntimeError, MemoryError) as error:  # one odd photo must not end a run of many
            reason = f"{path}: the face detector failed ({error or 'out of memory'})"
            return _FoundFaces(path, (), (), reason, readable=False)
        pixels = tuple(classifier.input.pixels(image, found.box) for found in detections)
        return _FoundFaces(path, detections, pixels, None if detections else NO_FACE, readable=True)

    found = map_in_order(find, paths)
    while chunk := list(islice(found, CHUNK)):
        yield from _classify(chunk, classifier)


def _classify(photos: list[_FoundFaces], classifier: Classifier) -> Iterator[PhotoPrediction]:
    pixels = [face for photo in photos for face in photo.pixels]
    rows = iter(classifier.probabilities(np.stack(pixels)) if pixels else ())
    for photo in photos:
        faces = tuple(
            FacePrediction(detection, _named(next(rows), classifier.input.labels))
            for detection in photo.detections
        )
        yield PhotoPrediction(photo.source, faces, photo.reason, photo.readable)


def _named(row: NDArray[np.float32], labels: Iterable[str]) -> dict[str, float]:
    return {label: float(value) for label, value in zip(labels, row, strict=True)}
