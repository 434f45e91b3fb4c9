"""Small trainings, and what their folders say."""

import csv
import json
from pathlib import Path

SECONDS = ("seconds",)  # columns of epochs.csv that differ from run to run

TINY = (
    "model.weights=null", "input.size=64", "data.batch_size=4", "data.cache=null",
    "trainer.limit_train_batches=2", "trainer.accelerator=cpu", "~callbacks.pictures",
)  # fmt: skip


def epochs(folder: Path) -> list[dict[str, str]]:
    """Gives the rows of a run's `epochs.csv`; none as long as it is not there."""
    path = folder / "epochs.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def numbers(folder: Path) -> list[int]:
    """Gives the epochs of a run as they follow one another."""
    return [int(float(row["epoch"])) for row in epochs(folder)]


def metrics(folder: Path) -> list[dict[str, float]]:
    """Gives the metrics of each epoch, without how long it took."""
    return [
        {name: float(value) for name, value in row.items() if name not in SECONDS}
        for row in epochs(folder)
    ]


def validation_faces(folder: Path, root: Path) -> int:
    """Counts the faces of a run's validation photos in the annotations themselves."""
    files = json.loads((folder / "split.json").read_bytes())["parts"]["val"]["files"]
    return sum((root / name).read_text().count("<object>") for name in files)


def record(folder: Path) -> dict[str, object]:
    """Gives a run's `run.json`; empty as long as it is not there."""
    path = folder / "run.json"
    return dict(json.loads(path.read_bytes())) if path.is_file() else {}
