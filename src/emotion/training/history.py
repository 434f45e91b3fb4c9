"""What each epoch gave, as a table that is on disk after each."""

import csv
import io
import time
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from emotion.files import write_text


class History(Callback):
    """Keeps the metrics of every epoch and writes `epochs.csv` after each.

    Args:
        path: the CSV file; columns `epoch` (from 1), `seconds`, `learning_rate`, then the metrics.

    Attributes:
        rows: one dictionary an epoch, in order.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.rows: list[dict[str, float]] = []
        self._started = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock."""
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Adds a row; validation has run by now, as it does inside the epoch."""
        metrics = {k: float(v) for k, v in trainer.callback_metrics.items() if "/" in k}
        row = {
            "epoch": float(trainer.current_epoch + 1),
            "seconds": time.monotonic() - self._started,
            "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
        }
        self.rows.append(row | dict(sorted(metrics.items())))
        if trainer.is_global_zero:
            write_text(self.path, self.to_csv())

    def column(self, name: str) -> list[float]:
        """Gives one metric over the epochs; empty where it was never logged."""
        return [row[name] for row in self.rows if name in row]

    def to_csv(self) -> str:
        """Gives the table as CSV text."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[-1]), lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" for k, v in row.items()} for row in self.rows)
        return text.getvalue()

    def state_dict(self) -> dict[str, Any]:
        """Gives the rows as plain data, for a checkpoint.

        Their seconds are left out, since they differ each time: the same run gives the same file.
        """
        return {"rows": [{k: v for k, v in row.items() if k != "seconds"} for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the rows up again; their seconds from the table, where it is there."""
        seconds = self._seconds()
        self.rows = [dict(row) | seconds.get(row["epoch"], {}) for row in state_dict["rows"]]

    def _seconds(self) -> dict[float, dict[str, float]]:
        try:
            with self.path.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            return {float(row["epoch"]): {"seconds": float(row["seconds"])} for row in rows}
        except (OSError, ValueError, KeyError, TypeError):  # no table, or one that was changed
            return {}
