"""`emotion predict`: photos, folders, videos and cameras in, one record a face out."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, cast

from emotion.commands import DONE, PARTLY
from emotion.errors import ConfigError, EmotionError
from emotion.files import check_file
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    from emotion.faces.detectors import Detector
    from emotion.inference.drawn.folder import DrawnFolder
    from emotion.inference.predictions import Prediction
    from emotion.inference.record_files import Form, RecordFile
    from emotion.inference.settings import Settings
    from emotion.inference.sources import Source
    from emotion.inference.videos.frames import FrameChoice
    from emotion.models import Model

FORMS = ("jsonl", "csv")


def main(arguments: Sequence[str]) -> int:
    """Predicts; gives the exit code: 1 where something could not be read."""
    options = _parser().parse_args(arguments)
    wait_asleep()
    from emotion.inference.prediction_run import PredictionRun
    from emotion.inference.record_files import open_records
    from emotion.inference.sources import check_arguments
    from emotion.models import open_model

    check_arguments(options.inputs)
    _check_targets(options)
    detector, settings = _detector(options), _settings(options)
    model = open_model(options.model, options.device)
    if options.model is None:
        print("using the model in the box; --model names another", file=sys.stderr)
    if options.unsure_below is None:
        settings = replace(settings, threshold=model.threshold)
    run = PredictionRun(detector, model.classifier, settings)
    summary = Summary()
    with (
        open_records(options.out, _form(options, model), options.resume) as records,
        _drawn(options.draw, model, summary) as drawn,
    ):
        left = _left(options, records, drawn, summary)
        for prediction in _shown(run.sources(left, drawn), options, settings.choice):
            records.write(prediction)
            summary.add(prediction)
    print(summary, file=sys.stderr)
    return PARTLY if summary.unreadable else DONE


class Summary:
    """Counts what became of what was given."""

    def __init__(self) -> None:
        self.photos = self.frames = self.faces = 0
        self.without = self.unreadable = self.skipped = 0
        self.notes: list[str] = []

    def add(self, prediction: "Prediction") -> None:
        """Counts one picture."""
        from emotion.inference.videos.frames import is_video

        # The last record of a video that was cut off has no frame, and is no photo.
        self.photos += prediction.frame is None and not is_video(prediction.source)
        self.frames += prediction.frame is not None
        self.faces += len(prediction.faces)
        self.without += prediction.readable and not prediction.faces
        self.unreadable += not prediction.readable

    def __str__(self) -> str:
        given = [_counted(self.photos, "photo")] if self.photos or not self.frames else []
        given += [_counted(self.frames, "frame")] if self.frames else []
        told = (
            f"{' and '.join(given)}: {_counted(self.faces, 'face')} found,"
            f" {self.without} without a face, {self.unreadable} unreadable"
        )
        skipped = f", {self.skipped} there already" if self.skipped else ""
        return "\n".join([told + skipped, *self.notes])


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _detector(options: argparse.Namespace) -> "Detector":
    from emotion.faces.detector_files import build_detector
    from emotion.faces.searching import BoundedSearch

    given = {"upsample": options.upsample, "threshold": options.threshold}
    detector = build_detector(options.detector, given)
    return BoundedSearch(detector, options.max_side or None, options.min_face)


def _settings(options: argparse.Namespace) -> "Settings":
    from emotion.inference.settings import Settings
    from emotion.inference.videos.frames import FrameChoice

    return Settings(
        options.unsure_below,
        options.batch_size,
        options.jobs,
        FrameChoice(options.every, options.fps),
        options.smoothing,
        options.seconds,
    )


def _form(options: argparse.Namespace, model: "Model") -> "Form":
    """Gives the form that was named, or that the file's ending says."""
    from emotion.inference.record_files import Csv, JsonLines

    ending = options.out.suffix.lower().removeprefix(".") if options.out else ""
    wanted = options.format or ("csv" if ending == "csv" else "jsonl")
    return Csv(model.classifier.input.labels) if wanted == "csv" else JsonLines()


def _sources(options: argparse.Namespace) -> Iterator["Source"]:
    """Goes through the inputs; what is written into one of their folders is none of them."""
    from emotion.inference.sources import list_sources

    targets = [path.resolve() for path in (options.out, options.draw) if path is not None]

    def written(path: Path) -> bool:
        place = path.resolve()
        return any(place.is_relative_to(target) for target in targets)

    listed = cast(BufferedIOBase, sys.stdin.buffer)
    return list_sources(options.inputs, listed, written if targets else None)


def _left(
    options: argparse.Namespace,
    records: "RecordFile",
    drawn: "DrawnFolder | None",
    summary: Summary,
) -> Iterator["Source"]:
    """Leaves out what the output has already."""
    for source in _sources(options):
        if options.resume and records.has(source.name):
            summary.skipped += 1
            if drawn:
                drawn.skip()
        else:
            yield source


def _shown(
    predictions: Iterator["Prediction"], options: argparse.Namespace, choice: "FrameChoice"
) -> Iterator["Prediction"]:
    """Passes predictions on, with a bar where that is of use."""
    from emotion.terminal import tracked

    # No bar between the lines where they go to the same terminal.
    hidden = not sys.stderr.isatty() or (options.out is None and sys.stdout.isatty())
    total = None if hidden else _count(options, choice)
    return tracked(predictions, "predicting", total, hidden)


def _count(options: argparse.Namespace, choice: "FrameChoice") -> int | None:
    from emotion.inference.prediction_run import count_pictures
    from emotion.inference.sources import LIST

    if LIST in options.inputs:  # can be read once only
        return None
    return count_pictures(_sources(options), choice)


@contextmanager
def _drawn(folder: Path | None, model: "Model", summary: Summary) -> Iterator["DrawnFolder | None"]:
    """Gives the folder of the drawn copies; its page is written after an error or Ctrl-C too."""
    if folder is None:
        yield None
        return
    from emotion.inference.drawn.folder import DrawnFolder

    drawn = DrawnFolder(folder, model.classifier.input.labels, model.path.name)
    try:
        yield drawn
    finally:
        summary.notes += [*drawn.notes, f"look at {drawn.finish()}"]


def _check_targets(options: argparse.Namespace) -> None:
    """Refuses to write over a folder, a file, or one of the inputs, before any work is done."""
    from emotion.inference.sources import is_taken

    out, draw = options.out, options.draw
    if draw is not None and find_spec("jinja2") is None:
        raise ConfigError("--draw: needs jinja2, which is not installed: pip install jinja2")
    if options.resume and out is None:
        raise EmotionError("--resume: goes on with the file of --out; name it")
    if out is not None:
        check_file(out)
    named = {Path(name).resolve() for name in options.inputs}
    if out is not None and (out.resolve() in named or (out.exists() and is_taken(out))):
        raise EmotionError(f"--out {out}: is one of the photos; name another file")
    if draw is not None and draw.exists() and not draw.is_dir():
        raise EmotionError(f"--draw {draw}: is a file; name a folder")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion predict",
        description="Finds the faces in photos and videos and names their emotions: one record a"
        " face. A photo without a face, or one that cannot be read, is a record with a reason.",
        epilog="Exit codes: 0 done, 1 done but something could not be read (each has a record), 2"
        " could not run, 130 stopped by Ctrl-C: what was done is kept, and --resume goes on.",
    )
    add = parser.add_argument
    add(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="photos, videos, folders of them, 'patterns/**/*.jpg', the number of a camera (0), or"
        " - for a list on standard input, a name a line",
    )
    add(
        "--model",
        type=Path,
        metavar="FILE",
        help="a checkpoint, a run's folder, or what emotion export wrote (the model in the box)",
    )
    add("--out", type=Path, metavar="FILE", help="write the records there (standard output)")
    add("--format", choices=FORMS, help="JSON lines or CSV (as --out ends; jsonl)")
    add("--resume", action="store_true", help="go on with --out: skip what it has already")
    add("--draw", type=Path, metavar="DIR", help="draw the answers there, with a summary page")
    add("--unsure-below", type=float, metavar="P", help='answer "unsure" below (the model\'s own)')
    add("--device", help="cpu, cuda, … (a GPU where there is one)")
    add("--batch-size", type=int, default=16, metavar="N", help="faces named together (16)")
    add("--jobs", type=int, metavar="N", help="threads that read and search (one a core)")
    finding = parser.add_argument_group("finding faces").add_argument
    finding(
        "--detector", default="dlib", metavar="NAME", help="in conf/detector, or a .yaml (dlib)"
    )
    finding("--upsample", type=int, metavar="N", help="double photos so often: small faces (0)")
    finding("--threshold", type=float, metavar="S", help="least score of the detector (0.0)")
    finding("--min-face", type=int, default=0, metavar="PX", help="smallest face that counts (0)")
    finding(
        "--max-side",
        type=int,
        default=0,
        metavar="PX",
        help="search larger photos at this size: faster, misses small faces (0: at their own)",
    )
    video = parser.add_argument_group("videos and cameras").add_argument
    video("--every", type=int, default=1, metavar="N", help="take each Nth frame (1)")
    video("--fps", type=float, metavar="F", help="take F frames a second")
    video("--smoothing", type=float, default=0.5, metavar="S", help="seconds averaged (0.5)")
    video("--seconds", type=float, metavar="S", help="stop after so many of them")
    return parser
