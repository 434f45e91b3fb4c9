"""Finding run folders, and reading of each what a table of runs needs; fast, without torch."""

import csv
import json
import math
import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from emotion.errors import ConfigError, EmotionError
from emotion.experiments.hyperparameters import Value, settings_of
from emotion.experiments.records import NAME as RECORD
from emotion.experiments.records import RunRecord, read_record

SELECTION = "selection.json"
LOG = "job.log"  # as in `jobs`, which takes longer to import than a list of runs may
_INSIDE = {"checkpoints", "tensorboard"}  # folders of a run that hold no run
NESTING = 5_000  # brackets that a config has at most: libyaml crashes where they nest deeply
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # where libyaml is: ten times faster
_REASONS = {
    "running": "still runs, or was killed",
    "stopped": "stopped before its last epoch",
    "failed": "failed",
    "finished": "finished without a selection.json",
}
Status = Literal["finished", "running", "stopped", "failed", "unreadable"]


@dataclass(frozen=True)
class RunFolder:
    """A run as its folder tells it.

    Attributes:
        name: the folder, seen from the folder in which runs were looked for.
        status: "finished" only where the kept epoch is known too.
        reason: why it did not finish or cannot be read; "" for a finished run.
        settings: by dotted name, see `settings_of`.
        monitor: name of the score of validation by which its epoch is kept; "" of a run that ended
            before its settings were written.
        mode: "min" or "max".
        score: of the kept epoch, None where none is kept yet.
        epoch: the kept epoch, from 1.
        epochs: how many were trained.
        seconds: that they took.
        command: as it was typed, quoted for a shell; "" where it is not known.
        checkpoint: of the kept epoch, seen from where runs were looked for; "" where there is none.
    """

    name: str
    status: Status
    reason: str = ""
    settings: dict[str, Value] = field(default_factory=dict)
    monitor: str = ""
    mode: str = ""
    score: float | None = None
    epoch: int | None = None
    epochs: int | None = None
    seconds: float | None = None
    command: str = ""
    checkpoint: str = ""


def read_run_folders(folder: Path) -> list[RunFolder]:
    """Reads all run folders at or below a folder; links are not followed.

    Raises:
        ConfigError: there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; expected one with runs of `emotion train`")
    closed: list[OSError] = []
    runs = [read_run_folder(path, folder) for path in _find(folder, closed.append)]
    runs += [_unreadable(folder, error) for error in closed]
    if not runs:
        raise ConfigError(
            f"{folder}: expected run folders in it or below, as `emotion train` leaves them"
            f" (config.yaml beside {RECORD} or {SELECTION}), found none"
        )
    return runs


def _unreadable(folder: Path, error: OSError) -> RunFolder:
    name = Path(error.filename).relative_to(folder).as_posix()
    return RunFolder(name, "unreadable", f"the folder cannot be listed ({error.strerror})")


def _find(folder: Path, report: Callable[[OSError], None]) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, onerror=report):
        folders[:] = sorted(n for n in folders if n not in _INSIDE and not n.startswith("."))
        if RECORD in files or SELECTION in files or LOG in files:
            yield Path(place)


def read_run_folder(path: Path, seen_from: Path) -> RunFolder:
    """Reads a run folder; one that cannot be read is a record with the reason."""
    name = os.fsencode(path.relative_to(seen_from)).decode("utf-8", "replace")
    try:
        return _read(path, name)
    except EmotionError as error:
        reason = str(error).removeprefix(f"{path}/")
    except OSError as error:
        reason = f"{Path(error.filename or path).name}: cannot be read ({error.strerror or error})"
    return RunFolder(name, "unreadable", " ".join(reason.split()))


def _read(path: Path, name: str) -> RunFolder:
    if not any((path / file).exists() for file in (RECORD, SELECTION)):
        return _read_job(path, name)
    record = read_record(path)
    if record is not None and not all(isinstance(word, str) for word in record.command):
        raise EmotionError(f"{RECORD}: command: expected words")
    selection = _selection(path) if (path / SELECTION).is_file() else {}
    status, reason = _status(record, selection)
    command = shlex.join(record.command) if record is not None else ""
    if record is not None and status != "finished" and not (path / "config.yaml").exists():
        return RunFolder(name, status, reason, seconds=record.seconds, command=command)
    config = _config(path / "config.yaml")
    monitor = selection or _monitor(config["monitor"])
    epochs, seconds = _epochs(path / "epochs.csv")
    kept = selection.get("checkpoint", "")
    return RunFolder(
        name=name,
        status=status,
        reason=reason,
        settings=settings_of(config),
        monitor=monitor["monitor"],
        mode=monitor["mode"],
        score=selection.get("score"),
        epoch=selection.get("epoch"),
        epochs=selection["epochs"] if status == "finished" else epochs,
        seconds=record.seconds if record is not None and record.seconds else seconds,
        command=command,
        checkpoint=(kept if name == "." else f"{name}/{kept}") if kept else "",
    )


def _read_job(path: Path, name: str) -> RunFolder:
    """Reads a job of which no run has come yet: a wrong setting ends it before."""
    from emotion.experiments.jobs import Job

    tail = Job((), path).tail()
    said = [line for line in tail if line.startswith(("emotion: ", "Traceback"))]
    if not said:
        return RunFolder(name, "running", "has not begun yet, or was killed")
    reason = said[-1] if said[-1].startswith("emotion: ") else tail[-1]
    return RunFolder(name, "failed", reason.removeprefix("emotion: "))


def _status(record: RunRecord | None, selection: dict[str, Any]) -> tuple[Status, str]:
    done = bool(selection) and selection.get("finished", True) is True  # the first had no such key
    if record is None:
        return ("finished", "") if done else ("stopped", _REASONS["stopped"])
    if record.status == "finished" and done:
        return "finished", ""
    if record.status not in _REASONS:
        raise EmotionError(f"{RECORD}: status: expected {', '.join(_REASONS)}, got {record.status}")
    status: Status = "stopped" if record.status == "finished" else record.status
    return status, " ".join((record.reason or _REASONS[record.status]).split())


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise EmotionError(f"{path.name} is missing")
    text = path.read_bytes()
    if text.count(b"[") + text.count(b"{") > NESTING:
        raise EmotionError(f"{path.name}: expected the settings of a run, got deep nesting")
    try:
        content = yaml.load(text, _LOADER)  # noqa: S506 (a safe loader, see above)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise EmotionError(f"{path.name}: not YAML ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("monitor"), dict):
        raise EmotionError(f"{path.name}: expected the settings of a run, with a monitor")
    return content


def _monitor(content: dict[str, Any]) -> dict[str, Any]:
    return _checked_monitor("config.yaml", content.get("name"), content.get("mode"))


def _checked_monitor(where: str, name: Any, mode: Any) -> dict[str, Any]:
    # Runs are never ranked by the test part, whatever a file says.
    if not isinstance(name, str) or not name.startswith("val/"):
        raise EmotionError(f"{where}: monitor: expected a score of validation, val/…, got {name}")
    if mode not in ("min", "max"):
        raise EmotionError(f"{where}: mode: expected min or max, got {mode}")
    return {"monitor": name, "mode": mode}


def _selection(path: Path) -> dict[str, Any]:
    content = _json(path / SELECTION)
    score, epoch, epochs = (content.get(key) for key in ("score", "epoch", "epochs"))
    _checked_monitor(SELECTION, content.get("monitor"), content.get("mode"))
    number = isinstance(score, int | float) and not isinstance(score, bool)
    if not number or not math.isfinite(score):  # type: ignore[arg-type]
        raise EmotionError(f"{SELECTION}: score: expected a number, got {score}")
    if type(epoch) is not int or type(epochs) is not int or not 1 <= epoch <= epochs:
        raise EmotionError(f"{SELECTION}: expected an epoch from 1 to {epochs}, got {epoch}")
    if not isinstance(content.get("checkpoint"), str):
        raise EmotionError(f"{SELECTION}: expected the name of a checkpoint")
    if (path / "metrics.json").is_file():
        _check_metrics(_json(path / "metrics.json"), content)
    return content


def _check_metrics(metrics: dict[str, Any], selection: dict[str, Any]) -> None:
    """Checks that the two files, written one after the other, are of the same moment."""
    if metrics.get("epoch") != selection["epoch"]:
        raise EmotionError(
            f"metrics.json is of epoch {metrics.get('epoch')}, {SELECTION} of epoch"
            f" {selection['epoch']}: half written; `emotion train resume=…` writes both again"
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise EmotionError(f"{path.name}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise EmotionError(f"{path.name}: expected names and values")
    return content


def _epochs(path: Path) -> tuple[int, float | None]:
    """Gives how many epochs were trained and how many seconds they took."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        return len(rows), sum(float(row["seconds"]) for row in rows)
    except FileNotFoundError:
        return 0, None
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise EmotionError(f"{path.name}: expected a table with seconds ({error})") from error
