"""A progress bar over the whole run with the time left, and a line for every epoch."""

from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from torch import Tensor


class RunProgress(ProgressBar):
    """Shows one bar on a terminal, and prints a line an epoch there and in logs.

    Args:
        monitor: the score by which the epoch is chosen; its best epoch so far is marked.
        mode: "min" or "max".
    """

    def __init__(self, monitor: str, mode: str) -> None:
        super().__init__()
        self.monitor, self.sign = monitor, 1 if mode == "min" else -1
        self.best = float("inf")
        self._enabled = True
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def disable(self) -> None:
        """Switches the bar off; Lightning calls this on all devices but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Switches the bar on."""
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws the bar."""
        if not self._enabled:
            return
        console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:3.0f}%"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        batches = int(trainer.num_training_batches)
        steps = (trainer.max_epochs or 1) * batches
        done = trainer.current_epoch * batches
        self._task = self._progress.add_task("", total=steps, completed=done)
        self._progress.start()

    def on_train_epoch_start(self, trainer: Trainer, *_: Any) -> None:
        """Names the epoch."""
        if self._progress is not None:
            text = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            self._progress.update(self._task, description=text)

    def on_train_batch_end(self, *_: Any) -> None:
        """Moves the bar on."""
        if self._progress is not None:
            self._progress.advance(self._task)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Prints the epoch's line."""
        # Asked for on every device: the metrics wait for all of them.
        metrics = trainer.callback_metrics
        if self._progress is not None:
            self._progress.console.print(self._line(trainer, metrics), soft_wrap=True)

    def _line(self, trainer: Trainer, metrics: dict[str, Tensor]) -> str:
        shown = ("train/loss", "val/loss", "val/accuracy", "val/balanced_accuracy")
        scores = "  ".join(
            f"{name} {float(metrics[name]):.4f}" for name in shown if name in metrics
        )
        score = self.sign * float(metrics.get(self.monitor, float("nan")))
        mark = "  best so far" if score < self.best else ""
        self.best = min(self.best, score) if score == score else self.best
        return f"epoch {trainer.current_epoch + 1:3d}/{trainer.max_epochs}  {scores}{mark}"

    def state_dict(self) -> dict[str, Any]:
        """Gives the best score so far, for a checkpoint."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the best score up again."""
        self.best = state_dict["best"]

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Removes the bar, also after an error."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
