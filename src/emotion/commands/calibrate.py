"""`emotion calibrate`: probabilities made honest on the run's own validation photos."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands import DONE
from emotion.errors import DataError
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emotion.evaluation.results import Results
    from emotion.evaluation.subjects import Subject
    from emotion.training.checkpoints import Checkpoint

NOTE = (
    "The temperature was fitted on these very faces, so that others gain less from it;\n"
    "`emotion evaluate CKPT` measures it on the test part."
)


def main(arguments: Sequence[str]) -> int:
    """Calibrates; gives the exit code."""
    options = _parser().parse_args(arguments)
    wait_asleep()
    from emotion.evaluation.calibration.by_source import parted_by_source
    from emotion.evaluation.calibration.temperature import apply_temperature, fit_temperature
    from emotion.inference.checkpoint_files import find_checkpoint
    from emotion.training.checkpoints import read_checkpoint, store_calibration

    checkpoint = read_checkpoint(find_checkpoint(options.checkpoint))
    subject, results = _measure_validation(checkpoint, options.device)
    if (results.answers == results.targets).all():
        raise DataError(
            f"{checkpoint.path}: its {len(results.samples)} validation faces are all answered"
            " rightly, and so cannot tell how often answers are wrong; nothing is stored. Train"
            " with more validation photos: data.val=…"
        )
    temperature = fit_temperature(results.probabilities, results.targets)
    parts = parted_by_source(subject)
    shares = apply_temperature(results.probabilities, temperature)
    threshold = _choose_threshold(checkpoint, shares, results.targets, options.error, parts)
    print(_report(checkpoint, results, temperature, shares))
    if parts:
        print(_told_sources(shares, results.targets, parts))
    print(_told_threshold(threshold, options.error, parts))
    if options.dry_run:
        print("not stored (--dry-run)")
    else:
        store_calibration(checkpoint.path, temperature, threshold)
        print(f"stored in {checkpoint.path}")
    return DONE


def _choose_threshold(
    checkpoint: "Checkpoint",
    shares: "NDArray[np.float32]",
    targets: "NDArray[np.int64]",
    error: float | None,
    parts: "Mapping[str, NDArray[np.int64]]",
) -> float | None:
    """Gives the threshold that answers most validation faces with at most that share wrong."""
    from emotion.evaluation.calibration.by_source import threshold_for

    if error is None:
        return None
    threshold = threshold_for(shares, targets, error, parts)
    if threshold is None:
        where = f", or on those of one of {', '.join(parts)}," if parts else ""
        raise DataError(
            f"{checkpoint.path}: even its surest answers on the {len(targets)} validation"
            f" faces{where} are wrong more often than --error {error:g}; nothing is stored. Ask for"
            " a larger share"
        )
    return threshold


def _told_sources(
    shares: "NDArray[np.float32]",
    targets: "NDArray[np.int64]",
    parts: "Mapping[str, NDArray[np.int64]]",
) -> str:
    from emotion.evaluation.calibration.by_source import calibration_of

    lines = [
        f"{'by source, with the temperature':32} {'faces':>6} {'right':>6} {'sure':>6} {'ECE':>6}"
    ]
    for name, places in parts.items():
        found = calibration_of(shares[places], targets[places])
        figures = f"{found.accuracy:6.3f} {found.confidence:6.3f} {found.ece:6.3f}"
        lines.append(f"{name:32} {found.faces:6} {figures}")
    return "\n".join([*lines, ""])


def _told_threshold(
    threshold: float | None, error: float | None, parts: "Mapping[str, NDArray[np.int64]]"
) -> str:
    if threshold is None:
        return 'no threshold: every face gets an answer; --error 0.1 chooses one for "unsure"'
    each = ", and no more of any source" if parts else ""
    return (
        f'threshold {threshold:.4f}: less sure answers are "unsure", so that {error:.0%} are'
        f" wrong{each}"
    )


def _measure_validation(checkpoint: "Checkpoint", device: str | None) -> "tuple[Subject, Results]":
    """Asks about the validation faces, without the temperature that may be there already."""
    from emotion.evaluation.results import measure
    from emotion.evaluation.subjects import read_own_part
    from emotion.training.checkpoints import CheckpointClassifier

    subject = read_own_part(
        checkpoint.path,
        checkpoint.input.labels,
        "val",
        "A temperature is fitted on the run's own validation photos, as they were in training, and"
        " on no others",
        "a temperature is fitted on the run's own validation photos, so name the checkpoint within"
        " its run",
    )
    classifier = CheckpointClassifier(replace(checkpoint, temperature=1.0), device)
    return subject, measure(subject.samples, classifier)


def _report(
    checkpoint: "Checkpoint",
    results: "Results",
    temperature: float,
    after: "NDArray[np.float32]",
) -> str:
    from emotion.evaluation.calibration.calibration import log_losses
    from emotion.evaluation.calibration.reliability import (
        BINS,
        are_right,
        confidences_of,
        reliability,
    )
    from emotion.evaluation.calibration.temperature import HIGHEST

    before, targets = results.probabilities, results.targets
    both = (before, after)
    rows = {"log loss": [log_losses(shares, targets).mean() for shares in both]}
    for binning in ("equal_mass", "equal_width"):
        name = f"ECE, {BINS} {binning.replace('_', '-')} bins"
        rows[name] = [
            reliability(confidences_of(shares), are_right(shares, targets), binning).ece
            for shares in both
        ]
    photos = len({sample.image for sample in results.samples})
    replaced = f" (it had {checkpoint.temperature:.4f})" if checkpoint.temperature != 1 else ""
    lines = [
        f"{checkpoint.path} (epoch {checkpoint.epoch}) on {len(targets)} validation faces"
        f" in {photos} photos",
        "",
        f"temperature {temperature:.4f}{replaced}; the answers stay as they are",
        f"{'':24} {'before':>7} {'after':>7}",
        *(f"{name:24} {old:7.4f} {new:7.4f}" for name, (old, new) in rows.items()),
        "",
        NOTE,
    ]
    if temperature > 0.99 * HIGHEST:
        lines.append(
            f"{HIGHEST:g} is the highest that is looked for: these probabilities say next to"
            " nothing about which answers are right."
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion calibrate",
        description="Fits a temperature, one number by which the logits are divided, on the"
        " validation photos of the checkpoint's own run, and stores it in the checkpoint, where"
        " evaluate and predict find it. Answers stay as they are, their probabilities change. With"
        ' --error a threshold is stored too, below which predict answers "unsure".',
    )
    add = parser.add_argument
    add("checkpoint", type=Path, metavar="CKPT", help="a checkpoint, or the folder of a run")
    add("--device", help="cpu, cuda, … (a GPU where there is one)")
    add(
        "--error",
        type=_share,
        metavar="SHARE",
        help="store the threshold that lets at most this share of the answers be wrong, e.g. 0.1;"
        " of joined data sets, in each",
    )
    add("--dry-run", action="store_true", help="tell the temperature and store nothing")
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to below 1, got {text}")
    return value
