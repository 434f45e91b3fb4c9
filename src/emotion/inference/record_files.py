"""Records as JSON lines or CSV, and going on with a file that was begun.

`docs/predictions.md` explains each field. A record is one line in both forms.
"""

import csv
import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from emotion.errors import DataError, EmotionError
from emotion.files import harmless_cell
from emotion.inference.predictions import CORNERS, Prediction

PARTIAL = ".partial"  # what a file is called until all is done


class Form(Protocol):
    """One way to write records.

    Attributes:
        head: the first line, or None.
    """

    @property
    def head(self) -> str | None:
        """The first line, or None."""
        ...

    def line(self, record: Mapping[str, Any]) -> str:
        """Gives a record as a line, without its end."""
        ...

    def source(self, line: str) -> str:
        """Gives the source in a line. Raises ValueError: it is no whole record."""
        ...


@dataclass(frozen=True)
class JsonLines:
    """A JSON object a line: plain numbers, null where there is none, never NaN."""

    head: str | None = None

    def line(self, record: Mapping[str, Any]) -> str:
        """Gives a record as a line, without its end."""
        return json.dumps(record, ensure_ascii=False, allow_nan=False)

    def source(self, line: str) -> str:
        """Gives the source in a line. Raises ValueError: it is no whole record."""
        record = json.loads(line)
        if not isinstance(record, dict) or not isinstance(record.get("source"), str):
            raise ValueError("no record of emotion predict")
        return str(record["source"])


@dataclass(frozen=True)
class Csv:
    """Comma-separated values, with a column for each class; an empty cell where there is none.

    Attributes:
        labels: class names, in their order.
    """

    labels: Sequence[str]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        shares = [f"{kind}{label}" for kind in ("p_", "raw_") for label in self.labels]
        before = ["source", "frame", "time", "face", *CORNERS, "detector_score", "answer"]
        return [*before, "emotion", *shares, "reason"]

    @property
    def head(self) -> str | None:
        """The first line: the names of the columns."""
        return _row(self.columns)

    def line(self, record: Mapping[str, Any]) -> str:
        """Gives a record as a line, without its end."""
        cells = {k: v for k, v in record.items() if not isinstance(v, dict)}
        cells |= record["box"] or {}
        for kind, field in (("p_", "probabilities"), ("raw_", "raw_probabilities")):
            cells |= {f"{kind}{k}": v for k, v in (record[field] or {}).items()}
        return _row([cells.get(column) for column in self.columns])

    def source(self, line: str) -> str:
        """Gives the source in a line. Raises ValueError: it is no whole record."""
        (cells,) = csv.reader([line], strict=True)
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells, expected {len(self.columns)}")
        return cells[0]


def _row(cells: Sequence[Any]) -> str:
    stream = io.StringIO()
    shown = [harmless_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(stream, lineterminator="").writerow(shown)
    return stream.getvalue()


class RecordFile:
    """Takes predictions, a flushed line a face.

    Args:
        stream: is written to.
        form: of the lines.
        done: hashes of sources that are there already, sorted, uint64.
    """

    def __init__(self, stream: BinaryIO, form: Form, done: NDArray[np.uint64] | None = None):
        self._stream, self._form = stream, form
        self._done = np.empty(0, np.uint64) if done is None else done

    def write(self, prediction: Prediction) -> None:
        """Writes the records of one picture; they are on their way to the disk when it returns."""
        lines = [self._form.line(record) + "\n" for record in prediction.records()]
        self._stream.write(_encoded("".join(lines)))
        self._stream.flush()

    def has(self, source: str) -> bool:
        """Tells whether a source's records were there when the file was opened."""
        if not len(self._done):
            return False
        line = self._form.line(Prediction(source, (), "", readable=False).records()[0])
        wanted = _hash(self._form.source(_encoded(line).decode()))
        place = int(np.searchsorted(self._done, wanted))
        return place < len(self._done) and bool(self._done[place] == wanted)


def _encoded(text: str) -> bytes:
    # A file name that is not UTF-8 must not end the run: its odd bytes become question marks.
    return text.encode("utf-8", "replace")


def _hash(source: str) -> np.uint64:
    """Gives 8 bytes for a name: of a million names, two agree once in 37 million times."""
    return np.uint64(int.from_bytes(blake2b(source.encode(), digest_size=8).digest()))


@contextmanager
def open_records(path: Path | None, form: Form, resume: bool = False) -> Iterator[RecordFile]:
    """Opens standard output, or a file beside `path` that takes its name once all is done.

    After an error or Ctrl-C an older file stays as it was, and what was done is kept beside it,
    as `path` with ".partial" added.

    Args:
        path: None for standard output.
        form: of the lines.
        resume: go on with what was kept, or with a finished file. The last source that was kept is
            left out and predicted again, since it may not have been whole.

    Raises:
        EmotionError: the file cannot be written.
        DataError: what was kept is of another form, or damaged.
    """
    if path is None:
        stream = sys.stdout.buffer
        _begin(stream, form)
        yield RecordFile(stream, form)
        return
    partial = path.with_name(path.name + PARTIAL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done = _continued(path, partial, form) if resume else None
        opened = partial.open("wb" if done is None else "ab")
    except OSError as error:
        raise EmotionError(f"--out {path}: cannot be written ({error.strerror})") from error
    try:
        with opened:
            if opened.tell() == 0:
                _begin(opened, form)
            yield RecordFile(opened, form, done)
    except BaseException:
        print(f"kept so far: {partial}; --resume goes on with it", file=sys.stderr)
        raise
    partial.replace(path)


def _begin(stream: BinaryIO, form: Form) -> None:
    if form.head is not None:
        stream.write(_encoded(form.head + "\n"))
        stream.flush()


def _continued(path: Path, partial: Path, form: Form) -> NDArray[np.uint64] | None:
    """Leaves in `partial` what is whole; gives the hashes of its sources, None where none is."""
    finished = not partial.exists()
    if finished:
        if not path.exists():
            return None
        shutil.copyfile(path, partial)
    with partial.open("rb+") as stream:
        end, hashes = _scan(stream, form, path if finished else partial, keep_last=finished)
        stream.truncate(end)
    return hashes


def _scan(
    stream: BinaryIO, form: Form, place: Path, keep_last: bool
) -> tuple[int, NDArray[np.uint64]]:
    """Reads records up to the last source; gives where that begins, and the hashes before it."""
    from array import array

    found = array("Q")
    position = begin = 0
    last: str | None = None
    for number, raw in enumerate(stream, 1):
        if number == 1 and form.head is not None:
            if raw.endswith(b"\n") and raw.decode("utf-8", "replace").rstrip("\r\n") != form.head:
                raise DataError(
                    f"--resume: {place}:1: expected the columns {form.head}; another file, or one"
                    " of another model: name another --out"
                )
            source = None
        else:
            source = _source(raw, form, f"{place}:{number}")
        if not raw.endswith(b"\n"):  # cut off while it was written
            break
        if source is not None and source != last:
            if last is not None:
                found.append(int(_hash(last)))
            last, begin = source, position
        position += len(raw)
        if source is None:
            begin = position
    if keep_last and last is not None:
        found.append(int(_hash(last)))
        begin = position
    return begin, np.sort(np.frombuffer(found, np.uint64) if found else np.empty(0, np.uint64))


def _source(raw: bytes, form: Form, place: str) -> str | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        return form.source(raw.decode("utf-8").rstrip("\r\n"))
    except (ValueError, csv.Error, RecursionError) as error:
        raise DataError(
            f"--resume: {place}: not a record of emotion predict ({error}); name another --out, or"
            " remove the line"
        ) from error
