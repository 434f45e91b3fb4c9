"""One training run: composed from a config, and everything it leaves in its folder."""

import json
import math
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger

from emotion.data.datamodule import FaceCropDataModule
from emotion.data.splits import describe_split
from emotion.errors import ConfigError, DataError, EmotionError
from emotion.faces.samples import count_classes
from emotion.figures.canvas import save_figure
from emotion.figures.curves import draw_curves
from emotion.files import write_json, write_text
from emotion.training.history import History
from emotion.training.module import EmotionModule
from emotion.training.selection import Selection, select_epoch

PACKAGES = ("emotion", "torch", "torchvision", "pytorch-lightning", "albumentations", "numpy")


@dataclass(frozen=True)
class Run:
    """The parts of a run, made from its config."""

    folder: Path
    data: FaceCropDataModule
    module: EmotionModule
    trainer: Trainer
    history: History
    best: ModelCheckpoint


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes:
        folder: the run folder.
        checkpoint: the checkpoint of the epoch that is kept.
        selection: which epoch that is, and why.
        metrics: its metrics on train and validation.
    """

    folder: Path
    checkpoint: Path
    selection: Selection
    metrics: dict[str, float]


def build_run(config: DictConfig) -> Run:
    """Makes the parts of a run; the annotations are read, no picture is opened yet.

    Raises:
        EmotionError: a setting does not fit; says which.
    """
    check_config(config)
    seed_everything(config.seed, workers=True, verbose=False)
    data = _instantiate(config.data, "data")
    data.read_samples("fit")  # before weights are downloaded for a data set that is not there
    module = _instantiate(config.model, "model")
    _try_optimizer(module)
    callbacks: dict[str, Callback] = _instantiate(config.callbacks, "callbacks")
    logger = _instantiate(config.logger, "logger") if config.get("logger") else False
    if "best" not in callbacks or "history" not in callbacks:
        raise ConfigError("callbacks: expected `best` and `history` among them")
    trainer = _instantiate(
        config.trainer, "trainer", callbacks=list(callbacks.values()), logger=logger
    )
    history, best = callbacks["history"], callbacks["best"]
    assert isinstance(history, History)
    assert isinstance(best, ModelCheckpoint)
    return Run(Path(config.run_dir), data, module, trainer, history, best)


def check_config(config: DictConfig) -> None:
    """Checks what no constructor would, before anything is made.

    Raises:
        ConfigError: names the setting, what was expected and what came.
    """
    scores = [f"val/{name}" for name in ("loss", "accuracy", "balanced_accuracy", "macro_f1")]
    if config.monitor.name not in scores:
        raise ConfigError(
            f"monitor.name: expected one of {', '.join(scores)}, got {config.monitor.name}"
        )
    for name, least in (("seed", 0), ("trainer.max_epochs", 1), ("monitor.patience", 0),
                        ("trainer.accumulate_grad_batches", 1)):  # fmt: skip
        value = OmegaConf.select(config, name)
        if type(value) is not int or not least <= value < 2**32:
            raise ConfigError(f"{name}: expected a whole number from {least}, got {value}")
    for name in ("trainer.limit_train_batches", "trainer.limit_val_batches"):
        if OmegaConf.select(config, name) == 0:
            raise ConfigError(f"{name}: expected more than 0, got 0")
    if OmegaConf.select(config, "trainer.check_val_every_n_epoch", default=1) != 1:
        raise ConfigError("trainer.check_val_every_n_epoch: expected 1, each epoch has its score")


def _try_optimizer(module: EmotionModule) -> None:
    try:
        module.make_optimizer(module.network.parameters())
    except (ValueError, TypeError) as error:
        raise ConfigError(f"model.optimizer: {error}") from error


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


def train(config: DictConfig) -> RunResult | None:
    """Trains as the config says and leaves everything in the run folder.

    Returns:
        The result, or None on the devices other than the first.

    Raises:
        EmotionError: the config or the data cannot be used; says where and why.
    """
    try:
        run = build_run(config)
    except OmegaConfBaseException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    counts = count_classes(run.data.samples["train"], run.data.input.labels)
    _check_classes(counts, run.data.root)
    run.module.set_class_counts(list(counts.values()))
    _check_devices(run)
    if run.trainer.is_global_zero:
        _check_folder(run.folder)
        _describe(run, config)
    try:
        run.trainer.fit(run.module, run.data)
    except SystemExit as stop:  # so Lightning ends on Ctrl-C, once it has closed its files
        if run.trainer.is_global_zero and run.best.best_model_path:
            result = _conclude(run, config)
            print(f"kept so far: {result.checkpoint}", file=sys.stderr)
        raise KeyboardInterrupt from stop
    if not run.trainer.is_global_zero:
        return None
    return _conclude(run, config)


def _check_devices(run: Run) -> None:
    # Before the crops are read: a batch size that does not fit should not cost a minute.
    run.data.step_size(run.trainer.world_size, run.trainer.accumulate_grad_batches)


def _check_classes(counts: dict[str, int], root: Path) -> None:
    empty = [label for label, count in counts.items() if count == 0]
    if len(empty) > len(counts) - 2:
        listed = ", ".join(f"{label} {count}" for label, count in counts.items())
        raise DataError(f"{root}: expected training faces of two classes or more, got {listed}")
    if empty:
        print(f"warning: no training face of {', '.join(empty)}", file=sys.stderr)


def _check_folder(folder: Path) -> None:
    if (folder / "checkpoints").exists() or (folder / "config.yaml").exists():
        raise ConfigError(
            f"hydra.run.dir={folder}: holds a run already; name another folder, or remove it first"
        )


def _describe(run: Run, config: DictConfig) -> None:
    parts = {name: run.data.samples[name] for name in ("train", "val")}
    config.data.root = str(run.data.root.absolute())  # evaluate may be typed somewhere else
    write_text(run.folder / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    write_json(run.folder / "split.json", describe_split(dict(parts), run.data.root))
    write_json(run.folder / "versions.json", versions())
    for name, samples in parts.items():
        counts = count_classes(samples, run.data.input.labels)
        listed = ", ".join(f"{label} {count}" for label, count in counts.items())
        print(f"{name}: {len(samples)} faces ({listed})", file=sys.stderr)


def versions() -> dict[str, str]:
    """Gives the versions that a result depends on."""
    return {"python": platform.python_version(), "platform": platform.platform()} | {
        name: metadata.version(name) for name in PACKAGES
    }


def _conclude(run: Run, config: DictConfig) -> RunResult:
    scores = run.history.column(config.monitor.name)
    if not scores or not run.best.best_model_path:
        raise EmotionError(f"{run.folder}: no epoch was finished and kept")
    if all(math.isnan(score) for score in scores):
        raise EmotionError(
            f"{run.folder}: no epoch has a {config.monitor.name} that is a number; is"
            " model.optimizer.lr too high?"
        )
    selection = select_epoch(scores, config.monitor.name, config.monitor.mode)
    checkpoint = Path(run.best.best_model_path)
    kept = {k: v for k, v in run.history.rows[selection.epoch - 1].items() if "/" in k}
    kept_score = float(run.best.best_model_score or math.nan)
    if not math.isclose(kept_score, selection.score, rel_tol=1e-5):
        raise ConfigError(
            f"callbacks.best keeps {checkpoint.name} with {kept_score:.4f}, but the best"
            f" {selection.monitor} is {selection.score:.4f}; let it follow monitor.name and .mode"
        )
    chosen = selection.to_dict() | {
        "checkpoint": f"{checkpoint.parent.name}/{checkpoint.name}",
        "finished": not run.trainer.interrupted,
    }
    write_json(run.folder / "selection.json", chosen)
    write_json(run.folder / "metrics.json", {"epoch": selection.epoch, "metrics": kept})
    _draw(run, selection)
    _log_hyperparameters(run, config, selection)
    return RunResult(run.folder, checkpoint, selection, kept)


def _draw(run: Run, selection: Selection) -> None:
    name = selection.monitor.removeprefix("val/")
    figure = draw_curves(
        run.history.column(f"train/{name}"),
        run.history.column(selection.monitor),
        name.replace("_", " "),
        selection.epoch,
        selection.no_better_from,
    )
    save_figure(figure, run.folder / "curves.png")


def _log_hyperparameters(run: Run, config: DictConfig, selection: Selection) -> None:
    chosen = {name: config[name] for name in ("seed", "input", "data", "model", "trainer")}
    flat = _flatten(json.loads(json.dumps(OmegaConf.to_container(OmegaConf.create(chosen)))))
    for logger in run.trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.log_hyperparams(
                flat, {f"hp/{selection.monitor.replace('/', '_')}": selection.score}
            )
            logger.finalize("success")


def _flatten(content: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(content, dict):
        parts = [_flatten(v, f"{prefix}.{k}" if prefix else k) for k, v in content.items()]
        return {k: v for part in parts for k, v in part.items()}
    return {prefix: content if isinstance(content, str | int | float | bool) else str(content)}
