"""The Lightning module: one loss, one optimiser, the metrics of train, val and test."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule
from pytorch_lightning.callbacks import EMAWeightAveraging
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from emotion.errors import ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import pack
from emotion.training.counting import check_seen, is_within_epoch, step_faces
from emotion.training.distillation import Teachers
from emotion.training.losses import TrainedLoss
from emotion.training.metrics import StageMetrics
from emotion.training.mixing import Mixup
from emotion.training.network import EmotionNetwork, check_compiler, load_weights
from emotion.training.schedules import Plateau, RateSchedule
from emotion.training.validation import ValidationMetrics

# The last word of the key of dropout's draws, which keeps them apart from the other draws of a run.
_STREAM = 3

MakeOptimizer = Callable[[Iterable[nn.Parameter] | list[dict[str, Any]]], Optimizer]


class EmotionModule(LightningModule):
    """MobileNet-v2 with cross-entropy on its logits.

    Logs, by epoch and exact over devices: `{train,val,test}/{loss,accuracy,balanced_accuracy,
    macro_f1,samples_seen}`, `val/f1_<class>` of each class that validation has faces of, `val/ece`
    (see `CalibrationError`), and `epoch`, counted from 1. The logged loss is plain cross-entropy,
    the mean over samples, whatever is trained with. With mixup `train/…` is measured on the mixed
    faces that the network saw, against the class of the face that makes up the larger part of each:
    it is worse than without mixing, and than `val/…`, which is never mixed.

    A step descends the mean over all its faces, on however many devices and in however many
    accumulated batches they come, as told by the data module (`FaceCounts`). What dropout and
    mixup draw follows from (seed, epoch, batch, device) alone. So a run that is continued, also
    from the middle of an epoch, is the run that was not broken off, bit for bit.

    Args:
        input: what the network takes and gives; saved in every checkpoint.
        weights: what it starts from, see `load_weights`.
        optimizer: makes an optimiser from parameters.
        schedule: "constant", "cosine" or "plateau", see `RateSchedule`.
        warmup_epochs: epochs over which the learning rate first rises from 0.
        label_smoothing: share of the target given to all classes alike, 0 to 1.
        logit_adjustment: 0 learns the classes as frequent as they are; 1 as if all were equally
            frequent, for balanced accuracy. Needs `set_class_counts` before the fit.
        dropout: before the last layer.
        class_weights: "balanced" weighs faces so that all classes count alike, "none" does not. See
            `TrainedLoss` for both. Needs `set_class_counts` before the fit.
        mixup: alpha of the Beta distribution by which training faces are mixed; 0 is off. See
            `Mixup`.
        seed: of the draws of mixup and dropout.
        batch_norm: "live" or "frozen", see `EmotionNetwork`.
        compile: let torch.compile translate the network before the fit.
        ema: None, or the decay of the exponential moving average of the weights that is validated
            and kept in place of the last ones, above 0 and below 1.
        plateau_factor: of the schedule "plateau", see `Plateau`, as the next.
        plateau_patience: epochs without a better score that are borne.
        freeze_epochs: epochs in which only the last layer is trained, at first.
        backbone_lr: factor on the learning rate of all layers but the last, above 0.
        teachers: checkpoints whose answers are learnt too, see `Teachers`, as the next two.
        distillation: how much of the loss they are, 0 to 1.
        distillation_temperature: that softens both sides' answers, above 0.
        monitor: the metric that the plateau is one of, such as "val/loss".
        mode: "min" if a lower one is better, "max" if a higher one is.

    Raises:
        ConfigError: a setting out of its range, or nothing to compile with.
        CheckpointError: the weights cannot be had.
    """

    def __init__(
        self,
        input: InputSpec,
        weights: str | None,
        optimizer: MakeOptimizer,
        schedule: Literal["constant", "cosine", "plateau"] = "constant",
        warmup_epochs: float = 0.0,
        label_smoothing: float = 0.0,
        logit_adjustment: float = 0.0,
        dropout: float = 0.2,
        class_weights: Literal["none", "balanced"] = "none",
        mixup: float = 0.0,
        seed: int = 0,
        batch_norm: Literal["live", "frozen"] = "live",
        compile: bool = False,
        ema: float | None = None,
        plateau_factor: float = 0.1,
        plateau_patience: int = 3,
        freeze_epochs: int = 0,
        backbone_lr: float = 1.0,
        teachers: Sequence[str] = (),
        distillation: float = 0.5,
        distillation_temperature: float = 2.0,
        monitor: str = "val/loss",
        mode: Literal["min", "max"] = "min",
    ) -> None:
        super().__init__()
        classes = len(input.labels)
        # Before weights are downloaded for a setting that does not fit.
        plateau = Plateau(mode, plateau_factor, plateau_patience)
        self.schedule = RateSchedule(schedule, warmup_epochs, plateau)
        self.trained_loss = TrainedLoss(classes, class_weights, label_smoothing, logit_adjustment)
        self.mixup = Mixup(mixup, seed)
        self.teachers = Teachers(teachers, distillation, distillation_temperature, input)
        _check_options(compile, ema, freeze_epochs, backbone_lr)
        self.compiled, self.ema = compile, ema
        self.freeze_epochs, self.backbone_lr = freeze_epochs, backbone_lr
        self.input, self.seed, self.monitor = input, seed, monitor
        self.network = EmotionNetwork(input, dropout, batch_norm)
        load_weights(self.network, weights)
        self.make_optimizer = optimizer
        self.train_metrics = StageMetrics(classes, "train")
        self.val_metrics = ValidationMetrics(input.labels)
        self.test_metrics = StageMetrics(classes, "test")
        self.confusion = torch.zeros(classes, classes, dtype=torch.int64)
        self._continued: dict[str, Tensor] | None = None
        self._logged_epoch = -1

    def forward(self, pixels: Tensor) -> Tensor:
        """Gives logits, B x classes, for pixels B x 3 x size x size, uint8, RGB."""
        logits: Tensor = self.network(pixels)
        return logits

    def set_class_counts(self, counts: Sequence[int]) -> None:
        """Tells how often each class is trained on, see `TrainedLoss.set_class_counts`."""
        self.trained_loss.set_class_counts(counts)

    def configure_callbacks(self) -> list[Callback]:
        """Gives the callback that averages the weights, where they are averaged."""
        return [] if self.ema is None else [EMAWeightAveraging(decay=self.ema)]

    def setup(self, stage: str) -> None:
        """Lays the weights out as is fastest; on CPUs channels_last trains 1.55 times faster.

        Here, since DDP wants the layout settled before it wraps the module.

        Raises:
            ValueError: a fit without the counts that its loss needs.
        """
        if stage == "fit" and self.trained_loss.needs_counts:
            raise ValueError("class_weights and logit_adjustment need set_class_counts before fit")
        if self.trainer.strategy.root_device.type in ("cpu", "cuda"):
            self.network.to(memory_format=torch.channels_last)
        if stage == "fit":
            self.teachers.to(self.trainer.strategy.root_device)
        if stage == "fit" and self.compiled:
            self.network.compile()  # in place: the names in the state dict stay as they are

    def on_train_start(self) -> None:
        """Takes up what a run that is continued in the middle of an epoch has measured of it."""
        self._set_frozen()
        self._logged_epoch = -1
        self.train_metrics.reset()
        if self._continued is not None and self.global_rank == 0:  # it is that of all devices
            table, loss = self._continued["table"], self._continued["loss"]
            self.train_metrics.add(table.to(self.device), loss.to(self.device))
        self._continued = None

    def on_train_epoch_start(self) -> None:
        """Lets the features learn once their time has come."""
        self._set_frozen()

    def _set_frozen(self) -> None:
        self.network.features_frozen = self.current_epoch < self.freeze_epochs
        # Here and not at first, since Lightning would warn of layers in eval mode.
        self.network.train()

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Gives this device's part of the step's loss, a scalar, as Lightning wants it."""
        pixels, targets, shares = batch["pixels"], batch["targets"], batch.get("shares")
        # Dropout draws from torch's own generator, whatever drew from it before.
        torch.manual_seed(step_seed(self.seed, self.current_epoch, batch_index, self.global_rank))
        mixing = self.mixup.draw(len(targets), self.current_epoch, batch_index, self.global_rank)
        if mixing is not None:
            pixels = mixing.mix(pixels)
        logits = self(pixels)
        self.train_metrics.update(logits, targets)
        if self._logged_epoch != self.current_epoch:
            # Lightning asks the metrics themselves at the epoch's end, so once is enough. Not then,
            # since its callbacks want to see this epoch's values.
            self.log_dict(self.train_metrics.named(), on_step=False, on_epoch=True)
            self._logged_epoch = self.current_epoch
        loss: Tensor
        if mixing is not None:
            loss = mixing.loss(self.trained_loss, logits, targets, shares)
        else:
            loss = self.trained_loss(logits, targets, shares)
        loss = self.teachers.blend(loss, logits, pixels)
        # Devices are averaged over, and accumulated batches too; the loss is a sum over faces.
        averaged = self.trainer.world_size * self.trainer.accumulate_grad_batches
        return loss / step_faces(self.trainer, batch_index, len(targets)) * averaged

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Measures one batch of validation; gives its logits, B x classes, to the callbacks."""
        logits: Tensor = self(batch["pixels"])
        self.val_metrics.update(logits, batch["targets"])
        return logits

    def test_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Measures one batch of the test part."""
        self.test_metrics.update(self(batch["pixels"]), batch["targets"])

    def on_train_epoch_end(self) -> None:
        """Checks that every face was seen, and lets the plateau have the epoch's score."""
        if self.trainer.is_last_batch:  # and nothing has stopped the epoch before its end
            self._count("train", self.train_metrics)
        if self.schedule.shape != "plateau":
            return
        if self.monitor not in self.trainer.callback_metrics:
            raise ConfigError(f"model.monitor={self.monitor}: not measured in this run")
        scheduler = self.lr_schedulers()
        assert isinstance(scheduler, LambdaLR)
        self.schedule.end_epoch(scheduler, float(self.trainer.callback_metrics[self.monitor]))

    def on_validation_epoch_end(self) -> None:
        """Logs the metrics of validation, and the epoch counted from 1 for checkpoint names."""
        self.log_dict(self.val_metrics.named())
        self.confusion = self._count("val", self.val_metrics)
        # These are the same on every device; "sync" keeps Lightning from warning that they might
        # not be.
        self.log_dict(self.val_metrics.of_classes(self.confusion), sync_dist=True)
        self.log("epoch", float(self.current_epoch + 1), sync_dist=True)

    def on_test_epoch_end(self) -> None:
        """Logs the metrics of the test part."""
        self.log_dict(self.test_metrics.named())
        self._count("test", self.test_metrics)

    def _count(self, part: str, metrics: StageMetrics) -> Tensor:
        """Gives the confusion matrix of all devices, once it has every sample of the part."""
        table = self._summed(metrics.totals()[0])
        check_seen(self.trainer, part, table)
        return table

    def _summed(self, value: Tensor) -> Tensor:
        """Adds up over devices; all have to ask."""
        total = self.trainer.strategy.reduce(value.clone(), reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def build_optimizer(self) -> Optimizer:
        """Makes the optimiser; the last layer comes first where rates differ."""
        if self.backbone_lr == 1:
            return self.make_optimizer(self.network.parameters())
        head, rest = self.network.parameter_groups()
        optimizer = self.make_optimizer([{"params": head}, {"params": rest}])
        optimizer.param_groups[1]["lr"] *= self.backbone_lr
        return optimizer

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Makes the optimiser and the schedule, which moves at every step."""
        optimizer = self.build_optimizer()
        total = int(self.trainer.estimated_stepping_batches)
        schedule = self.schedule.scheduler(optimizer, total, max(self.trainer.max_epochs or 1, 1))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "learning_rate"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what `evaluate` and `predict` need and what a continued run does, as plain data."""
        entry = pack(self.input) | {"plateau": self.schedule.plateau.state_dict()}
        if is_within_epoch(self.trainer):
            table, loss = (self._summed(total) for total in self.train_metrics.totals())
            entry["measured"] = {"table": table, "loss": loss}
        checkpoint["emotion"] = entry

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the plateau; what was measured of an epoch waits until the fit begins."""
        entry = checkpoint.get("emotion", {})
        if "plateau" in entry:
            self.schedule.plateau.load_state_dict(entry["plateau"])
        self._continued = entry.get("measured")


def step_seed(seed: int, epoch: int, batch: int, device: int) -> int:
    """Gives the seed of what torch draws in one training step on one device, 64 bits."""
    key = np.random.SeedSequence([seed, epoch, batch, device, _STREAM])
    return int(key.generate_state(1, np.uint64)[0])


def _check_options(
    compile: bool, ema: float | None, freeze_epochs: int, backbone_lr: float
) -> None:
    if type(compile) is not bool:
        raise ConfigError(f"model.compile: expected true or false, got {compile}")
    if ema is not None and (isinstance(ema, bool | str) or not 0 < ema < 1):
        raise ConfigError(
            "model.ema: expected null (off) or a decay above 0 and below 1, such as 0.99; got"
            f" {ema}"
        )
    if type(freeze_epochs) is not int or freeze_epochs < 0:
        raise ConfigError(
            f"model.freeze_epochs: expected a whole number from 0, got {freeze_epochs}"
        )
    if isinstance(backbone_lr, bool | str | None) or not 0 < backbone_lr < math.inf:
        raise ConfigError(
            f"model.backbone_lr: expected a factor above 0, such as 0.1; got {backbone_lr}"
        )
    if compile:
        check_compiler()
