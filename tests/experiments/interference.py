"""Callbacks for tests: what happens to a training while it runs."""

import os
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class SignalAt(Callback):
    """Sends this process a signal while one batch is trained on, or validated.

    Args:
        number: of the signal.
        epoch: from 1.
        batch: from 1.
        stage: "train" or "val".
    """

    def __init__(self, number: int, epoch: int, batch: int, stage: str = "train") -> None:
        self.number, self.epoch, self.batch, self.stage = number, epoch, batch, stage

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._send("train", trainer, batch_idx)

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._send("val", trainer, batch_idx)

    def _send(self, stage: str, trainer: Trainer, index: int) -> None:
        if (stage, trainer.current_epoch + 1, index + 1) == (self.stage, self.epoch, self.batch):
            os.kill(os.getpid(), self.number)


class SpoilWeights(Callback):
    """Makes the weights no numbers before an epoch, from 1."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch + 1 == self.epoch:
            next(iter(pl_module.parameters())).data.fill_(torch.nan)
