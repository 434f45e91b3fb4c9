"""Going on with a run: whether its folder holds one, which settings it has, where it stands."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from emotion.errors import CheckpointError, ConfigError, summarise
from emotion.experiments.overrides import assign, merged
from emotion.experiments.records import RunRecord, read_record

AUTO = "auto"
SHORT = 60  # letters of a value that are shown
LAST = Path("checkpoints") / "last.ckpt"
# Settings that may differ from those that the run began with: where things are, how long it goes
# on, and on what it runs, which changes nothing, since the batch is counted over all devices.
CHANGEABLE = (
    "resume", "run_dir", "model.weights", "monitor.patience", "data.root", "data.groups",
    "data.split", "data.cache", "data.workers", "trainer.max_epochs", "trainer.accelerator",
    "trainer.devices", "trainer.strategy", "trainer.num_nodes", "trainer.log_every_n_steps",
    "trainer.default_root_dir", "trainer.enable_progress_bar", "callbacks.", "logger.",
)  # fmt: skip
# What belongs to a folder, or to how Hydra is called, and not to the training.
OWN = ("hydra.", "resume=", "run_dir=", "-m", "--multirun")


@dataclass(frozen=True)
class Beginning:
    """Where a run begins.

    Attributes:
        config: its settings, as its folder will name them.
        building: the settings to make its parts from: a continued run keeps its split, and loads
            no weights to start from.
        checkpoint: what it goes on from, or None at the start.
        record: of the run that the folder holds, or None.
        finished: there is nothing left to do.
    """

    config: DictConfig
    building: DictConfig
    checkpoint: Path | None = None
    record: RunRecord | None = None
    finished: bool = False


def begin(config: DictConfig) -> Beginning:
    """Finds out where a run begins: at the start, or where the run in its folder stands.

    Args:
        config: of the run, composed; where it goes on, it gets the places of the data that the run
            had, if they are not found from here.

    Raises:
        ConfigError: the folder holds a run and `resume` does not say to go on with it, or that run
            had other settings; names them.
        CheckpointError: the run's last checkpoint is damaged, or missing after several epochs.
    """
    folder = Path(config.run_dir)
    if not holds_run(folder):
        return Beginning(config, config)
    if config.resume is None:
        raise ConfigError(
            f"hydra.run.dir={folder}: holds a run already; go on with it by resume={folder}, name"
            " another folder, or remove it first"
        )
    saved = _saved(folder)
    _check_same(config, saved, folder)
    _find_again(config, saved)
    record = read_record(folder)
    finished = _finished(config, saved, folder, record)
    if finished:
        return Beginning(config, config, None, record, finished=True)
    last = folder / LAST
    if not last.exists():
        _check_first_epoch(folder)
        print(f"{folder}: no epoch was finished; begins again", file=sys.stderr)
        return Beginning(config, config, None, record)
    from emotion.training.checkpoints import read_checkpoint  # torch, which not all want

    epochs = read_checkpoint(last).epoch
    if epochs > config.trainer.max_epochs >= 0:
        raise ConfigError(
            f"trainer.max_epochs={config.trainer.max_epochs}: the run in {folder} is in epoch"
            f" {epochs} already; expected at least as many"
        )
    building = config.copy()
    building.data.split = str(folder / "split.json")
    building.model.weights = None  # all of the network is in the checkpoint
    return Beginning(config, building, last, record)


def _check_first_epoch(folder: Path) -> None:
    """Checks that a run without a last checkpoint was ended before it could have had one."""
    table = folder / "epochs.csv"
    epochs = table.read_bytes().count(b"\n") - 1 if table.is_file() else 0
    if epochs > 1:
        raise CheckpointError(
            f"{folder / LAST}: is missing, and without it the run of {epochs} epochs cannot go on;"
            " name another hydra.run.dir"
        )


def holds_run(folder: Path) -> bool:
    """Tells whether a training began in a folder."""
    return (folder / "checkpoints").exists() or (folder / "config.yaml").exists()


def overrides_of(folder: Path) -> list[str]:
    """Gives the settings that a run was started with, as typed, without those of its folder.

    Raises:
        ConfigError: the folder holds no run.
    """
    if not holds_run(folder):
        raise ConfigError(f"resume={folder}: expected the folder of a run, with a config.yaml")
    record = read_record(folder)
    if record is not None:
        typed = record.command[2:]
    else:  # a run of version 0.3 or before
        path = folder / ".hydra" / "overrides.yaml"
        typed = [str(item) for item in OmegaConf.load(path)] if path.is_file() else []
    return [item for item in typed if not item.startswith(OWN)]


def expanded(arguments: Sequence[str]) -> list[str]:
    """Puts the settings of a run in the place of `resume=FOLDER`, before all others.

    Args:
        arguments: as typed after `emotion train`.

    Raises:
        ConfigError: the folder holds no run, or the arguments name another.
    """
    named = [
        item.partition("=")[2].strip("'\"") for item in arguments if item.startswith("resume=")
    ]
    if not named or named[-1] in (AUTO, "null", ""):
        return list(arguments)
    rest = [item for item in arguments if not item.startswith("resume=")]
    for item in rest:
        if item.startswith(OWN):
            raise ConfigError(f"resume={named[-1]} goes on in that folder; leave out {item}")
    settings = merged(overrides_of(Path(named[-1])), rest)
    return [*settings, assign("hydra.run.dir", named[-1]), f"resume={AUTO}"]


def _saved(folder: Path) -> DictConfig:
    path = folder / "config.yaml"
    try:
        saved = OmegaConf.load(path)
    except Exception as error:  # a missing file, or any of YAML's own errors
        raise ConfigError(f"{path}: cannot be read; the run cannot be gone on with") from error
    if not isinstance(saved, DictConfig) or not {"run_dir", "data", "monitor"} <= set(saved):
        raise ConfigError(f"{path}: expected the settings of a run, got something else")
    return saved


def _check_same(config: DictConfig, saved: DictConfig, folder: Path) -> None:
    now, then = (dict(_settings(c)) for c in (config, saved))
    # What `saved` lacks came with a later version of this project.
    different = [
        f"{key}: {_short(then[key])} then, {_short(now.get(key, 'not there'))} now"
        for key in then
        if now.get(key, None) != then[key] and not key.startswith(CHANGEABLE)
    ]
    if different:
        raise ConfigError(
            f"{folder}: holds a run with other settings:\n{summarise(different)}\n"
            "go on with the settings that it has, or name another hydra.run.dir"
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"


def _settings(config: DictConfig) -> Iterator[tuple[str, Any]]:
    """Yields each setting by its dotted key, with the run's own folder named alike in all runs."""
    content = OmegaConf.to_container(config, resolve=True)
    own = str(config.run_dir)
    yield from _flat(content, "", own)


def _flat(content: Any, prefix: str, own: str) -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key), own)
    else:
        text = content.startswith(own) if isinstance(content, str) else False
        yield prefix, content.replace(own, "RUN", 1) if text else content


def _find_again(config: DictConfig, saved: DictConfig) -> None:
    """Takes the places of the data from the run, whose paths do not depend on where one stands."""
    for key in ("root", "groups"):
        typed = config.data[key]
        if typed is None or not Path(typed).exists():
            config.data[key] = saved.data[key]


def _finished(
    config: DictConfig, saved: DictConfig, folder: Path, record: RunRecord | None
) -> bool:
    path = folder / "selection.json"
    # A finished run that was then made longer, and failed, still has its old selection.
    if not path.is_file() or (record is not None and record.status != "finished"):
        return False
    selection = json.loads(path.read_bytes())
    longer = config.trainer.max_epochs > saved.trainer.max_epochs
    patient = config.monitor.patience > saved.monitor.patience
    return bool(selection["finished"]) and not longer and not patient
