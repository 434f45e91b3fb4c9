"""The settings of a search: a file of `conf/tune/` and what is typed over it."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from emotion.errors import ConfigError
from emotion.experiments.configs import check_overrides, compose_config
from emotion.files import config_folder
from emotion.tuning.space import FIELDS, Range, read_ranges

SAMPLERS = ("tpe", "random")
# Whole numbers, and the least that each may be.
WHOLE = {"trials": 1, "jobs": 1, "seed": 0, "startup_trials": 0, "failures": 1}
PRUNER = ("warmup_epochs", "startup_trials")
# What each trial must be given by the search itself.
OWN = ("hydra.run.dir", "run_dir", "resume")


@dataclass(frozen=True)
class SearchSettings:
    """How a search is done.

    Attributes:
        trials: in all.
        timeout: seconds after which no further trial begins, or None.
        jobs: trials at once in this process.
        folder: given by the user, or None.
        seed: of what is drawn.
        sampler: "tpe" or "random".
        startup_trials: drawn at random before TPE begins to learn.
        failures: so many failed trials in a row end the search.
        pruner: `warmup_epochs` and `startup_trials`, or None.
        ranges: what is drawn.
    """

    trials: int
    timeout: float | None
    jobs: int
    folder: str | None
    seed: int
    sampler: str
    startup_trials: int
    failures: int
    pruner: dict[str, int] | None
    ranges: tuple[Range, ...]

    def drawing(self) -> dict[str, Any]:
        """Gives what decides which values are drawn: it may not change within a search."""
        names = ("seed", "sampler", "startup_trials", "pruner")
        ranges = {item.setting: item.to_dict() for item in self.ranges}
        return {name: getattr(self, name) for name in names} | {"ranges": ranges}


def split_overrides(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Splits what is typed into the search's own settings and those of the training."""
    own: list[str] = []
    training: list[str] = []
    for item in arguments:
        key = item.partition("=")[0].lstrip("+~")
        (own if key == "tune" or key.startswith("tune.") else training).append(item)
    return own, training


def read_settings(overrides: Sequence[str]) -> SearchSettings:
    """Reads a file of `conf/tune/`, or one of the user's, and what is typed over it.

    Args:
        overrides: `tune=NAME`, `tune=FILE.yaml`, `tune.KEY=VALUE`, `tune.ranges.SETTING={…}`,
            `tune.ranges.SETTING.FIELD=VALUE` or `~tune.ranges.SETTING`.

    Raises:
        ConfigError: names the setting, what was expected and what came.
    """
    chosen = [item.partition("=")[2] for item in overrides if item.startswith("tune=")]
    content = _load(config_folder() / "tune" / "default.yaml")
    if chosen:
        _check_known("tune", more := _load(_file(chosen[-1])), content)
        content |= more
    for item in overrides:
        if not item.startswith("tune="):
            _apply(content, item)
    return _checked(content)


def _file(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise ConfigError(f"tune={name}: no such file")
        return Path(name)
    path = config_folder() / "tune" / f"{name}.yaml"
    if not path.is_file():
        names = ", ".join(sorted(item.stem for item in path.parent.glob("*.yaml")))
        raise ConfigError(f"tune={name}: no such search; expected {names}, or a file's path.yaml")
    return path


def _load(path: Path) -> dict[str, Any]:
    try:
        content = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # YAML's many errors have no base that is ours to import
        raise ConfigError(f"{path}: cannot be read ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected settings, key: value")
    return {str(key): value for key, value in content.items()}


def _apply(content: dict[str, Any], item: str) -> None:
    try:
        parsed = OverridesParser.create().parse_override(item)
        value = None if parsed.is_delete() else parsed.value()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{item}: {' '.join(str(error).split())}") from error
    key = str(parsed.key_or_group).removeprefix("tune").removeprefix(".")
    if key.startswith("ranges."):
        _apply_range(content, key.removeprefix("ranges."), value, parsed.is_delete())
    elif parsed.is_delete():
        raise ConfigError(f"{item}: only a range can be taken away")
    elif key.startswith("pruner."):
        content["pruner"] = dict(content["pruner"] or {}) | {key.removeprefix("pruner."): value}
    else:
        _check_known("tune", {key: value}, content)
        content[key] = value


def _apply_range(content: dict[str, Any], key: str, value: Any, removed: bool) -> None:
    ranges = content["ranges"] = dict(content["ranges"] or {})
    setting, _, field = key.rpartition(".")
    if removed:
        if key not in ranges:
            raise ConfigError(f"~tune.ranges.{key}: no such range; there are {', '.join(ranges)}")
        del ranges[key]
    elif setting in ranges and field in FIELDS:
        ranges[setting] = dict(ranges[setting]) | {field: value}
    else:
        ranges[key] = value


def _check_known(name: str, given: dict[str, Any], known: dict[str, Any]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, list(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; expected {', '.join(known)}"
            raise ConfigError(f"{name}.{key}: no such setting{hint}")


def _checked(content: dict[str, Any]) -> SearchSettings:
    for name, least in WHOLE.items():
        _check_whole(f"tune.{name}", content[name], least)
    timeout = content["timeout"]
    if timeout is not None and (type(timeout) not in (int, float) or not timeout > 0):
        raise ConfigError(f"tune.timeout: expected seconds, more than 0, or null, got {timeout}")
    if content["sampler"] not in SAMPLERS:
        raise ConfigError(
            f"tune.sampler: expected {' or '.join(SAMPLERS)}, got {content['sampler']}"
        )
    pruner = content["pruner"]
    if pruner is not None:
        if not isinstance(pruner, dict):
            raise ConfigError(f"tune.pruner: expected {', '.join(PRUNER)} or null, got {pruner}")
        _check_known("tune.pruner", pruner, dict.fromkeys(PRUNER))
        for name in PRUNER:
            _check_whole(f"tune.pruner.{name}", pruner.get(name), 0)
    folder = None if content["folder"] is None else str(content["folder"])
    return SearchSettings(**content | {"folder": folder, "ranges": read_ranges(content["ranges"])})


def _check_whole(name: str, value: Any, least: int) -> None:
    if type(value) is not int or not least <= value < 2**32:
        raise ConfigError(f"{name}: expected a whole number from {least}, got {value}")


@dataclass(frozen=True)
class Training:
    """The training that a search repeats.

    Attributes:
        overrides: of every trial, as typed.
        config: composed with them, not resolved.
        monitor: the score that trials are compared by.
        mode: "min" or "max".
    """

    overrides: tuple[str, ...]
    config: dict[str, Any]
    monitor: str
    mode: str


def read_training(overrides: Sequence[str], ranges: Sequence[Range]) -> Training:
    """Checks the settings of every trial, and that each range fits a setting that exists.

    Args:
        overrides: as typed after `emotion tune`, without those of the search.
        ranges: of the search.

    Raises:
        ConfigError: names the setting.
    """
    keys = [item.partition("=")[0].lstrip("+~") for item in overrides]
    for key in keys:
        if key in OWN:
            raise ConfigError(f"{key}: each trial has its own; tune.folder=… is the search's")
        if key in [item.setting.lstrip("+") for item in ranges]:
            raise ConfigError(f"{key}: set and searched; leave it, or add ~tune.ranges.{key}")
    # Composing takes a good part of a second: all ranges at once. Of a group all options are named.
    groups = [item for item in ranges if (config_folder() / item.setting).is_dir()]
    options = [f"{item.setting}={','.join(map(str, item.ends))}" for item in groups]
    ends = [item.override(item.ends[-1]) for item in ranges]
    check_overrides([*overrides, *options, *ends])
    config = _composed(overrides)
    for item in ranges:
        _check_fits(item, config)
    _composed([*overrides, *ends])
    root = config["data"]["root"]
    if root is None or not Path(root).is_dir():
        given = "nothing" if root is None else f"{root}, which is no folder"
        raise ConfigError(f"data.root: expected a folder of faces, got {given}")
    monitor = config["monitor"]
    if monitor["mode"] not in ("min", "max"):
        raise ConfigError(f"monitor.mode: expected min or max, got {monitor['mode']}")
    return Training(tuple(overrides), config, monitor["name"], monitor["mode"])


def _composed(overrides: Sequence[str]) -> dict[str, Any]:
    try:
        config = OmegaConf.to_container(compose_config(overrides), resolve=False)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(" ".join(str(error).split())) from error
    assert isinstance(config, dict)
    return json.loads(json.dumps(config))  # type: ignore[no-any-return]  # plain, as read back


def _check_fits(item: Range, config: dict[str, Any]) -> None:
    node: Any = config
    for part in item.setting.split("."):
        index = int(part) if isinstance(node, list) and part.isdigit() else part
        try:
            node = node[index]
        except (KeyError, IndexError, TypeError):
            return  # check_overrides says what there is instead
    name = f"tune.ranges.{item.setting}"
    if isinstance(node, dict | list) and (config_folder() / item.setting).is_dir():
        return  # a group: the choices are its options
    if isinstance(node, dict | list):
        raise ConfigError(f"{name}: not one setting but several; name one of them")
    if isinstance(node, bool) != any(isinstance(value, bool) for value in item.ends):
        raise ConfigError(f"{name}: {json.dumps(node)} in the config does not fit {item.ends}")
    if type(node) in (int, float) and any(isinstance(value, str) for value in item.ends):
        raise ConfigError(f"{name}: expected numbers as {node} in the config, got {item.ends}")
    if type(node) is int and any(isinstance(value, float) for value in (*item.ends, item.step)):
        raise ConfigError(
            f"{name}: expected whole numbers as {node} in the config, got {item.to_dict()}"
        )


def search_folder(settings: SearchSettings, training: Training) -> Path:
    """Gives the folder of a search: that of the user, or one that is the same for the same search.

    The order in which settings were typed does not matter.
    """
    if settings.folder is not None:
        return Path(settings.folder)
    # Sorted by key alone: of a setting that is given twice the last one counts.
    typed = sorted(training.overrides, key=lambda item: item.partition("=")[0])
    content = json.dumps([typed, settings.drawing()], sort_keys=True)
    names = [item.removeprefix("experiment=") for item in typed if item.startswith("experiment=")]
    name = names[-1] if names else "search"
    return Path("outputs/tune") / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
