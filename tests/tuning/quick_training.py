"""Stands in for `emotion train` in searches: a toy score, epoch by epoch, in a run folder.

`StepJob` trains one epoch each time it is looked at, in our own process. As a program (FOLDER
KEY=VALUE …) it is what `command` gives. `behaviour.json` in `data.root` says how long an epoch
takes, above which learning rate a training fails, and above which its score is no number.
"""

import csv
import json
import math
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion.experiments.jobs import Job, JobEnd

EPOCHS = 4
REASON = "the learning rate is too high"


def toy_score(lr: float, dropout: float) -> float:
    """Gives the score of the last epoch; best at 1e-3 and 0.2."""
    return (math.log10(lr) + 3) ** 2 + (dropout - 0.2) ** 2


def write_json(path: Path, content: Any) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


def record(folder: Path, status: str, reason: str | None = None) -> None:
    content = {
        "format": 1, "command": ["emotion", "train"], "status": status,
        "started": "2026-11-24T00:00:00+00:00", "seconds": 1.0, "resumed": 0, "reason": reason,
    }  # fmt: skip
    write_json(folder / "run.json", content)


def train(folder: Path, overrides: tuple[str, ...]) -> Iterator[int]:
    """Trains, and yields the number of each epoch once its score is written."""
    given = dict(item.split("=", 1) for item in overrides)
    behaviour = json.loads((Path(given["data.root"]) / "behaviour.json").read_text())
    lr, dropout = float(given["model.optimizer.lr"]), float(given["model.dropout"])
    record(folder, "running")
    rows = []
    if (folder / "epochs.csv").exists():
        with (folder / "epochs.csv").open() as stream:
            rows = list(csv.DictReader(stream))
    with (folder / "starts.txt").open("a") as stream:
        stream.write(f"{len(rows) + 1}\n")
    (folder / "config.yaml").write_text(
        "monitor: {name: val/loss, mode: min}\n"
        f"model: {{optimizer: {{lr: {lr!r}}}, dropout: {dropout}}}\n"
    )
    if lr > behaviour.get("fails_above", 1):
        record(folder, "failed", REASON)
        raise ValueError(REASON)
    score = math.nan
    for epoch in range(len(rows) + 1, EPOCHS + 1):
        time.sleep(behaviour.get("seconds", 0))
        spoilt = lr > behaviour.get("nan_above", 1) and epoch == 2
        score = math.nan if spoilt else toy_score(lr, dropout) + (EPOCHS - epoch) / 10
        rows.append({"epoch": str(float(epoch)), "val/loss": repr(score)})
        with (folder / "epochs.new").open("w", newline="") as stream:
            table = csv.DictWriter(stream, ["epoch", "val/loss"])
            table.writeheader()
            table.writerows(rows)
        (folder / "epochs.new").replace(folder / "epochs.csv")
        yield epoch
    chosen = {
        "monitor": "val/loss", "mode": "min", "epoch": EPOCHS, "score": score, "epochs": EPOCHS,
        "no_better_from": None, "rule": "lowest val/loss",
        "checkpoint": f"checkpoints/epoch_{EPOCHS:03d}.ckpt", "finished": True,
    }  # fmt: skip
    write_json(folder / "selection.json", chosen)
    write_json(folder / "metrics.json", {"epoch": EPOCHS, "metrics": {"val/loss": score}})
    record(folder, "finished")


class StepJob:
    """Takes the place of `RunningJob`: an epoch at each `poll`, without a process of its own."""

    running = 0  # at the moment
    most = 0  # at once, so far

    def __init__(self, job: "Job", environment: Mapping[str, str]) -> None:
        job.folder.mkdir(parents=True, exist_ok=True)
        self.job, self.asked, self._training = job, False, train(job.folder, job.overrides)
        StepJob.running += 1
        StepJob.most = max(StepJob.most, StepJob.running)

    def poll(self) -> "JobEnd | None":
        from emotion.experiments.jobs import JobEnd

        if self.asked:
            record(self.job.folder, "stopped", "SIGTERM")
            return JobEnd("stopped", 143, 1.0, [])
        try:
            next(self._training)
        except StopIteration:
            return JobEnd("finished", 0, 1.0, [])
        except ValueError as error:
            return JobEnd("failed", 2, 1.0, ["a line of the log", str(error)])
        return None

    def ask(self, grace: float = 0) -> None:
        self.asked = True

    def __exit__(self, *error: object) -> None:
        StepJob.running -= 1


def command(self: "Job") -> list[str]:
    """Takes the place of `Job.command`."""
    return [sys.executable, __file__, str(self.folder), *self.overrides]


def main() -> None:
    from emotion.processes import settle

    settle()
    folder = Path(sys.argv[1])

    def stop(*_: object) -> None:
        record(folder, "stopped", "SIGTERM")
        sys.exit(143)

    signal.signal(signal.SIGTERM, stop)
    for _ in train(folder, tuple(sys.argv[2:])):
        pass


if __name__ == "__main__":
    main()
