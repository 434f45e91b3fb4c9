"""The Lightning module: one loss, one optimiser, the metrics of train, val and test."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics.classification import MulticlassConfusionMatrix

from emotion.errors import ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import pack
from emotion.training.losses import TrainedLoss
from emotion.training.metrics import StageMetrics
from emotion.training.mixing import Mixup
from emotion.training.network import EmotionNetwork, load_weights

SCHEDULES = ("constant", "cosine")


class EmotionModule(LightningModule):
    """MobileNet-v2 with cross-entropy on its logits.

    Logs, by epoch and exact over devices: `{train,val,test}/{loss,accuracy,balanced_accuracy,
    macro_f1,samples}`, and `epoch`, counted from 1. The logged loss is plain cross-entropy, the
    mean over samples, whatever is trained with. With mixup `train/…` is measured on the mixed faces
    that the network saw, against the class of the face that makes up the larger part of each: it is
    worse than without mixing, and than `val/…`, which is never mixed.

    Args:
        input: what the network takes and gives; saved in every checkpoint.
        weights: what it starts from, see `load_weights`.
        optimizer: makes an optimiser from parameters.
        schedule: "constant", or "cosine" down to 0 at the last step.
        warmup_epochs: epochs over which the learning rate first rises from 0.
        label_smoothing: share of the target given to all classes alike, 0 to 1.
        logit_adjustment: 0 learns the classes as frequent as they are; 1 as if all were equally
            frequent, for balanced accuracy. Needs `set_class_counts` before the fit.
        dropout: before the last layer.
        class_weights: "balanced" weighs faces so that all classes count alike, "none" does not. See
            `TrainedLoss` for both. Needs `set_class_counts` before the fit.
        mixup: alpha of the Beta distribution by which training faces are mixed; 0 is off. See
            `Mixup`.
        seed: of the draws of mixup.

    Raises:
        ConfigError: a setting out of its range.
        CheckpointError: the weights cannot be had.
    """

    def __init__(
        self,
        input: InputSpec,
        weights: str | None,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        schedule: Literal["constant", "cosine"] = "constant",
        warmup_epochs: float = 0.0,
        label_smoothing: float = 0.0,
        logit_adjustment: float = 0.0,
        dropout: float = 0.2,
        class_weights: Literal["none", "balanced"] = "none",
        mixup: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if schedule not in SCHEDULES:
            raise ConfigError(f"model.schedule: expected constant or cosine, got {schedule!r}")
        classes = len(input.labels)
        # Before weights are downloaded for a setting that does not fit.
        self.trained_loss = TrainedLoss(classes, class_weights, label_smoothing, logit_adjustment)
        self.mixup = Mixup(mixup, seed)
        self.input = input
        self.network = EmotionNetwork(input, dropout)
        load_weights(self.network, weights)
        self.make_optimizer = optimizer
        self.schedule, self.warmup_epochs = schedule, warmup_epochs
        self.train_metrics = StageMetrics(classes, "train")
        self.val_metrics = StageMetrics(classes, "val")
        self.test_metrics = StageMetrics(classes, "test")
        self.val_confusion = MulticlassConfusionMatrix(classes)
        self.confusion = torch.zeros(classes, classes, dtype=torch.int64)

    def forward(self, pixels: Tensor) -> Tensor:
        """Gives logits, B x classes, for pixels B x 3 x size x size, uint8, RGB."""
        logits: Tensor = self.network(pixels)
        return logits

    def set_class_counts(self, counts: Sequence[int]) -> None:
        """Tells how often each class is trained on, see `TrainedLoss.set_class_counts`."""
        self.trained_loss.set_class_counts(counts)

    def setup(self, stage: str) -> None:
        """Lays the weights out as is fastest; on CPUs channels_last trains 1.55 times faster.

        Here, since DDP wants the layout settled before it wraps the module.

        Raises:
            ValueError: a fit without the counts that its loss needs.
        """
        if stage == "fit" and self.trained_loss.needs_counts:
            raise ValueError("class_weights and logit_adjustment need set_class_counts before fit")
        if self.trainer.strategy.root_device.type == "cpu":
            self.network.to(memory_format=torch.channels_last)

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Gives the loss to descend, a scalar."""
        pixels, targets = batch["pixels"], batch["targets"]
        mixing = self.mixup.draw(len(targets), self.current_epoch, batch_index, self.global_rank)
        logits = self(pixels if mixing is None else mixing.mix(pixels))
        self.train_metrics.update(logits, targets)
        # Logged here and not at the epoch's end, whose callbacks want to see this epoch's values.
        self.log_dict(self.train_metrics.named(), on_step=False, on_epoch=True)
        if mixing is not None:
            return mixing.loss(self.trained_loss, logits, targets)
        loss: Tensor = self.trained_loss(logits, targets)
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Measures one batch of validation."""
        logits = self(batch["pixels"])
        self.val_metrics.update(logits, batch["targets"])
        self.val_confusion.update(logits, batch["targets"])

    def test_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Measures one batch of the test part."""
        self.test_metrics.update(self(batch["pixels"]), batch["targets"])

    def on_validation_epoch_end(self) -> None:
        """Logs the metrics of validation, and the epoch counted from 1 for checkpoint names."""
        self.log_dict(self.val_metrics.named())
        # On every device, since computing waits for all; `confusion` keeps the last epoch's table.
        self.confusion = self.val_confusion.compute()
        self.val_confusion.reset()
        # The same on every device; "sync" keeps Lightning from warning that it might not be.
        self.log("epoch", float(self.current_epoch + 1), sync_dist=True)

    def on_test_epoch_end(self) -> None:
        """Logs the metrics of the test part."""
        self.log_dict(self.test_metrics.named())

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Makes the optimiser and the schedule, which moves at every step."""
        optimizer = self.make_optimizer(self.network.parameters())
        total = int(self.trainer.estimated_stepping_batches)
        warmup = round(self.warmup_epochs * total / max(self.trainer.max_epochs or 1, 1))
        schedule = LambdaLR(optimizer, lambda step: self._rate(step, warmup, total))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "learning_rate"},
        }

    def _rate(self, step: int, warmup: int, total: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        if self.schedule == "constant":
            return 1.0
        done = min((step - warmup) / max(total - warmup, 1), 1.0)
        return 0.5 * (1 + math.cos(math.pi * done))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what `evaluate` and `predict` need, as plain data."""
        checkpoint["emotion"] = pack(self.input)
