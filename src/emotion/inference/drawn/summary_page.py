"""The summary page of many pictures: counts, and some faces of each answer to look at.

What is kept does not grow with the number of pictures: all are counted, and a sample is shown in
which each had the same chance.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from emotion.inference.drawn.drawing import COLOURS
from emotion.inference.drawn.reservoirs import Reservoir
from emotion.inference.drawn.summary_entries import Shown, Video, embedded, face_entry, photo_entry
from emotion.inference.predictions import NO_FACE, UNSURE, Prediction
from emotion.pages.rendering import write_page

MOST_FACES = 60  # shown of each answer
MOST_PHOTOS = 60  # shown without a face, and listed as unreadable
MOST_VIDEOS = 40  # shown
UNREADABLE = "unreadable"
OUTLINED = (UNSURE, NO_FACE, UNREADABLE)  # bars of what is no answer


class PredictionSummary:
    """Gathers what was predicted, picture by picture, and writes a page about it."""

    def __init__(self, labels: Sequence[str], seed: int = 0) -> None:
        """Begins with nothing.

        Args:
            labels: the names of the classes, in their order.
            seed: of the choice of what is shown.
        """
        self._labels = tuple(labels)
        self._threshold: float | None = None
        self._with_faces = 0
        answers = (*self._labels, UNSURE)
        self._faces = {name: Reservoir[Shown](MOST_FACES, f"{seed} {name}") for name in answers}
        self._without = Reservoir[Shown](MOST_PHOTOS, f"{seed} without")
        self._unreadable = Reservoir[Shown](MOST_PHOTOS, f"{seed} unreadable")
        self._videos: dict[str, Video] = {}
        self._videos_left = 0
        self._last_video = ""

    def wants(self, prediction: Prediction) -> bool:
        """Tells whether `add` would make a thumbnail of this photo now."""
        if prediction.frame is not None or not prediction.readable:
            return False
        if not prediction.faces:
            return self._without.wants()
        before: Counter[str] = Counter()
        for face in prediction.faces:
            if self._faces[face.answer].wants(before[face.answer]):
                return True
            before[face.answer] += 1
        return False

    def add(
        self,
        prediction: Prediction,
        image: NDArray[np.uint8] | None = None,
        drawn: Path | None = None,
    ) -> None:
        """Takes the next photo, or the next frame of a video.

        Args:
            prediction: what was found.
            image: the photo, H x W x 3, uint8, RGB, for thumbnails; it is not kept.
            drawn: the drawn copy of the photo, which the page links to.
        """
        for face in prediction.faces[:1]:
            self._threshold = face.threshold
        if prediction.frame is not None:
            self._add_frame(prediction)
            return
        shown = Shown(prediction.source, drawn, prediction.reason, len(prediction.faces))
        if not prediction.readable:
            self._unreadable.add(lambda: shown)
        elif not prediction.faces:
            self._without.add(partial(photo_entry, shown, image))
        else:
            self._with_faces += 1
        for face in prediction.faces:
            self._faces[face.answer].add(partial(face_entry, shown, face, image))

    def add_video(
        self, source: str, timeline: Path | None = None, drawn: Path | None = None
    ) -> None:
        """Tells of a video, after its last frame, which pictures there are of it.

        Args:
            source: as its frames name it.
            timeline: the picture of its timeline.
            drawn: its drawn copy.
        """
        video = self._video(source)
        if video is not None:
            video.timeline, video.drawn = timeline, drawn

    def write(self, path: Path, model: str) -> None:
        """Writes the page; its links are relative to its folder.

        Args:
            path: of the page.
            model: the name of the model.

        Raises:
            EmotionError: the page cannot be written.
        """
        answers = {name: faces.passed for name, faces in self._faces.items()}
        photos = {
            "with faces": self._with_faces,
            NO_FACE: self._without.passed,
            UNREADABLE: self._unreadable.passed,
        }
        write_page(
            path,
            "predictions.html",
            model=model,
            threshold=self._threshold,
            photos=sum(photos.values()),
            faces=sum(answers.values()),
            answer_rows=self._rows(answers),
            photo_rows=self._rows(photos),
            shelves=[
                {"name": name, "total": faces.passed, "entries": faces.kept()}
                for name, faces in self._faces.items()
            ],
            without={"total": self._without.passed, "entries": self._without.kept()},
            unreadable={"total": self._unreadable.passed, "entries": self._unreadable.kept()},
            videos=[self._told(video) for video in self._videos.values()],
            videos_left=self._videos_left,
            link=partial(link, path.parent),
        )

    def _add_frame(self, prediction: Prediction) -> None:
        video = self._video(prediction.source)
        if video is not None and not prediction.readable:
            video.reason = prediction.reason
        elif video is not None:
            video.frames += 1
            video.seconds = prediction.time or 0.0
            video.numbers |= {face.number for face in prediction.faces}
            video.answers.update(face.answer for face in prediction.faces)

    def _video(self, source: str) -> Video | None:
        """Gives the entry of a video; None where there are too many to show."""
        if source not in self._videos:
            if len(self._videos) >= MOST_VIDEOS:
                self._videos_left += source != self._last_video
                self._last_video = source
                return None
            self._videos[source] = Video(source)
        return self._videos[source]

    def _rows(self, counts: Mapping[str, int]) -> list[dict[str, Any]]:
        total = max(sum(counts.values()), 1)
        return [
            {
                "name": name,
                "count": count,
                "share": count / total,
                "colour": self._colour(name),
                "outlined": name in OUTLINED,
            }
            for name, count in counts.items()
        ]

    def _colour(self, name: str) -> str:
        """Gives the colour of a class on drawn pictures; "" for anything else."""
        if name not in self._labels:
            return ""
        return COLOURS[self._labels.index(name) % len(COLOURS)]

    def _told(self, video: Video) -> dict[str, Any]:
        total = max(video.answers.total(), 1)
        shares = {name: video.answers[name] / total for name in self._faces if video.answers[name]}
        return {"video": video, "shares": shares, "timeline": embedded(video.timeline)}


def link(folder: Path, target: Path) -> str:
    """Gives the address of a file as seen from a folder, whatever its name holds."""
    relative = os.path.relpath(target, folder)
    return quote(os.fsencode(relative.replace(os.sep, "/")), safe="/")
