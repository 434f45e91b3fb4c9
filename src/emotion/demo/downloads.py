"""Answers as files: the records of `emotion predict`, and the drawn pictures in one archive."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from emotion.demo.answers import Answer, Answered
from emotion.demo.looks import shrunk, to_jpeg
from emotion.inference.drawn.drawing import draw_predictions
from emotion.inference.record_files import Csv, Form, JsonLines, RecordFile

QUALITY = 92  # of drawn photos, as `emotion predict --draw` writes them
LONGEST = 65_500  # pixels of a side that a JPEG file can have
STEM = 60  # characters of a name that are kept
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the same answers give the same archive


def to_csv(answer: Answer) -> bytes:
    """Gives what `emotion predict --format csv` writes for the same files."""
    return _records(answer, Csv(answer.labels))


def to_json_lines(answer: Answer) -> bytes:
    """Gives what `emotion predict` writes for the same files: a JSON object a line."""
    return _records(answer, JsonLines())


def _records(answer: Answer, form: Form) -> bytes:
    stream = io.BytesIO()
    if form.head is not None:
        stream.write(f"{form.head}\n".encode("utf-8", "replace"))
    records = RecordFile(stream, form)
    for prediction in answer.predictions:
        records.write(prediction)
    return stream.getvalue()


def to_archive(answer: Answer) -> Iterator[bytes]:
    """Gives a zip archive piece by piece: each photo with its answers, at its own size.

    Nothing of it touches the disk, and one picture at a time is in memory. Files are numbered,
    since two may have the same name; of a video there is the drawn copy and the timeline.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # all is compressed already
        for number, answered in enumerate(answer.files, 1):
            for name, content in _drawn(number, answered):
                archive.writestr(zipfile.ZipInfo(name, FIRST_DATE), content)
                yield sink.taken()
    yield sink.taken()


def _drawn(number: int, answered: Answered) -> Iterator[tuple[str, bytes]]:
    stem = PurePosixPath(answered.photo.name).stem[:STEM]
    name = f"{number:04d}_{''.join(sign if sign.isprintable() else '_' for sign in stem)}"
    if answered.film is not None:
        if answered.film.drawn is not None:
            yield f"{name}.mp4", answered.film.drawn
        yield f"{name}.timeline.png", answered.film.timeline
    elif answered.shown:
        image = answered.photo.image(lambda width, height: None)  # it was read before
        (prediction,) = answered.predictions
        drawn = shrunk(draw_predictions(image, prediction.faces), LONGEST)
        yield f"{name}.jpg", to_jpeg(drawn, QUALITY)


class _Sink(io.RawIOBase):
    """Takes what is written, until it is taken away."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        content = bytes(piece)  # type: ignore[call-overload]
        self._pieces.append(content)
        return len(content)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
