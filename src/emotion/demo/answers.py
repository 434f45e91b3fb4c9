"""What became of the files that somebody dropped: plain values, whatever the page makes of them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from emotion.demo.faces import Face
from emotion.demo.looks import draw_small, from_jpeg
from emotion.demo.photos import Photo
from emotion.inference.predictions import Prediction


@dataclass(frozen=True)
class Choice:
    """What the visitor chose.

    Attributes:
        model: number of the model among those of the command line, from 0.
        upsample: times that a picture is doubled before it is searched.
        threshold: probability below which the answer is "unsure"; None for always answering.
    """

    model: int = 0
    upsample: int = 0
    threshold: float | None = None


@dataclass(frozen=True)
class Film:
    """What there is of a video beside its faces.

    Attributes:
        drawn: the drawn copy, an MP4 file; None where not a frame could be read.
        timeline: the probabilities of each person over time, a PNG file.
        seconds: that were looked at.
        cut: whether there was more of it.
    """

    drawn: bytes | None
    timeline: bytes
    seconds: float
    cut: bool


@dataclass(frozen=True)
class Answered:
    """One file, answered.

    Attributes:
        photo: what was dropped.
        predictions: one for a photo, one a frame for a video; never none.
        faces: from left to right in a photo, by number in a video.
        size: width and height of the photo in pixels; (0, 0) where there is none.
        shown: a small copy of the photo, a JPEG file; b"" where there is none.
        drawn: the same with the answers on it.
        film: what there is of a video; None for a photo.
    """

    photo: Photo
    predictions: tuple[Prediction, ...]
    faces: tuple[Face, ...] = ()
    size: tuple[int, int] = (0, 0)
    shown: bytes = b""
    drawn: bytes = b""
    film: Film | None = None

    @classmethod
    def failed(cls, photo: Photo, reason: str) -> "Answered":
        """Gives the answer to a file that could not be read."""
        return cls(photo, (Prediction(photo.name, (), reason, readable=False),))

    @property
    def reason(self) -> str | None:
        """Why there are no faces, or why a video ends early, without the file's name."""
        reason = self.predictions[-1].reason
        if reason is None or (self.faces and self.predictions[-1].readable):
            return None
        return reason.removeprefix(f"{self.photo.name}: ")

    @property
    def weight(self) -> int:
        """Bytes that it keeps in memory, about."""
        faces = sum(len(face.picture) + face.pixels.nbytes for face in self.faces)
        film = 0 if self.film is None else len(self.film.drawn or b"") + len(self.film.timeline)
        return len(self.photo.content) + len(self.shown) + len(self.drawn) + faces + film

    def below(self, threshold: float | None) -> "Answered":
        """Gives the same photo with another threshold; not for videos, whose copy is drawn anew."""
        predictions = tuple(
            replace(
                prediction,
                faces=tuple(replace(face, threshold=threshold) for face in prediction.faces),
            )
            for prediction in self.predictions
        )
        changed = replace(
            self,
            predictions=predictions,
            faces=tuple(face.below(threshold) for face in self.faces),
        )
        return changed.redrawn()

    def redrawn(self) -> "Answered":
        """Draws the answers on the small copy."""
        if not self.shown:
            return self
        faces = [face.prediction for face in self.faces]
        return replace(self, drawn=draw_small(from_jpeg(self.shown), self.size, faces))


@dataclass(frozen=True)
class Answer:
    """All that was dropped at once, answered.

    Attributes:
        files: in the order in which they were dropped.
        choice: with what they were answered.
        labels: class names, in their order.
    """

    files: tuple[Answered, ...]
    choice: Choice
    labels: tuple[str, ...]

    @property
    def photos(self) -> list[Photo]:
        """What was dropped."""
        return [answered.photo for answered in self.files]

    @property
    def predictions(self) -> Iterator[Prediction]:
        """All predictions, in their order."""
        return (prediction for answered in self.files for prediction in answered.predictions)

    @property
    def weight(self) -> int:
        """Bytes that it keeps in memory, about."""
        return sum(answered.weight for answered in self.files)

    @property
    def counts(self) -> Counter[str]:
        """How often each answer was given."""
        return Counter(face.prediction.answer for face in self.faces())

    def faces(self) -> Iterable[Face]:
        """All faces, in their order."""
        return (face for answered in self.files for face in answered.faces)
