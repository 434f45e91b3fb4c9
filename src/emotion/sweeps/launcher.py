"""Hydra's way to run the jobs of `emotion train -m`: each as a process tree of its own.

In Hydra's own launcher all jobs share this process: one that trains on several devices leaves its
rank behind for the next, and one that dies takes the others with it.
"""

import re
import sys
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from emotion.errors import ConfigError, EmotionError
from emotion.sweeps.plan import plan_sweep, sweep_folder, typed_settings

MISTAKE = 2  # exit code of a sweep that could not run
_FOLDER = re.compile(r"[+~]*(hydra\.run\.dir|run_dir)=")


class SweepEnd(SystemExit):
    """Ends a command whose sweep is not finished; `code` is the exit code."""


class ProcessLauncher(Launcher):
    """Runs the jobs of a sweep, each as a process tree of its own.

    Args:
        jobs: how many at once.
        timeout: seconds that a job may take, or None.
    """

    def __init__(self, jobs: Any, timeout: Any) -> None:
        self._jobs, self._timeout = jobs, timeout
        self._context: HydraContext
        self._config: DictConfig

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Takes the sweep's config, and refuses what it cannot do.

        Raises:
            SweepEnd: a setting is wrong; what and why has been said.
        """
        self._context, self._config = hydra_context, config
        try:
            self._check()
        except EmotionError as error:
            raise _refused(error) from None

    def _check(self) -> None:
        if type(self._jobs) is not int or self._jobs < 1:
            raise ConfigError(f"hydra.launcher.jobs={self._jobs}: expected a whole number from 1")
        if self._timeout is not None and not _is_positive(self._timeout):
            raise ConfigError(
                f"hydra.launcher.timeout={self._timeout}: expected seconds above 0, or null"
            )
        if OmegaConf.select(self._config, "hydra.sweeper.max_batch_size") is not None:
            raise ConfigError(
                "hydra.sweeper.max_batch_size: the jobs of a sweep are planned all at once; say"
                " with hydra.launcher.jobs how many run at once"
            )
        for item in typed_settings(self._config):
            if _FOLDER.match(item):
                raise ConfigError(
                    f"{item}: with -m each job has a folder of its own; hydra.sweep.dir=… names the"
                    " folder of them all"
                )
        folder = sweep_folder(self._config)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"hydra.sweep.dir={folder}: cannot be made ({error.strerror})"
            ) from error
        # Hydra's sweeper writes it before the jobs are known, and so before they are refused.
        self._multirun = folder / "multirun.yaml"
        self._before = self._multirun.read_bytes() if self._multirun.is_file() else None

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Runs what is missing of the sweep.

        Raises:
            SweepEnd: not all jobs are finished, or the sweep cannot run; that has been said.
        """
        try:
            code = self._launch(job_overrides)
        except EmotionError as error:
            if self._before is not None:
                self._multirun.write_bytes(self._before)
            raise _refused(error) from None
        if code:
            raise SweepEnd(code)
        return [JobReturn(overrides=job, status=JobStatus.COMPLETED) for job in job_overrides]

    def _launch(self, job_overrides: Sequence[Sequence[str]]) -> int:
        from emotion.sweeps.places import find_gpus, gpus_wanted, share_out
        from emotion.sweeps.running import Terms, run_sweep

        plan = plan_sweep(self._config, self._context.config_loader, job_overrides)

        def places(count: int) -> list[dict[str, str]]:
            gpus = find_gpus() if count > 1 else []
            wanted = max(gpus_wanted(trainer, len(gpus)) for trainer in plan.trainers)
            return share_out(count, wanted, gpus, "hydra.launcher.jobs")

        return run_sweep(plan.sweep, Terms(places, self._jobs, self._timeout, plan.epochs))


def _refused(error: EmotionError) -> SweepEnd:
    print(f"emotion: {error}", file=sys.stderr)
    return SweepEnd(MISTAKE)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
