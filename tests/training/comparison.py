"""Whether two trainings came to the same, to the last bit."""

import csv
import json
from pathlib import Path

import torch

from emotion.experiments.outcome import RunResult


def metrics_of(folder: Path) -> list[dict[str, str]]:
    """Gives the rows of `epochs.csv` but for the time that each epoch took."""
    with (folder / "epochs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def assert_same_run(run: RunResult, expected: RunResult) -> None:
    """Asserts the same metrics of each epoch, the same choice, and the same weights."""
    assert metrics_of(run.folder) == metrics_of(expected.folder)
    chosen = [json.loads((r.folder / "selection.json").read_text()) for r in (run, expected)]
    assert chosen[0] == chosen[1]
    for name in (run.checkpoint.name, "last.ckpt"):
        ours, theirs = (
            torch.load(r.folder / "checkpoints" / name, weights_only=True)["state_dict"]
            for r in (run, expected)
        )
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
