"""Pictures for TensorBoard: what is trained on, the confusion matrix, and the worst mistakes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from emotion.errors import ConfigError
from emotion.figures.canvas import to_pixels
from emotion.figures.confusion import draw_confusion
from emotion.figures.grids import LONGEST, draw_grid
from emotion.training.mistakes import Mistake, WorstMistakes, caption
from emotion.training.module import EmotionModule


@dataclass(frozen=True)
class _Validation:
    """What a validation left to be drawn.

    Attributes:
        epoch: counted from 1.
        step: of the optimiser.
        table: confusion matrix over all devices.
        mistakes: the worst of this device.
    """

    epoch: int
    step: int
    table: NDArray[np.int64]
    mistakes: WorstMistakes


class TensorBoardPictures(Callback):
    """Shows the first batches, and of validation the confusion matrix and the worst mistakes.

    What is shown of validation is that of the first epoch, of every so-many-th and of the last one,
    also where that came early. With several devices the confusion matrix is of all, and the
    mistakes are those of the first device, as their title says.

    Args:
        batch_epochs: epochs whose first batch is shown, at first.
        faces: faces of a batch that are shown.
        confusion_epochs: epochs from one confusion matrix to the next; 0: none is drawn.
        mistakes_epochs: epochs from one picture of the worst mistakes to the next; 0: none.
        mistakes: how many are shown at most.

    Raises:
        ConfigError: a number is none, or too small.
    """

    def __init__(
        self,
        batch_epochs: int = 2,
        faces: int = 32,
        confusion_epochs: int = 5,
        mistakes_epochs: int = 5,
        mistakes: int = 16,
    ) -> None:
        _check("batch_epochs", batch_epochs, 0)
        _check("faces", faces, 1)
        _check("confusion_epochs", confusion_epochs, 0)
        _check("mistakes_epochs", mistakes_epochs, 0)
        _check("mistakes", mistakes, 1)
        self.batch_epochs, self.faces, self.mistakes = batch_epochs, faces, mistakes
        self.confusion_epochs, self.mistakes_epochs = confusion_epochs, mistakes_epochs
        self._worst = WorstMistakes(mistakes)
        self._last: _Validation | None = None

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: Any, batch: dict[str, Tensor], batch_idx: int
    ) -> None:
        """Shows the batch after augmentation, with its labels."""
        if batch_idx or trainer.current_epoch >= self.batch_epochs or not _boards(trainer):
            return
        pixels = batch["pixels"][: self.faces].permute(0, 2, 3, 1).cpu().numpy()
        names = [pl_module.input.labels[target] for target in batch["targets"][: self.faces]]
        title = f"training batch, epoch {trainer.current_epoch + 1}, after augmentation"
        _add(trainer, "train/batch", draw_grid(list(pixels), names, title), trainer.global_step)

    def on_validation_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Begins anew."""
        self._worst = WorstMistakes(self.mistakes)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: Any,
        outputs: Any,
        batch: dict[str, Tensor],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps the worst mistakes so far: which epoch is the last is known too late for less."""
        if self.mistakes_epochs and not trainer.sanity_checking and _boards(trainer):
            self._worst.update(batch["pixels"], batch["targets"], outputs)

    def on_validation_end(self, trainer: Trainer, pl_module: EmotionModule) -> None:  # type: ignore[override]
        """Shows what the epoch is due."""
        if trainer.sanity_checking or not _boards(trainer):
            return
        table = np.asarray(pl_module.confusion.cpu().numpy(), dtype=np.int64)
        epoch, step = trainer.current_epoch + 1, trainer.global_step
        self._last = _Validation(epoch, step, table, self._worst)
        self._show(trainer, pl_module, lambda every: _is_due(epoch, every, trainer.max_epochs))

    def on_train_end(self, trainer: Trainer, pl_module: EmotionModule) -> None:  # type: ignore[override]
        """Shows the last epoch, where it was not known to be the last."""
        if self._last is not None:
            epoch = self._last.epoch
            last = trainer.max_epochs
            self._show(trainer, pl_module, lambda every: not _is_due(epoch, every, last))
        self._last = None

    def _show(self, trainer: Trainer, module: EmotionModule, wanted: Callable[[int], bool]) -> None:
        last, labels = self._last, module.input.labels
        assert last is not None
        if self.confusion_epochs and wanted(self.confusion_epochs):
            figure = draw_confusion(last.table, labels, f"validation, epoch {last.epoch}")
            _add(trainer, "val/confusion", figure, last.step)
        if self.mistakes_epochs and wanted(self.mistakes_epochs):
            found = last.mistakes.read()
            captions = [caption(mistake, labels, LONGEST) for mistake in found]
            title = _title(last, found, trainer.world_size)
            figure = draw_grid([mistake.pixels for mistake in found], captions, title)
            _add(trainer, "val/worst_mistakes", figure, last.step)


def _check(name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        raise ConfigError(
            f"callbacks.pictures.{name}: expected a whole number from {least}, got {value}"
        )


def _is_due(epoch: int, every: int, last: int | None) -> bool:
    return epoch in (1, last) or epoch % every == 0


def _title(last: _Validation, found: list[Mistake], devices: int) -> str:
    what = "worst mistakes (truth → answer)" if found else "no mistake"
    title = f"{what}, validation, epoch {last.epoch}"
    if devices == 1:
        return title
    return f"{title}\nof {last.mistakes.faces} faces seen by the first device"


def _boards(trainer: Trainer) -> list[TensorBoardLogger]:
    """Gives the loggers that take pictures; none on devices other than the first."""
    if not trainer.is_global_zero:
        return []
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]


def _add(trainer: Trainer, name: str, figure: Figure, step: int) -> None:
    pixels = to_pixels(figure)
    for board in _boards(trainer):
        board.experiment.add_image(name, pixels, step, dataformats="HWC")
