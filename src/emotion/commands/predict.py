"""`emotion predict`: photos in, one JSON line a face out."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from emotion.commands import DONE, PARTLY
from emotion.errors import DataError, EmotionError
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    from emotion.inference.pipeline import PhotoPrediction


def main(arguments: Sequence[str]) -> int:
    """Predicts; gives the exit code: 1 where a picture could not be read."""
    options = _parser().parse_args(arguments)
    wait_asleep()
    paths = list_photos(options.paths)
    _check_targets(options.out, options.draw, paths)
    from emotion.faces.detectors import DlibDetector
    from emotion.inference.checkpoint_files import find_checkpoint
    from emotion.inference.pipeline import predict_photos
    from emotion.terminal import tracked
    from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

    detector = DlibDetector(options.upsample, options.threshold)
    checkpoint = read_checkpoint(find_checkpoint(options.model))
    classifier = CheckpointClassifier(checkpoint, options.device)
    summary = Summary()
    with _output(options.out) as stream:
        photos = predict_photos(paths, detector, classifier)
        # No bar between the lines where they go to the same terminal.
        for photo in tracked(photos, "predicting", len(paths), hidden=sys.stdout.isatty()):
            for record in photo.records():
                print(_line(record), file=stream, flush=True)
            if options.draw:
                _draw(photo, options.draw, summary.photos + 1)
            summary.add(photo)
    print(summary, file=sys.stderr)
    return PARTLY if summary.unreadable else DONE


def _line(record: dict[str, Any]) -> str:
    # A file name that is not UTF-8 must not end the run: its odd bytes become question marks.
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8")


class Summary:
    """Counts what became of the photos."""

    def __init__(self) -> None:
        self.photos = self.faces = self.without = self.unreadable = 0

    def add(self, photo: "PhotoPrediction") -> None:
        """Counts one photo."""
        self.photos += 1
        self.faces += len(photo.faces)
        self.without += photo.readable and not photo.faces
        self.unreadable += not photo.readable

    def __str__(self) -> str:
        return (
            f"{self.photos} photos: {self.faces} faces found, {self.without} photos without a face,"
            f" {self.unreadable} unreadable"
        )


def list_photos(paths: Sequence[Path]) -> list[Path]:
    """Lists the given files, and the pictures below the given folders, each once, in order.

    A file that is no picture stays in the list and becomes a record with a reason.

    Raises:
        DataError: a path does not exist, or a folder has no pictures.
    """
    from emotion.faces.images import SUFFIXES, find_images

    listed: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        found = find_images(path) if path.is_dir() else [path]
        if not found:
            kinds = " ".join(sorted(SUFFIXES))
            raise DataError(f"{path}: no pictures in it; looked for {kinds}")
        listed |= dict.fromkeys(found)
    return list(listed)


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Opens standard output, or a file beside `path` that takes its name once all is done.

    After an error or Ctrl-C an older file stays as it was, and what was done is kept beside it.
    """
    if path is None:
        yield sys.stdout
        return
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = partial.open("w", encoding="utf-8", errors="replace")
    except OSError as error:
        raise EmotionError(f"--out {path}: cannot be written ({error.strerror})") from error
    try:
        with stream:
            yield stream
    except BaseException:
        print(f"kept so far: {partial}", file=sys.stderr)
        raise
    partial.replace(path)


def _check_targets(out: Path | None, draw: Path | None, inputs: Sequence[Path]) -> None:
    """Refuses to write over a folder, a file, or one of the photos, before any work is done."""
    if out is not None and out.is_dir():
        raise EmotionError(f"--out {out}: is a folder; name a file")
    if out is not None and out.resolve() in {path.resolve() for path in inputs}:
        raise EmotionError(f"--out {out}: is one of the photos; name another file")
    if draw is not None and draw.exists() and not draw.is_dir():
        raise EmotionError(f"--draw {draw}: is a file; name a folder")


def _draw(photo: "PhotoPrediction", folder: Path, number: int) -> None:
    from emotion.faces.images import read_image, write_image
    from emotion.inference.drawing import draw_predictions

    if photo.readable:
        # Numbered, since photos of several folders may share a name.
        name = f"{number:04d}_{photo.source.stem[:80]}.jpg"
        write_image(folder / name, draw_predictions(read_image(photo.source), photo.faces))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion predict",
        description="Finds the faces in photos and names their emotions: one JSON line a face. A"
        " photo without a face, or one that cannot be read, is a line with a reason.",
        epilog="Exit codes: 0 done, 1 done but some pictures could not be read, 2 could not run.",
    )
    add = parser.add_argument
    add("paths", type=Path, nargs="+", metavar="PATH", help="photos, and folders of photos")
    add("--model", type=Path, required=True, metavar="CKPT", help="a checkpoint, or a run's folder")
    add("--out", type=Path, metavar="FILE", help="write the lines there (standard output)")
    add("--draw", type=Path, metavar="DIR", help="write the photos with boxes and answers there")
    add("--upsample", type=int, default=0, help="double the photo so often to find small faces (0)")
    add("--threshold", type=float, default=0.0, help="least score of the detector (0.0)")
    add("--device", help="cpu, cuda, … (a GPU where there is one)")
    return parser
