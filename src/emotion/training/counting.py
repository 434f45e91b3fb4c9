"""How many faces a step and an epoch have, and that an epoch had so many."""

from typing import Any, Protocol

from pytorch_lightning import Trainer
from torch import Tensor


class FaceCounts(Protocol):
    """What training asks of a data module: see `FaceCropDataModule`."""

    def step_faces(self, batch: int) -> int:
        """Gives the faces of the optimiser's step to which a training batch belongs."""

    def epoch_faces(self, part: str) -> int:
        """Gives the faces of one epoch of "train", "val" or "test", over all devices."""


def _counts(trainer: Trainer) -> FaceCounts | None:
    data: Any = getattr(trainer, "datamodule", None)
    return data if hasattr(data, "step_faces") else None


def step_faces(trainer: Trainer, batch: int, here: int) -> int:
    """Gives the faces that the optimiser's step of a training batch has on all devices.

    Args:
        trainer: of the fit.
        batch: its number in the epoch, from 0.
        here: its faces on this device, which are all where plain loaders feed one device.

    Raises:
        RuntimeError: there are several devices or accumulated batches, and no data module tells.
    """
    counts = _counts(trainer)
    if counts is not None:
        return counts.step_faces(batch)
    if trainer.world_size * trainer.accumulate_grad_batches > 1:
        raise RuntimeError("devices and accumulated batches need a data module's step_faces")
    return here


def check_seen(trainer: Trainer, part: str, table: Tensor) -> None:
    """Checks that an epoch's confusion matrix has every sample that the data module counts.

    Raises:
        RuntimeError: it has another number; names both.
    """
    counts = _counts(trainer)
    if counts is None or trainer.sanity_checking:
        return
    seen, expected = int(table.sum()), counts.epoch_faces(part)
    if seen != expected:
        raise RuntimeError(
            f"epoch {trainer.current_epoch + 1}: {seen} samples of {part} were seen, expected"
            f" {expected}; its metrics would be wrong"
        )


def is_within_epoch(trainer: Trainer) -> bool:
    """Tells whether a training epoch has begun and not ended; the same on every device."""
    # As plain numbers: Lightning's types know less than its objects.
    epochs = trainer.fit_loop.epoch_progress.current.state_dict()
    return bool(epochs["started"] > epochs["processed"])
