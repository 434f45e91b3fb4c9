"""The parts of a run, made from its config and checked before anything costs time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from omegaconf import DictConfig
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.callbacks import ModelCheckpoint

from emotion.data.datamodule import FaceCropDataModule
from emotion.errors import ConfigError, DataError, EmotionError
from emotion.experiments.configs import check_config, check_overrides, compose_config
from emotion.faces.samples import count_classes, list_counts
from emotion.training.history import History
from emotion.training.module import EmotionModule
from emotion.training.saving import WholeCheckpointIO


@dataclass(frozen=True)
class Run:
    """The parts of a run, made from its config."""

    folder: Path
    data: FaceCropDataModule
    module: EmotionModule
    trainer: Trainer
    history: History
    best: ModelCheckpoint


def build_run(config: DictConfig) -> Run:
    """Makes the parts of a run; the annotations are read, no picture is opened yet.

    Raises:
        EmotionError: a setting does not fit; says which.
    """
    check_config(config)
    seed_everything(config.seed, workers=True, verbose=False)
    data = _instantiate(config.data, "data")
    data.read_samples()  # before weights are downloaded for a data set that is not there
    module = _instantiate(config.model, "model")
    _try_optimizer(module)
    callbacks: dict[str, Callback] = _instantiate(config.callbacks, "callbacks")
    logger = _instantiate(config.logger, "logger") if config.get("logger") else False
    if "best" not in callbacks or "history" not in callbacks:
        raise ConfigError("callbacks: expected `best` and `history` among them")
    trainer = _instantiate(
        config.trainer,
        "trainer",
        callbacks=list(callbacks.values()),
        logger=logger,
        plugins=_plugins(),
        **_strategy(config, module),
    )
    if config.trainer.get("sync_batchnorm") and trainer.strategy.root_device.type == "cpu":
        raise ConfigError(
            "trainer.sync_batchnorm: works on GPUs only; set it to false, or"
            " model.batch_norm=frozen for a batch norm to which devices make no difference"
        )
    history, best = callbacks["history"], callbacks["best"]
    assert isinstance(history, History)
    assert isinstance(best, ModelCheckpoint)
    return Run(Path(config.run_dir), data, module, trainer, history, best)


def _plugins() -> list[Any]:
    plugins: list[Any] = [WholeCheckpointIO()]
    if SLURMEnvironment.detect():
        # Its own way to requeue writes a checkpoint that would be taken before that of the run.
        plugins.append(SLURMEnvironment(auto_requeue=False))
    return plugins


def build_data(overrides: Sequence[str]) -> FaceCropDataModule:
    """Makes the data module that a training with those settings would use.

    Args:
        overrides: key=value, as on the command line of `emotion train`.

    Raises:
        EmotionError: a setting does not exist or does not fit.
    """
    check_overrides(overrides)
    config = compose_config(overrides)
    check_config(config)
    data: FaceCropDataModule = _instantiate(config.data, "data")
    return data


def _try_optimizer(module: EmotionModule) -> None:
    try:
        module.build_optimizer()
    except (ValueError, TypeError) as error:
        raise ConfigError(f"model.optimizer: {error}") from error


def _strategy(config: DictConfig, module: EmotionModule) -> dict[str, str]:
    """Tells DDP that frozen layers get no gradients, where it would wait for them."""
    strategy = config.trainer.get("strategy", "auto")
    several = config.trainer.get("devices", "auto") not in (1, "1")
    if module.freeze_epochs and (strategy == "ddp" or (strategy == "auto" and several)):
        return {"strategy": "ddp_find_unused_parameters_true"}
    return {}


def _instantiate(node: DictConfig, name: str, **more: Any) -> Any:
    try:
        # "all": plain lists and dicts, or the checkpoint would not load with weights_only=True
        return instantiate(node, _convert_="all", **more)
    except InstantiationException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, EmotionError):
            cause = cause.__cause__
        if cause is not None:
            raise cause from error
        text = " ".join(str(error.__cause__ or error).split())
        raise ConfigError(f"{name}: {text}") from error


def check_run(run: Run) -> None:
    """Checks that the parts fit one another, and tells the module how frequent its classes are.

    Raises:
        EmotionError: fewer than two classes to learn, or a batch size that cannot be divided.
    """
    counts = count_classes(run.data.samples["train"], run.data.input.labels)
    if sum(count > 0 for count in counts.values()) < 2:
        raise DataError(
            f"{run.data.root}: expected training faces of two classes or more,"
            f" got {list_counts(counts)}"
        )
    # As they are drawn: a sampler that repeats rare classes leaves nothing to weigh up.
    balanced = run.data.sampler == "balanced"
    drawn = [int(n > 0) if balanced else n for n in counts.values()]
    run.module.set_class_counts(drawn)
    run.data.step_size(run.trainer.world_size, run.trainer.accumulate_grad_batches)
