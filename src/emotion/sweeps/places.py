"""Places to run jobs at once: each job on GPUs of its own, or on a share of the cores."""

import os
import re
import subprocess
from collections.abc import Sequence
from typing import Any

from emotion.errors import ConfigError
from emotion.processes import CORES
from emotion.threads import cores

VISIBLE = "CUDA_VISIBLE_DEVICES"
# A GPU as `nvidia-smi -L` lists it, and the parts that it is divided into, a line each below it.
_LISTED = re.compile(r"^(?P<part>\s*MIG|GPU) .*\(UUID: (?P<name>(?:GPU|MIG)-\S+)\)", re.MULTILINE)


def find_gpus() -> list[str]:
    """Lists the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    given = os.environ.get(VISIBLE)
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        # CUDA itself stops reading at the first that is none.
        return names[: next((i for i, name in enumerate(names) if name in ("", "-1")), None)]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607  where it lies differs
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return _names(listed)


def _names(listed: str) -> list[str]:
    names: list[str] = []
    whole = ""  # the GPU that the parts which follow belong to; it cannot be used beside them
    for found in _LISTED.finditer(listed):
        if found["part"] == "GPU":
            whole = found["name"]
        elif whole in names:
            names.remove(whole)
        names.append(found["name"])
    return names


def gpus_wanted(trainer: Any, gpus: int) -> int:
    """Counts the GPUs that a job with those settings of the trainer takes.

    Args:
        trainer: config with `accelerator` and `devices`.
        gpus: how many there are.

    Raises:
        ConfigError: `trainer.devices` names single devices, which change when jobs share them.
    """
    if trainer["accelerator"] not in ("auto", "gpu", "cuda") or not gpus:
        return 0
    devices = trainer["devices"]
    if devices in ("auto", -1, "-1"):
        return gpus
    if not str(devices).isdecimal():
        raise ConfigError(
            f"trainer.devices={devices}: where jobs share the GPUs, expected how many of them a job"
            " takes, such as trainer.devices=1"
        )
    return int(devices)


def share_out(jobs: int, wanted: int, gpus: Sequence[str], setting: str) -> list[dict[str, str]]:
    """Divides the machine into places, each for one job at a time.

    Args:
        jobs: how many run at once; 1 is not restricted in any way.
        wanted: GPUs that a job takes; of several jobs the most.
        gpus: names of those that there are.
        setting: that `jobs` comes from, for errors.

    Returns:
        For each place, what is added to the environment of its jobs.

    Raises:
        ConfigError: so many do not fit; says how many do.
    """
    if jobs == 1:
        return [{}]
    available = _cores()
    if jobs > len(available):
        raise _too_many(f"{setting}={jobs}", f"{len(available)} cores", "1", len(available))
    if wanted * jobs > len(gpus):
        raise _too_many(
            f"{setting}={jobs}", f"{len(gpus)} GPUs", str(wanted), max(1, len(gpus) // wanted)
        )
    places = []
    for number in range(jobs):
        share = available[number * len(available) // jobs : (number + 1) * len(available) // jobs]
        place = {CORES: ",".join(map(str, share))}
        if "OMP_NUM_THREADS" not in os.environ:
            place["OMP_NUM_THREADS"] = str(len(share))
        if wanted:
            place[VISIBLE] = ",".join(gpus[number * wanted : (number + 1) * wanted])
        places.append(place)
    return places


def _too_many(given: str, there_are: str, each: str, fit: int) -> ConfigError:
    return ConfigError(
        f"{given}: there are {there_are} and a job takes {each}; at most {fit} at once"
    )


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(cores()))
