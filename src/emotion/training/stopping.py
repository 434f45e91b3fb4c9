"""Ending a training early in good order: on a signal, or where the loss is no number."""

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor

from emotion.errors import EmotionError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CHECKED_EVERY = 50  # steps between two looks at a loss on a GPU, since each look waits for it


class StoppedError(Exception):
    """A training that ended because a signal asked for it, its state saved.

    Attributes:
        number: of the signal.
        where: the epoch and step, in words.
    """

    def __init__(self, number: int, where: str) -> None:
        super().__init__(f"{signal.Signals(number).name} {where}")
        self.number, self.where = number, where


class StopOnSignal(Checkpoint):
    """On Ctrl-C or SIGTERM ends the training after the running step, and saves it.

    All devices agree on the step, by one number that they exchange after each. While validation
    runs, or the last step of an epoch, the epoch is first brought to its end, so that what is saved
    is always between two steps of training. A second signal ends the process where it stands.

    It is a `Checkpoint` since Lightning calls those last: what it saves, the others have finished.

    Args:
        path: where the state is saved; that of the callback that saves each epoch.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.received = 0
        self._before: dict[int, Any] = {}
        self._group: Any = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Takes the signals over from Lightning, whose handler would wait in a broadcast."""
        self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        if trainer.world_size > 1:
            # On the CPU, so that no GPU is waited for. It is also what Lightning's own check does
            # at each step with the GPU's queue, for a signal that it never gets to see.
            self._group = dist.new_group(backend="gloo")
            trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _nothing  # type: ignore[method-assign]

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        for other, handler in self._before.items():
            signal.signal(other, handler if other == signal.SIGINT else signal.SIG_DFL)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves and stops, if any device was asked to."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return  # gradients of half a step are not saved
        if batch_idx + 1 < trainer.num_training_batches and (number := self._agreed()):
            trainer.save_checkpoint(self.path)
            where = f"in epoch {trainer.current_epoch + 1} after step {trainer.global_step}"
            raise StoppedError(number, where)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stops, if any device was asked to; the epoch before is saved already."""
        if number := self._agreed():
            raise StoppedError(number, f"after epoch {trainer.current_epoch}")

    def _agreed(self) -> int:
        """Gives the signal that any device has received, or 0."""
        if self._group is None:
            return self.received
        number = torch.tensor([self.received])
        dist.all_reduce(number, dist.ReduceOp.MAX, self._group)
        return int(number)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Gives the signals back, after an error too."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


def _nothing() -> None:
    """Does nothing."""


class FiniteLoss(Callback):
    """Stops a training whose loss is no longer a number, before anything of it is saved.

    On the CPU each step is looked at, on a GPU every 50th and the last of an epoch.
    """

    def __init__(self) -> None:
        self._loss: Tensor | None = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Looks at the loss of the step."""
        loss = outputs["loss"]
        self._loss = loss if self._loss is None else self._loss + loss  # NaN and infinity stay
        if loss.device.type == "cpu" or batch_idx % CHECKED_EVERY == 0:
            self._check(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the losses since the last look."""
        self._check(trainer)

    def _check(self, trainer: Trainer) -> None:
        loss, self._loss = self._loss, None
        if loss is not None and not torch.isfinite(loss):
            raise EmotionError(
                f"the training loss is {float(loss)} in epoch {trainer.current_epoch + 1}, step"
                f" {trainer.global_step}; try a lower model.optimizer.lr, or"
                " trainer.gradient_clip_val=1.0; checkpoints of earlier epochs are as they were"
            )
