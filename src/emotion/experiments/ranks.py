"""A training on several devices of this machine: a process each, of which none outlives another."""

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf

from emotion.errors import ConfigError
from emotion.files import write_text
from emotion.interruption import Interruption
from emotion.processes import GRACE, ProcessTree, scrubbed
from emotion.threads import cores

LOOK = 0.1  # seconds between two looks at the processes
LAST_WORDS = 5.0  # seconds for the other processes to end by themselves once one has died
CONFIG = Path(".hydra") / "resolved.yaml"
ADDRESS = "127.0.0.1"


def is_rank(environment: Mapping[str, str]) -> bool:
    """Tells whether this process is one of several already, started by us, torchrun or srun."""
    several = int(environment.get("SLURM_NTASKS", "1")) > 1 and "SLURM_STEP_ID" in environment
    return "LOCAL_RANK" in environment or several


def is_first(environment: Mapping[str, str]) -> bool:
    """Tells whether this process is the only one of its training, or the first on all machines."""
    if not is_rank(environment):
        return True
    names = [name for name in ("RANK", "SLURM_PROCID") if name in environment][:1]
    names = names or ["NODE_RANK", "LOCAL_RANK"]
    return all(environment.get(name, "0") == "0" for name in names)


def local_ranks(config: DictConfig) -> int:
    """Gives how many processes the training wants on this machine.

    Raises:
        ConfigError: the number of devices is none.
    """
    devices = config.trainer.devices
    if isinstance(devices, ListConfig):
        return len(devices)
    if devices in ("auto", -1, "-1"):
        import torch

        return max(torch.cuda.device_count(), 1) if config.trainer.accelerator != "cpu" else 1
    if not str(devices).isdecimal() or int(devices) < 1:
        raise ConfigError(
            f"trainer.devices: expected a number from 1, a list or auto, got {devices}"
        )
    return int(devices)


def wants_supervision(config: DictConfig) -> bool:
    """Tells whether this process is to start and watch others, and not to train itself."""
    nodes = OmegaConf.select(config, "trainer.num_nodes", default=1)
    return not is_rank(os.environ) and (nodes > 1 or local_ranks(config) > 1)


@dataclass(frozen=True)
class RanksEnd:
    """How a training of several processes ended.

    Attributes:
        code: exit code of the process that ended first in a bad way, negative for a signal, or 0.
        rank: which that was.
        stopped: exit code where a signal asked all of them to end, or None.
        words: the last lines that it wrote, where they were not shown.
    """

    code: int
    rank: int
    stopped: int | None
    words: list[str]

    @property
    def told(self) -> str:
        """How it ended, in words."""
        if self.code >= 0:
            return f"rank {self.rank} ended with exit code {self.code}"
        name = signal.Signals(-self.code).name
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"rank {self.rank} was ended by {name}{hint}"


def run_ranks(config: DictConfig, typed: Sequence[str]) -> RanksEnd:
    """Trains on all devices of this machine and waits for the end; nothing is left running.

    The first process writes where ours does, the others into `rank_N.log` of the run folder.

    Args:
        config: of the run.
        typed: the command that the record of the run will name.
    """
    folder = Path(config.run_dir)
    write_text(folder / CONFIG, OmegaConf.to_yaml(config, resolve=True))
    command = _command(folder / CONFIG, typed)
    logs = [None] + [folder / f"rank_{rank}.log" for rank in range(1, local_ranks(config))]
    with ExitStack() as stack:
        asked = stack.enter_context(Interruption())
        trees = [
            stack.enter_context(ProcessTree(command, environment, log))
            for environment, log in zip(_environments(config, len(logs)), logs, strict=True)
        ]
        rank, code = _wait(trees, asked)
    log = logs[rank]
    words = [] if log is None or not code else log.read_text("utf-8", "replace").splitlines()[-12:]
    return RanksEnd(code, rank, asked.code, words)


def _command(config: Path, typed: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "emotion", "train", "--rank", str(config), *typed]


def _environments(config: DictConfig, ranks: int) -> list[dict[str, str]]:
    own = {name: os.environ[name] for name in ("MASTER_ADDR", "MASTER_PORT") if name in os.environ}
    node = os.environ.get("NODE_RANK", "0")
    nodes = OmegaConf.select(config, "trainer.num_nodes", default=1)
    if nodes > 1 and len(own) < 2:
        raise ConfigError(
            f"trainer.num_nodes={nodes}: start it on each machine by torchrun or srun, or with"
            " MASTER_ADDR, MASTER_PORT and NODE_RANK set; docs/clusters.md has the command lines"
        )
    own = {"MASTER_ADDR": ADDRESS, "MASTER_PORT": str(_free_port())} | own
    # A core each: on a CPU they would otherwise take all cores each, and wait for one another.
    threads = str(max(cores() // ranks, 1))
    common = {"OMP_NUM_THREADS": threads} | scrubbed(os.environ) | own | {"NODE_RANK": node}
    return [common | {"LOCAL_RANK": str(rank)} for rank in range(ranks)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _wait(trees: Sequence[ProcessTree], asked: Interruption) -> tuple[int, int]:
    """Waits until all have ended, or for a little after one ended badly or a signal came.

    Those that still run are then for the caller to kill.

    Returns:
        The rank that ended badly first, and its exit code; 0 and 0 where all is well.
    """
    first: tuple[int, int] | None = None
    deadline = float("inf")
    while time.monotonic() < deadline and asked.count < 2:  # the second means at once
        codes = [tree.poll() for tree in trees]
        bad = [(rank, code) for rank, code in enumerate(codes) if code]
        if bad and first is None:
            first = min(bad, key=lambda pair: pair[1])  # killed by a signal: negative, the cause
            deadline = min(deadline, time.monotonic() + LAST_WORDS)
        if all(code is not None for code in codes):
            break
        if asked.number is not None and deadline == float("inf"):
            deadline = time.monotonic() + GRACE
            for tree in trees:
                tree.send(asked.number)
        time.sleep(LOOK)
    return first or (0, 0)
