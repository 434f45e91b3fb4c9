"""One training run, from a config to a folder that holds everything."""

import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pytorch_lightning import Callback, LightningModule, Trainer

from emotion.data.assignment import freeze
from emotion.data.split_file import write_split
from emotion.errors import ConfigError, EmotionError
from emotion.experiments.continuation import Beginning, begin
from emotion.experiments.outcome import RunResult, conclude
from emotion.experiments.parts import Run, build_run, check_run
from emotion.experiments.ranks import is_first
from emotion.experiments.records import RunRecord, Status, now, read_record, write_record
from emotion.faces.samples import count_classes, list_counts
from emotion.files import TEMPORARY, alone, write_json, write_text
from emotion.training.stopping import StoppedError

PACKAGES = ("emotion", "torch", "torchvision", "pytorch-lightning", "albumentations", "numpy")

LOCK = "run.lock"
PATIENCE = 10.0  # seconds: loading workers outlive a killed training by five at most

# What Lightning says of a run that goes on. The second is not so: the data module leaves out what
# was trained on, and tests compare the bits.
EXPECTED = (".*exists and is not empty.*", ".*your dataloader is not resumable.*")


def train(config: DictConfig, command: Sequence[str] = ()) -> RunResult | None:
    """Trains as the config says, or goes on, and leaves everything in the run folder.

    Args:
        config: composed; `emotion.experiments.continuation` tells what `resume` does.
        command: what was typed, for the record.

    Returns:
        The result, or None on the devices other than the first and where nothing was left to do.

    Raises:
        EmotionError: the config or the data cannot be used, or another process trains in the
            folder; says where and why.
        StoppedError: a signal ended the training, whose state is saved.
    """
    folder = Path(config.run_dir)
    before = read_record(folder)
    try:
        start = begin(config)
        if start.finished:
            print(f"{config.run_dir}: finished already; nothing is left to do", file=sys.stderr)
            return None
        run = build_run(start.building)
    except OmegaConfBaseException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    check_run(run)
    book = _RunBook(run, start, command)
    run.trainer.callbacks.insert(0, book)  # type: ignore[attr-defined]
    with _alone_in(folder, before), book.kept(), warnings.catch_warnings():
        for text in EXPECTED:
            warnings.filterwarnings("ignore", text)
        try:
            run.trainer.fit(run.module, run.data, ckpt_path=start.checkpoint, weights_only=True)
        except SystemExit as stop:  # so Lightning ends on a second Ctrl-C
            if stop.code == 1:
                signal.signal(signal.SIGINT, signal.default_int_handler)  # it left it ignored
                raise KeyboardInterrupt from stop
            raise
        return conclude(run, start.config) if run.trainer.is_global_zero else None


@contextmanager
def _alone_in(folder: Path, before: RunRecord | None) -> Iterator[None]:
    """Keeps other trainings out of the folder; the first device does so for all.

    Args:
        folder: of the run.
        before: what its record was when we found out where the run stands.

    Raises:
        ConfigError: another process trains in it, or did so since.
    """
    if not is_first(os.environ):
        yield
        return
    text = f"{folder}: another process is training in it; wait for it to end"
    with alone(folder / LOCK, text, PATIENCE):
        if read_record(folder) != before:
            raise ConfigError(f"{folder}: another process has just trained in it; type that again")
        yield


class _RunBook(Callback):
    """Writes down how the run came about, and in the end how it ended; the first device does.

    It begins once all devices have met: each has found out by then where the run stands, by what
    the folder held before.
    """

    def __init__(self, run: Run, start: Beginning, command: Sequence[str]) -> None:
        self.run, self.start = run, start
        earlier = start.record
        self.record = (
            RunRecord(list(command), "running", now())
            if earlier is None
            else replace(earlier, status="running", resumed=earlier.resumed + 1, reason=None)
        )
        self.began = time.monotonic()
        self.open = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Describes the run in its folder."""
        if trainer.is_global_zero:
            self.open = True
            _clear(self.run.folder / "checkpoints", again=self.start.checkpoint is None)
            write_record(self.run.folder, self.record)
            _describe(self.run, self.start)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Notes how the block ends."""
        try:
            yield
        except StoppedError as stop:
            self._stop(stop)
            raise
        except (KeyboardInterrupt, SystemExit) as stop:  # before the first step, or a second signal
            self._note("stopped", "SIGINT" if isinstance(stop, KeyboardInterrupt) else "SIGTERM")
            raise
        except BaseException as error:
            self._note("failed", str(error) or type(error).__name__)
            raise
        self._note("finished", None)

    def _stop(self, stop: StoppedError) -> None:
        if self.open and self.run.best.best_model_path:
            conclude(self.run, self.start.config)
        self._note("stopped", str(stop))

    def _note(self, status: Status, reason: str | None) -> None:
        if not self.open:
            return
        seconds = self.record.seconds + time.monotonic() - self.began
        record = replace(self.record, status=status, seconds=round(seconds, 1), reason=reason)
        try:
            write_record(self.run.folder, record)
        except EmotionError as error:  # a full disk must not hide what happened before it
            print(f"emotion: {error}", file=sys.stderr)


def _clear(checkpoints: Path, again: bool) -> None:
    """Removes what a killed process was writing, and where the run begins again what it kept."""
    for path in checkpoints.glob("*.ckpt"):
        if again or path.name.startswith(TEMPORARY):
            path.unlink()


def _describe(run: Run, start: Beginning) -> None:
    found = run.data.read_samples()
    print(found.cleaned.describe(), end="", file=sys.stderr)
    config = start.config
    config.resume = None
    config.data.root = str(run.data.root.absolute())  # evaluate may be typed somewhere else
    if config.data.groups is not None and Path(config.data.groups).is_file():
        config.data.groups = str(Path(config.data.groups).absolute())
    if start.checkpoint is None:
        _describe_data(run)
    else:
        print(f"goes on from {start.checkpoint}", file=sys.stderr)
    write_text(run.folder / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    write_json(run.folder / "versions.json", versions())


def _describe_data(run: Run) -> None:
    faces = run.data.read_samples()
    write_split(run.folder / "split.json", freeze(run.data.photos, faces.audit, run.data.plan))
    for name in ("train", "val"):
        samples = run.data.samples[name]
        counts = count_classes(samples, run.data.input.labels)
        print(f"{name}: {len(samples)} faces ({list_counts(counts)})", file=sys.stderr)
        if 0 in counts.values():
            print(f"warning: a class has no face in {name}", file=sys.stderr)


def versions() -> dict[str, str]:
    """Gives the versions that a result depends on."""
    return {"python": platform.python_version(), "platform": platform.platform()} | {
        name: metadata.version(name) for name in PACKAGES
    }
