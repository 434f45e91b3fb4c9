"""`emotion evaluate`: a checkpoint, measured on annotated photos."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands import DONE
from emotion.commands.measuring_options import add_measuring, reading
from emotion.errors import ConfigError
from emotion.files import check_folder
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    from emotion.evaluation.evaluating import Evaluated, Options
    from emotion.evaluation.gallery.gallery import Explain
    from emotion.evaluation.slices.robustness import Corrupt
    from emotion.evaluation.suspects.folds import CrossValidated


def main(arguments: Sequence[str]) -> int:
    """Evaluates; gives the exit code."""
    options = _parser().parse_args(arguments)
    wait_asleep()
    if options.out:
        check_folder(options.out)
    if (options.checkpoint / "sweep.json").is_file():
        from emotion.commands.evaluate_sweep import evaluate_sweep

        return evaluate_sweep(options, arguments)
    from emotion.evaluation.evaluating import evaluate
    from emotion.inference.checkpoint_files import find_checkpoint

    evaluated = read_evaluated(find_checkpoint(options.checkpoint), options.device)
    report, files = evaluate(evaluated, read_options(options, arguments, evaluated), options.out)
    print(f"{evaluated.path} (epoch {evaluated.epoch}) on {report.about.data}\n\n{report.text()}")
    for path in files:
        print(path)
    return DONE


def read_evaluated(path: Path, device: str | None) -> "Evaluated":
    """Reads a checkpoint to be evaluated."""
    from emotion.evaluation.evaluating import Evaluated
    from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

    checkpoint = read_checkpoint(path)
    classifier = CheckpointClassifier(checkpoint, device)
    return Evaluated(path, checkpoint.epoch, checkpoint.temperature, classifier)


def read_options(
    options: argparse.Namespace, arguments: Sequence[str], evaluated: "Evaluated"
) -> "Options":
    """Gives what is looked at, as it was typed."""
    from emotion.evaluation.evaluating import Options

    if not 0 < options.iou <= 1:
        raise ConfigError(f"--iou {options.iou}: expected an overlap above 0, up to 1")
    return Options(
        data=options.data,
        part="val" if options.part == "val" else "test",
        reading=reading(options),
        upsamples=() if options.no_detector else options.upsample,
        least_iou=options.iou,
        columns=options.columns,
        validation=options.validation,
        corrupt=_corrupt() if options.corruptions else None,
        explain=_explain(evaluated) if options.heat_maps else None,
        suspects=cross_validation(options.suspects, options.device) if options.suspects else None,
        command=["emotion", "evaluate", *arguments],
    )


def _corrupt() -> "Corrupt":
    from emotion.data.corruptions import corrupt

    return corrupt


def _explain(evaluated: "Evaluated") -> "Explain":
    from emotion.training.checkpoints import CheckpointClassifier
    from emotion.training.heat_maps import GradCam

    assert isinstance(evaluated.classifier, CheckpointClassifier)
    return GradCam(evaluated.classifier)


def cross_validation(sweep: Path, device: str | None) -> "CrossValidated":
    """Lets each run of a sweep over folds answer about the faces that it held out."""
    from emotion.evaluation.suspects.folds import cross_validated
    from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

    print(f"looking for wrong labels with {sweep}", file=sys.stderr)
    return cross_validated(sweep, lambda p: CheckpointClassifier(read_checkpoint(p), device))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion evaluate",
        description="Measures a checkpoint on annotated photos, each face once, on the annotated"
        " boxes and from the whole photo, and writes a page about it (report.html). Labels, crop"
        " and preprocessing come from the checkpoint. The folder of a sweep: evaluates each of its"
        " runs, with mean and spread over seeds.",
    )
    add = parser.add_argument
    add(
        "checkpoint",
        type=Path,
        metavar="CKPT",
        help="a checkpoint, or the folder of a run or sweep",
    )
    add_measuring(parser, "the run")
    add("--part", choices=("test", "val"), default="test", help="of the run's own data (test)")
    finding = parser.add_argument_group("from the whole photo")
    add = finding.add_argument
    add(
        "--upsample",
        type=int,
        nargs="+",
        default=[0],
        choices=range(4),
        metavar="N",
        help="times that photos are doubled for the detector, one or more of 0 to 3, such as 0 1"
        " (0; each doubling takes four times as long)",
    )
    add("--iou", type=float, default=0.5, metavar="X", help="overlap that counts as found (0.5)")
    add("--no-detector", action="store_true", help="annotated boxes only; faster")
    more = parser.add_argument_group("more, which takes longer")
    add = more.add_argument
    add("--columns", type=Path, metavar="CSV", help="file name and more columns: accuracy by each")
    add(
        "--heat-maps", action="store_true", help="show where the network looked (emotion[heatmaps])"
    )
    add("--corruptions", action="store_true", help="blurred, dark, noisy …: 21 times the network")
    add(
        "--validation", action="store_true", help="choose thresholds on the run's validation photos"
    )
    add(
        "--suspects",
        type=Path,
        metavar="SWEEP",
        help="list wrong labels, by a sweep of data.fold=…",
    )
    return parser
