"""`emotion train`: Hydra overrides in, a run folder out."""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before Lightning and albumentations are imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from emotion.commands import DIED, DONE, MISTAKE, TERMINATED
from emotion.errors import EmotionError
from emotion.experiments.configs import VERSION_BASE, check_overrides
from emotion.experiments.continuation import AUTO, expanded, holds_run
from emotion.experiments.ranks import RanksEnd, is_rank, run_ranks, wants_supervision
from emotion.experiments.records import close_record
from emotion.files import config_folder
from emotion.memory import keep_memory
from emotion.sweeps.launcher import SweepEnd

if TYPE_CHECKING:  # they import torch, which a process that only starts others does not want
    from emotion.experiments.outcome import RunResult

SIGNALLED = 128  # and the number of the signal: the exit code, as shells have it
RANK = "--rank"  # hidden: one process of several, with a config that is composed already
_defects: list[Exception] = []  # what escaped from a job and is nobody's mistake but ours


class _Mistake(CompactHydraException):
    """A user's mistake in one job of a sweep, which Hydra prints without a traceback."""


def main(arguments: Sequence[str]) -> int:
    """Runs one training, or a sweep with `-m`.

    Args:
        arguments: what follows `emotion train`; Hydra's own options and overrides.

    Returns:
        The exit code.
    """
    _quieten()
    if arguments[:1] == [RANK]:
        return _rank(Path(arguments[1]), arguments[2:])
    arguments = expanded(arguments)
    if not any(item.startswith("-") and item not in ("-m", "--multirun") for item in arguments):
        check_overrides([item for item in arguments if not item.startswith("-")])
    typed = sys.argv
    sys.argv = [typed[0], *arguments]  # Hydra reads it and must not see the verb
    try:
        _hydra_main(["emotion", "train", *arguments])
    except SweepEnd as end:
        return _code(end)
    except SystemExit as stop:
        # Hydra ends with 1 for a wrong setting; so does Python for a defect of ours.
        return MISTAKE if stop.code == 1 and not _defects else _code(stop)
    finally:
        sys.argv = typed
    return DONE


def _code(stop: SystemExit) -> int:
    return stop.code if isinstance(stop.code, int) else DONE


def _hydra_main(command: Sequence[str]) -> None:
    @hydra.main(str(config_folder()), "train", version_base=VERSION_BASE)
    def task(config: DictConfig) -> None:
        code = _task(config, command)
        if code != DONE and _sweeping():  # a launcher wants an answer
            raise _Mistake(f"the job ended with exit code {code}")
        if code != DONE:
            sys.exit(code)

    task()


def _task(config: DictConfig, command: Sequence[str]) -> int:
    """Runs one job of Hydra's, which is all there is without `-m`."""
    _quieten()  # a launcher's job has not come through `main`
    if _sweeping() and config.resume is None:
        config.resume = AUTO  # a job that is started again goes on
    try:
        if wants_supervision(config):
            return _supervise(config, command)
        return _train(config, command)
    except EmotionError as error:
        _say(error)
        if _sweeping():  # the other jobs go on
            raise _Mistake(str(error)) from None
        return MISTAKE
    except Exception as error:
        _defects.append(error)
        raise


def _sweeping() -> bool:
    """Tells whether this is a job of another launcher than ours, whose jobs are commands."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def _rank(path: Path, command: Sequence[str]) -> int:
    """Runs one process of several that `_supervise` has started."""
    config = OmegaConf.load(path)
    assert isinstance(config, DictConfig)
    first = os.environ["LOCAL_RANK"] == "0"
    logging.basicConfig(filename=Path(config.run_dir) / "train.log" if first else None)
    try:
        return _train(config, command)
    except RuntimeError as error:
        # The others have gone; whoever watches over all of us tells which went first, and why.
        if any(word in str(error) for word in ("gloo", "NCCL", "Connection", "peer")):
            print(f"the other processes are gone ({str(error).splitlines()[0]})", file=sys.stderr)
            return DIED
        raise


def _supervise(config: DictConfig, command: Sequence[str]) -> int:
    end = run_ranks(config, command)
    if end.stopped is not None:
        return end.stopped
    if not end.code or end.code > SIGNALLED:  # all agreed to stop, whichever was asked to
        return end.code
    folder = Path(config.run_dir)
    if end.code != MISTAKE:
        # Where another process was killed, the first can only tell that a connection is gone.
        close_record(
            folder, "failed", end.told, ("running", "failed") if end.rank else ("running",)
        )
    return _explain(end, folder)


def _explain(end: RanksEnd, folder: Path) -> int:
    print(*end.words, sep="\n", file=sys.stderr, end="\n" if end.words else "")
    if end.code == MISTAKE:
        return MISTAKE
    print(
        f"emotion: {end.told}; the other processes of this run were ended too; {_hint(folder)}",
        file=sys.stderr,
    )
    return DIED


def _train(config: DictConfig, command: Sequence[str]) -> int:
    """Trains in this process."""
    keep_memory()
    from emotion.experiments.runs import train
    from emotion.training.stopping import StoppedError

    signal.signal(signal.SIGTERM, _terminate)
    try:
        result = train(config, command)
    except StoppedError as stop:
        if _speaks():
            print(f"emotion: stopped by {stop}; {_hint(config.run_dir)}", file=sys.stderr)
        return SIGNALLED + stop.number
    except (KeyboardInterrupt, SystemExit):  # before the first step, or the second signal
        if _speaks() and holds_run(Path(config.run_dir)):
            print(f"emotion: {_hint(config.run_dir)}", file=sys.stderr)
        raise
    if result is not None:
        _report(result)
    return DONE


def _hint(folder: str | Path) -> str:
    return f"go on with: emotion train resume={folder}"


def _terminate(number: int, frame: Any) -> None:
    """Ends before or after the training itself, in which the signal is obeyed in good order."""
    print("emotion: terminated", file=sys.stderr)
    sys.exit(TERMINATED)


def _speaks() -> bool:
    """Tells whether this process is the first of its machine; the others would say the same."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def _say(error: EmotionError) -> None:
    if _speaks() or not is_rank(os.environ):
        print(f"emotion: {error}", file=sys.stderr)


def _report(result: "RunResult") -> None:
    selection = result.selection
    score = f"{selection.monitor} {selection.score:.4f}"
    print(f"kept: epoch {selection.epoch}, {score}: {selection.rule}")
    if selection.no_better_from is not None:
        print(
            f"from epoch {selection.no_better_from} on, {selection.monitor} was never better again"
        )
    print(f"checkpoint: {result.checkpoint}")
    print(f"curves: {result.folder / 'curves.png'}")
    print(f"next: emotion evaluate {result.checkpoint}")


def _quieten() -> None:
    # Advice on clusters and loaders that does not concern a user of this command.
    for name in ("pytorch_lightning", "lightning.fabric", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    texts = (
        "does not have many workers",
        "LeafSpec",
        "tensorboardX",
        "`srun` command is available",
    )
    for text in texts:
        warnings.filterwarnings("ignore", f".*{text}.*")
