"""Planning a sweep: what was typed, what each job is given, and what its config is."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from emotion.errors import ConfigError, EmotionError
from emotion.experiments.configs import check_config
from emotion.sweeps.changes import config_hash
from emotion.sweeps.folder import Sweep, SweepJob, swept_settings

CONFIG_NAME = "train"
# What is the sweep's own business, and not that of its jobs.
_SWEEP_ONLY = re.compile(r"[+~]*hydra([./](launcher|sweep|sweeper)\b|\.mode=)")
_NAMED = 3  # swept settings that a folder's name tells


@dataclass(frozen=True)
class Plan:
    """A sweep and what its jobs ask for.

    Attributes:
        sweep: with its jobs, none of which has run.
        trainers: each job's settings of the trainer, resolved.
    """

    sweep: Sweep
    trainers: list[dict[str, Any]]

    @property
    def epochs(self) -> list[int | None]:
        """How many epochs each job trains at most; None where that is unknown."""
        counts = [trainer["max_epochs"] for trainer in self.trainers]
        return [n if isinstance(n, int) and n > 0 else None for n in counts]


def plan_sweep(config: DictConfig, loader: ConfigLoader, jobs: Sequence[Sequence[str]]) -> Plan:
    """Composes the config of every job, so that what cannot be composed is known before any runs.

    Args:
        config: of the sweep, with Hydra's own part.
        loader: Hydra's, which composes.
        jobs: the overrides of each.

    Raises:
        ConfigError: a job cannot be composed, or two are alike or would share a folder; names job
            and setting.
    """
    flags, handed_on = _flags(config), _handed_on(config)
    planned: list[SweepJob] = []
    trainers: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    first: dict[str, Any] = {}
    for number, (job, name) in enumerate(zip(jobs, swept_settings(jobs), strict=True)):
        try:
            folder, content, trainer = _compose(config, loader, job, number)
        except EmotionError as error:
            raise ConfigError(f"job {number} of the sweep ({name}): {error}") from error
        except (HydraException, OmegaConfBaseException) as error:
            text = " ".join(str(error).partition("object_type=")[0].split())
            raise ConfigError(f"job {number} of the sweep ({name}): {text}") from error
        digest = config_hash(content)
        if (other := numbers.setdefault(digest, number)) != number:
            raise ConfigError(
                f"jobs {other} and {number} of the sweep have the same settings; name each value"
                " once"
            )
        planned.append(SweepJob((*flags, *handed_on, *job), folder, digest))
        first = first or content
        trainers.append(trainer)
    if len({job.folder for job in planned}) < len(planned):
        raise ConfigError(
            f"hydra.sweep.subdir={config.hydra.sweep._get_node('subdir')}: two jobs would share a"
            " folder; leave it out"
        )
    command = ["emotion", "train", "-m", *flags, *typed_settings(config)]
    return Plan(Sweep(sweep_folder(config), command, str(Path.cwd()), first, planned), trainers)


def _compose(
    sweep: DictConfig, loader: ConfigLoader, job: Sequence[str], number: int
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Gives a job's folder, its config with interpolations unresolved, and its trainer's part."""
    before = HydraConfig.instance().cfg
    try:
        config = loader.load_sweep_config(sweep, list(job))
        with open_dict(config), read_write(config.hydra.runtime):
            config.hydra.job.id = config.hydra.job.num = number
            folder = str(config.hydra.sweep.subdir)
            config.hydra.runtime.output_dir = str(sweep_folder(sweep) / folder)
        HydraConfig.instance().set_config(config)  # for ${hydra:…}
        with open_dict(config):
            del config["hydra"]
        _check(config)
        return folder, _plain(config, resolve=False), _plain(config, resolve=True)["trainer"]
    finally:
        HydraConfig.instance().cfg = before


def _check(config: DictConfig) -> None:
    """Checks what can be without reading any data, so that no job begins in vain."""
    check_config(config)
    root = config.data.root
    if root is not None and not Path(root).is_dir():
        raise ConfigError(f"{root}: no such folder; set data.root=/path/to/dataset")


def sweep_folder(config: DictConfig) -> Path:
    """Gives the folder of a sweep, absolute."""
    return Path(str(config.hydra.sweep.dir)).absolute()


def typed_settings(config: DictConfig) -> list[str]:
    """Gives the settings of a sweep as they were typed, those of Hydra's own first."""
    given = config.hydra.overrides
    hydras = [item for item in _texts(given.hydra) if not item.startswith("hydra.mode=")]
    return [*hydras, *_texts(given.task)]


def _handed_on(config: DictConfig) -> list[str]:
    return [item for item in _texts(config.hydra.overrides.hydra) if not _SWEEP_ONLY.match(item)]


def _flags(config: DictConfig) -> list[str]:
    """Gives Hydra's own options that a job has to be given as well."""
    name = config.hydra.job.config_name
    flags = [] if name == CONFIG_NAME else [f"--config-name={name}"]
    return flags + [
        f"--config-dir={os.path.abspath(source.path)}"  # noqa: PTH100  links stay links
        for source in config.hydra.runtime.config_sources
        if source.provider == "command-line"
    ]


def _texts(items: Sequence[str]) -> list[str]:
    """Gives overrides as they were typed; one may hold an interpolation."""
    content = OmegaConf.to_container(items) if isinstance(items, ListConfig) else items
    assert isinstance(content, Sequence)
    return [str(item) for item in content]


def _plain(config: DictConfig, resolve: bool) -> dict[str, Any]:
    content = OmegaConf.to_container(config, resolve=resolve)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


def sweep_name(task: Sequence[str], hydra: Sequence[str]) -> str:
    """Names the folder of a sweep: the same for the same command.

    Args:
        task: the settings, as typed.
        hydra: those that concern Hydra itself; how many run at once does not tell.

    Returns:
        The names of the swept settings and six digits of a hash over all, such as
        "lr-seed-3fa2c1".
    """
    task = _texts(task)
    parsed = OverridesParser.create().parse_overrides(task)
    keys = [item.key_or_group for item in parsed if item.is_sweep_override()]
    names = [re.sub(r"\W+", "_", re.split(r"[./]", key)[-1]) for key in keys[:_NAMED]]
    told = [*task, *(item for item in _texts(hydra) if not _SWEEP_ONLY.match(item))]
    digits = hashlib.sha256("\n".join(told).encode()).hexdigest()[:6]
    return "-".join([*(names or ["sweep"]), digits])


# Its arguments are those of the sweep; a job that is composed later keeps the cached name.
OmegaConf.register_new_resolver("sweep_name", sweep_name, use_cache=True, replace=True)
