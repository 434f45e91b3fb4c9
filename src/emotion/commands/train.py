"""`emotion train`: Hydra overrides in, a run folder out."""

import logging
import os
import sys
import warnings
from collections.abc import Sequence

# Before Lightning and albumentations are imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# Large tensors in huge pages: on two cores training at batch 200 and 128 pixels is twice as fast.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from emotion.commands import DONE, MISTAKE
from emotion.errors import ConfigError, EmotionError
from emotion.experiments.configs import VERSION_BASE, check_overrides, config_folder
from emotion.experiments.outcome import RunResult
from emotion.experiments.runs import train

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
    if not any(item.startswith("-") and item not in ("-m", "--multirun") for item in arguments):
        check_overrides([item for item in arguments if not item.startswith("-")])
    _quieten()
    typed = sys.argv
    # Hydra reads sys.argv and must not see the verb; Lightning starts the other devices of a DDP
    # run from sys.argv and must see it, so the task puts it back.
    sys.argv = [typed[0], *arguments]
    try:
        _hydra_main(typed)
    except SystemExit as stop:
        # Hydra ends with 1 for a wrong setting; so does Python for a defect of ours.
        return MISTAKE if stop.code == 1 and not _defects else _code(stop)
    finally:
        sys.argv = typed
    return DONE


def _code(stop: SystemExit) -> int:
    return stop.code if isinstance(stop.code, int) else DONE


def _hydra_main(typed: list[str]) -> None:
    @hydra.main(str(config_folder()), "train", version_base=VERSION_BASE)
    def task(config: DictConfig) -> float | None:
        sys.argv = typed
        return _train(config)

    task()


def _train(config: DictConfig) -> float | None:
    sweeping = HydraConfig.get().mode == RunMode.MULTIRUN
    try:
        if sweeping and config.trainer.strategy == "ddp":
            raise ConfigError(
                "trainer=ddp: a sweep (-m) runs each job on one device; run the jobs one by one"
                " without -m, or sweep with trainer=auto"
            )
        result = train(config)
    except EmotionError as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":  # the other devices say the same
            print(f"emotion: {error}", file=sys.stderr)
        if sweeping:  # the other jobs go on
            raise _Mistake(str(error)) from None
        sys.exit(MISTAKE)
    except Exception as error:
        _defects.append(error)
        raise
    if result is None:
        return None
    _report(result)
    return result.selection.score


def _report(result: RunResult) -> None:
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
    for text in (".*does not have many workers.*", ".*LeafSpec.*", ".*tensorboardX.*"):
        warnings.filterwarnings("ignore", text)
