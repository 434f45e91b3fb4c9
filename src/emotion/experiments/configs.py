"""Where the configs are, and what is said about a setting that does not exist."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from emotion.errors import ConfigError
from emotion.files import config_folder

VERSION_BASE = "1.3"
SCORES = ("val/loss", "val/accuracy", "val/balanced_accuracy", "val/macro_f1")
# Settings that are whole numbers, and the least that each may be.
WHOLE = {
    "seed": 0,
    "trainer.max_epochs": 1,
    "trainer.accumulate_grad_batches": 1,
    "monitor.patience": 0,
}


def check_overrides(overrides: Sequence[str]) -> None:
    """Checks that every setting given on the command line exists.

    Args:
        overrides: as typed; those that add, delete or concern Hydra itself are left to Hydra.

    Raises:
        ConfigError: names the setting or group, and the nearest that exist.
    """
    for item in overrides:
        if "=" not in item and not item.startswith("~"):
            hint = f"; did you mean data.root={item}?" if Path(item).is_dir() else ""
            raise ConfigError(f"{item}: expected key=value{hint}")
    _check_run_folder([item for item in overrides if item.startswith("hydra.run.dir=")])
    pairs = [item.partition("=")[::2] for item in overrides if "=" in item]
    pairs = [(key, value) for key, value in pairs if not key.startswith(("+", "~", "hydra"))]
    chosen = [(key, value) for key, value in pairs if key in _groups()]
    for group, value in chosen:
        _check_options(group, value)
    first = [f"{group}={value.split(',')[0]}" for group, value in chosen]
    known = set(_keys(compose_config(first)))
    for key, _ in pairs:
        if key not in known and key not in _groups():
            near = difflib.get_close_matches(key, sorted(known), n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ConfigError(
                f"{key}: no such setting{hint} `emotion train --cfg job` lists all;"
                f" +{key}=… would add a new one"
            )


def _check_run_folder(overrides: Sequence[str]) -> None:
    for item in overrides:
        folder = item.partition("=")[2].strip("'\"")
        if not folder:
            raise ConfigError("hydra.run.dir: expected a folder, got nothing")
        if "$" in folder:  # not yet resolved
            continue
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{item}: cannot be made ({error.strerror})") from error


def _groups() -> set[str]:
    # `hydra` is Hydra's own, and `tune` belongs to another command.
    folders = {path.name for path in config_folder().iterdir() if path.is_dir()}
    return folders - {"hydra", "tune"}


def _check_options(group: str, value: str) -> None:
    options = sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))
    for name in value.split(","):
        if name.strip() not in (*options, *(["null"] if group == "experiment" else [])):
            raise ConfigError(f"{group}={name}: no such {group}; expected {', '.join(options)}")


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Gives the config of a training with those settings."""
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        return compose("train", list(overrides))


def _keys(node: DictConfig) -> Iterator[str]:
    yield from _paths(OmegaConf.to_container(node, resolve=False))


def _paths(content: Any, prefix: str = "") -> Iterator[str]:
    """Gives the path of every setting; those in lists have numbers: data.augmentation.0.jitter."""
    if isinstance(content, dict | list):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield f"{prefix}{key}"
            yield from _paths(value, f"{prefix}{key}.")


def check_config(config: DictConfig) -> None:
    """Checks what no constructor would, before anything is made.

    Raises:
        ConfigError: names the setting, what was expected and what came.
    """
    if config.monitor.name not in SCORES:
        raise ConfigError(
            f"monitor.name: expected one of {', '.join(SCORES)}, got {config.monitor.name}"
        )
    for name, least in WHOLE.items():
        value = OmegaConf.select(config, name)
        if type(value) is not int or not least <= value < 2**32:
            raise ConfigError(f"{name}: expected a whole number from {least}, got {value}")
    warmup = config.model.get("warmup_epochs", 0)
    if isinstance(warmup, int | float) and warmup > config.trainer.max_epochs:
        raise ConfigError(
            f"model.warmup_epochs: expected 0 to trainer.max_epochs={config.trainer.max_epochs},"
            f" got {warmup}"
        )
    for name in ("trainer.limit_train_batches", "trainer.limit_val_batches"):
        if OmegaConf.select(config, name) == 0:
            raise ConfigError(f"{name}: expected more than 0, got 0")
    if OmegaConf.select(config, "trainer.check_val_every_n_epoch", default=1) != 1:
        raise ConfigError("trainer.check_val_every_n_epoch: expected 1, each epoch has its score")
