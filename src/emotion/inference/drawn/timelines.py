"""Probabilities over time: what a timeline keeps of a video, however long it is."""

import warnings
from array import array
from pathlib import Path

import numpy as np

from emotion.figures.tracks import UNSURE, Track
from emotion.inference.predictions import FacePrediction, Prediction

MOST_POINTS = 4000  # of a face; a picture is not so wide
MOST_FACES = 64  # kept at a time; of those that have left the picture, the least seen go first
SHOWN = 8  # faces in a picture


class Timelines:
    """Gathers the faces of one video, frame by frame; memory does not grow with its length.

    Where a face has too many points every second one is dropped, and from then on only every
    second of its frames is kept, and so on.
    """

    def __init__(self) -> None:
        self._labels: tuple[str, ...] = ()
        self._faces: dict[int, _Points] = {}
        self._dropped = 0
        self._last: float | None = None
        self._first = 0.0

    @property
    def faces(self) -> int:
        """How many faces there were in all."""
        return len(self._faces) + self._dropped

    def add(self, prediction: Prediction) -> None:
        """Takes the next frame, whether it has faces or not.

        Raises:
            ValueError: it is no frame of a video, or comes before the last one.
        """
        time = prediction.time
        if time is None or (self._last is not None and time < self._last):
            raise ValueError(f"expected a frame at {self._last} s or later, got time={time}")
        if self._last is None:
            self._first = time
        for face in prediction.faces:
            self._labels = self._labels or tuple(face.probabilities)
            points = self._faces.setdefault(face.number, _Points(len(self._labels)))
            points.add(face, time, self._last)
        self._last = time
        if len(self._faces) > MOST_FACES:
            self._drop({face.number for face in prediction.faces})

    def tracks(self, most: int = SHOWN) -> list[Track]:
        """Gives the faces that were seen most, those first."""
        order = sorted(self._faces, key=lambda number: (-self._faces[number].seen, number))
        return [self._faces[number].track(number) for number in order[:most]]

    def write(self, path: Path, title: str) -> None:
        """Draws the timeline.

        Args:
            path: of the PNG.
            title: stands above; a file's name, say.

        Raises:
            EmotionError: the file cannot be written.
        """
        from emotion.figures.canvas import save_figure
        from emotion.figures.timeline import Key, draw_timeline
        from emotion.inference.drawn.drawing import COLOURS, UNSURE_COLOUR

        # A letter of a name that the font has not is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        tracks = self.tracks()
        colours = [COLOURS[number % len(COLOURS)] for number in range(len(self._labels))]
        key = Key(self._labels, colours, UNSURE_COLOUR)
        span = self._first, self._last or self._first
        figure = draw_timeline(tracks, key, title, span, self.faces - len(tracks))
        save_figure(figure, path)

    def _drop(self, present: set[int]) -> None:
        gone = [number for number in self._faces if number not in present]
        gone.sort(key=lambda number: (self._faces[number].seen, number))
        for number in gone[: max(len(self._faces) - MOST_FACES // 2, 0)]:
            del self._faces[number]
            self._dropped += 1


class _Points:
    """What is kept of one face."""

    def __init__(self, classes: int) -> None:
        self.seen = 0
        self._classes = classes
        self._stride = 1
        self._last = 0.0
        self._absence = 0.0  # the longest since the last point that was kept
        self._times, self._probabilities = array("d"), array("f")
        self._answers, self._absences = array("b"), array("f")

    def add(self, face: FacePrediction, time: float, frame_before: float | None) -> None:
        if self.seen and frame_before is not None and self._last < frame_before:
            self._absence = max(self._absence, time - self._last)
        if self.seen % self._stride == 0:
            self._keep(face, time)
        self.seen += 1
        self._last = time
        if len(self._times) >= MOST_POINTS:
            self._thin()

    def _keep(self, face: FacePrediction, time: float) -> None:
        self._times.append(time)
        self._probabilities.extend(face.probabilities.values())
        unsure = face.answer != face.emotion
        answer = UNSURE if unsure else list(face.probabilities).index(face.emotion)
        self._answers.append(answer)
        self._absences.append(self._absence)
        self._absence = 0.0

    def _thin(self) -> None:
        rows = np.array(self._probabilities).reshape(-1, self._classes)[::2]
        absences = np.array(self._absences)
        # A point takes over how long the face was away before the one that is dropped.
        absences[2::2] = np.maximum(absences[2::2], absences[1:-1:2])
        if len(absences) % 2 == 0:
            self._absence = max(self._absence, float(absences[-1]))
        self._times = self._times[::2]
        self._probabilities = array("f", rows.ravel().tolist())
        self._answers = self._answers[::2]
        self._absences = array("f", absences[::2].tolist())
        self._stride *= 2

    def track(self, number: int) -> Track:
        return Track(
            number,
            self.seen,
            np.array(self._times, np.float64),
            np.array(self._probabilities, np.float32).reshape(-1, self._classes),
            np.array(self._answers, np.int8),
            np.array(self._absences, np.float32),
        )
