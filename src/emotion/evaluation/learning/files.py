"""Reading how a run learnt from what it left."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from emotion.errors import DataError
from emotion.evaluation.learning.learning import LOSS, TRAIN_LOSS, Learning, learning_of
from emotion.training.selection import select_epoch

EPOCHS, SELECTION, CONFIG = "epochs.csv", "selection.json", "config.yaml"
VALUE = "value"  # the column of TensorBoard's export, in lower case


def read_learning(run: Path, evaluated: int | None = None) -> Learning | None:
    """Reads how a run learnt.

    Args:
        run: its folder.
        evaluated: the epoch whose checkpoint is evaluated, from 1; None for the one kept.

    Returns:
        None where the folder does not tell: a lone checkpoint, a run that kept no epoch yet, files
        that are damaged or do not fit each other.
    """
    try:
        columns = _columns(run / EPOCHS)
        content = json.loads((run / SELECTION).read_text(encoding="utf-8"))
        monitor, mode = str(content["monitor"]), content["mode"]
        selection = select_epoch(columns[monitor], monitor, mode)
        if mode not in ("min", "max") or selection.epoch != content["epoch"]:
            return None
        return learning_of(
            columns,
            monitor,
            mode,
            evaluated=evaluated,
            finished=content.get("finished") is not False,
            notes=_notes(run / CONFIG),
        )
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return None


def read_curves(train: Path, val: Path) -> Learning:
    """Reads training and validation loss from two CSV files and keeps the lowest validation loss.

    Args:
        train: one value an epoch: a column, or TensorBoard's export (`Wall time,Step,Value`).
        val: likewise.

    Raises:
        DataError: a file cannot be read, holds something else, or the two differ in length.
    """
    losses = {TRAIN_LOSS: _values(train), LOSS: _values(val)}
    if len(losses[TRAIN_LOSS]) != len(losses[LOSS]):
        raise DataError(
            f"{train} has {len(losses[TRAIN_LOSS])} values and {val} has {len(losses[LOSS])};"
            " expected one an epoch in each"
        )
    if all(math.isnan(value) for value in losses[LOSS]):
        raise DataError(f"{val}: expected a number for one epoch at least, got none")
    return learning_of(losses, LOSS, "min")


def _columns(path: Path) -> dict[str, list[float]]:
    """Reads a table of epochs; an empty field is NaN."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if [int(row["epoch"]) for row in rows] != list(range(1, len(rows) + 1)):
        raise ValueError("epochs are missing")
    return {name: [float(row[name] or math.nan) for row in rows] for name in rows[0]}


def _values(path: Path) -> list[float]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
        header = [name.strip().lower() for name in rows[0]]
        if VALUE in header:
            return [float(row[header.index(VALUE)]) for row in rows[1:]]
        return [float(value) for (value,) in rows]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, csv.Error) as error:
        raise DataError(
            f"{path}: expected one loss an epoch, either a number a line or TensorBoard's export"
            f" (Wall time,Step,Value); {error}"
        ) from error


def _notes(config: Path) -> tuple[str, ...]:
    """Tells what a run does to its training faces that it does not do to those of validation."""
    try:
        content: Any = yaml.safe_load(config.read_text(encoding="utf-8"))
        data, model = content["data"], content["model"]
        found = {
            "varied at random (augmentation)": bool(data.get("augmentation")),
            "mixed with one another (mixup)": bool(model.get("mixup")),
            "seen with dropout": bool(model.get("dropout")),
        }
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return ()
    notes = [
        "Training loss is the mean over the epoch's steps, while the weights still change;"
        " validation loss is measured after the last of them"
        f"{', with averaged weights (ema)' if model.get('ema') else ''}."
    ]
    causes = [cause for cause, there in found.items() if there]
    if causes:
        notes.append(
            f"In training the faces are {_listed(causes)}, in validation they are not; that raises"
            " training loss, so the gap shows less than what the network knows by heart."
        )
    return tuple(notes)


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
