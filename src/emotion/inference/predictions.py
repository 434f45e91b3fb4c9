"""What a prediction says: faces, their probabilities and answers, and how it becomes a record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emotion.faces.detectors import Detection

NO_FACE = "no face found"
UNSURE = "unsure"  # the answer where the most probable class stays below the threshold
CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class FacePrediction:
    """One face that was found.

    Attributes:
        detection: where, and how sure the detector is.
        probabilities: class name -> probability, in the order of the classes; in videos smoothed
            over time.
        number: of the face: from 1, from left to right in a photo; that of a person in a video.
        threshold: least probability of an answer; below it the answer is "unsure". None for always
            answering.
        raw: in videos the probabilities of this frame alone.
    """

    detection: Detection
    probabilities: Mapping[str, float]
    number: int = 1
    threshold: float | None = None
    raw: Mapping[str, float] | None = None

    @property
    def emotion(self) -> str:
        """The most probable class; of equal ones the first."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])

    @property
    def answer(self) -> str:
        """The most probable class, or "unsure" where it stays below the threshold."""
        sure = self.threshold is None or self.probabilities[self.emotion] >= self.threshold
        return self.emotion if sure else UNSURE

    def __str__(self) -> str:
        box = self.detection.box
        share = f"{self.emotion} {self.probabilities[self.emotion]:.0%}"
        told = share if self.answer == self.emotion else f"{self.answer} ({share})"
        return f"face {self.number} at {box.left},{box.top} {box.width} x {box.height}: {told}"


@dataclass(frozen=True)
class Prediction:
    """One picture: a photo, an array, or a frame of a video.

    Attributes:
        source: the file as it was named, or what stands for it; "" for an array.
        faces: from left to right; may be empty.
        reason: why there are no faces; None where some were found.
        readable: whether there was a picture that could be searched.
        frame: number of the frame in its video, from 0; None for a photo.
        time: seconds from the video's beginning; None for a photo.
    """

    source: str
    faces: tuple[FacePrediction, ...]
    reason: str | None
    readable: bool
    frame: int | None = None
    time: float | None = None

    def __str__(self) -> str:
        at = "" if self.time is None else f" at {self.time:.2f} s"
        lines = [str(face) for face in self.faces] or [str(self.reason)]
        return "\n".join([f"{self.source or 'picture'}{at}", *(f"  {line}" for line in lines)])

    def records(self) -> list[dict[str, Any]]:
        """Gives one plain record a face, or a single one with the reason.

        The box names its first and last pixels, as Pascal VOC does. Keys and their order are those
        of `docs/predictions.md`.
        """
        if not self.faces:
            return [self._record(None)]
        return [self._record(face) for face in self.faces]

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values: the picture's own, and a list of faces."""
        own = ("source", "frame", "time", "reason")
        faces = [record for record in self.records() if record["face"] is not None]
        return {
            **{name: getattr(self, name) for name in own},
            "faces": [{k: v for k, v in face.items() if k not in own} for face in faces],
        }

    def _record(self, face: FacePrediction | None) -> dict[str, Any]:
        return {
            "source": self.source,
            "frame": self.frame,
            "time": None if self.time is None else round(self.time, 4),
            "face": face and face.number,
            "box": face and dict(zip(CORNERS, face.detection.box.to_inclusive(), strict=True)),
            "detector_score": face and round(face.detection.score, 4),
            "answer": face and face.answer,
            "emotion": face and face.emotion,
            "probabilities": face and _plain(face.probabilities),
            "raw_probabilities": _plain(face.raw) if face and face.raw is not None else None,
            "reason": self.reason,
        }


def _plain(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in probabilities.items()}
