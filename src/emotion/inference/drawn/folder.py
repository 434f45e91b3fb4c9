"""The folder of `--draw`: photos and videos with their answers, timelines, and one page of all."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from emotion.faces.images import read_image, write_image
from emotion.inference.drawn.drawing import Layout, draw_predictions
from emotion.inference.drawn.summary_page import PredictionSummary
from emotion.inference.drawn.timelines import Timelines
from emotion.inference.predictions import Prediction
from emotion.inference.videos.drawn_files import VideoWriter
from emotion.inference.videos.frames import Frame, Video


class DrawnFolder:
    """Draws what was predicted. Files are numbered, since those of several folders may share names.

    Args:
        folder: is made where it is missing; files of the same name are replaced.
        labels: class names in their order.
        model: what the page calls the model.
    """

    def __init__(self, folder: Path, labels: Sequence[str], model: str) -> None:
        self.folder, self.model = folder, model
        self.notes: list[str] = []
        self._summary = PredictionSummary(labels)
        self._number = 0

    def skip(self) -> None:
        """Counts a source that is not drawn again."""
        self._number += 1

    def add(self, prediction: Prediction) -> None:
        """Draws a photo, which is opened again for it, or notes what could not be read."""
        self._number += 1
        if not prediction.readable:
            self._summary.add(prediction)
            return
        image = read_image(Path(prediction.source))
        drawn = self._path(prediction.source, ".jpg")
        write_image(drawn, draw_predictions(image, prediction.faces))
        self._summary.add(prediction, image, drawn=drawn)

    def draw_video(
        self, video: Video, frames: Iterable[tuple[Frame | None, Prediction]]
    ) -> Iterator[Prediction]:
        """Passes the predictions of a video on, and draws each frame after it was passed on."""
        self._number += 1
        timelines, layout = Timelines(), Layout()
        drawn = self._path(video.source, ".mp4")
        timeline = self._path(video.source, ".timeline.png")
        try:
            with VideoWriter(drawn, video) as writer:
                for frame, prediction in frames:
                    yield prediction
                    self._summary.add(prediction)
                    if frame is not None:
                        timelines.add(prediction)
                        image = draw_predictions(
                            frame.image, prediction.faces, numbered=True, layout=layout
                        )
                        writer.write(image, frame.time)
            if writer.note:
                self.notes.append(f"{drawn}: {writer.note}")
        finally:  # after Ctrl-C too, which is how a camera is stopped
            timelines.write(timeline, Path(video.source).name)
            self._summary.add_video(
                video.source, timeline=timeline, drawn=drawn if drawn.is_file() else None
            )

    def finish(self) -> Path:
        """Writes the page of all, and gives its path."""
        page = self.folder / "summary.html"
        self._summary.write(page, model=self.model)
        return page

    def _path(self, source: str, suffix: str) -> Path:
        return self.folder / f"{self._number:04d}_{Path(source).stem[:80]}{suffix}"
