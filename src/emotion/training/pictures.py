"""Pictures for TensorBoard: a training batch as the network sees it, and the confusion matrix."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from emotion.figures.canvas import to_pixels
from emotion.figures.confusion import draw_confusion
from emotion.figures.grids import draw_grid
from emotion.training.module import EmotionModule


class TensorBoardPictures(Callback):
    """Shows the first batch of each of the first epochs, and validation's confusion matrix.

    Args:
        batch_epochs: epochs whose first batch is shown.
        faces: faces of a batch that are shown.
    """

    def __init__(self, batch_epochs: int = 2, faces: int = 32) -> None:
        self.batch_epochs, self.faces = batch_epochs, faces

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: Any, batch: dict[str, Tensor], batch_idx: int
    ) -> None:
        """Shows the batch after augmentation, with its labels."""
        if batch_idx or trainer.current_epoch >= self.batch_epochs:
            return
        pixels = batch["pixels"][: self.faces].permute(0, 2, 3, 1).cpu().numpy()
        names = [pl_module.input.labels[target] for target in batch["targets"][: self.faces]]
        title = f"training batch, epoch {trainer.current_epoch + 1}, after augmentation"
        self._add(trainer, "train/batch", draw_grid(list(pixels), names, title))

    def on_validation_end(self, trainer: Trainer, pl_module: EmotionModule) -> None:  # type: ignore[override]
        """Shows the confusion matrix of the epoch."""
        table = np.asarray(pl_module.confusion.cpu().numpy(), dtype=np.int64)
        title = f"validation, epoch {trainer.current_epoch + 1}"
        self._add(trainer, "val/confusion", draw_confusion(table, pl_module.input.labels, title))

    def _add(self, trainer: Trainer, name: str, figure: Figure) -> None:
        if not trainer.is_global_zero:
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(
                    name, to_pixels(figure), trainer.global_step, dataformats="HWC"
                )
