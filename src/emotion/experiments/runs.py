"""One training run, from a config to a folder that holds everything."""

import platform
import sys
from importlib import metadata
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from emotion.data.assignment import freeze
from emotion.data.split_file import write_split
from emotion.errors import ConfigError
from emotion.experiments.outcome import RunResult, conclude
from emotion.experiments.parts import Run, build_run, check_run
from emotion.faces.samples import count_classes, list_counts
from emotion.files import write_json, write_text

PACKAGES = ("emotion", "torch", "torchvision", "pytorch-lightning", "albumentations", "numpy")


def train(config: DictConfig) -> RunResult | None:
    """Trains as the config says and leaves everything in the run folder.

    Returns:
        The result, or None on the devices other than the first.

    Raises:
        EmotionError: the config or the data cannot be used; says where and why.
    """
    try:
        run = build_run(config)
    except OmegaConfBaseException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    check_run(run)
    if run.trainer.is_global_zero:
        _check_folder(run.folder)
        _describe(run, config)
    try:
        run.trainer.fit(run.module, run.data)
    except SystemExit as stop:  # so Lightning ends on Ctrl-C, once it has closed its files
        if run.trainer.is_global_zero and run.best.best_model_path:
            result = conclude(run, config)
            print(f"kept so far: {result.checkpoint}", file=sys.stderr)
        raise KeyboardInterrupt from stop
    if not run.trainer.is_global_zero:
        return None
    return conclude(run, config)


def _check_folder(folder: Path) -> None:
    if (folder / "checkpoints").exists() or (folder / "config.yaml").exists():
        raise ConfigError(
            f"hydra.run.dir={folder}: holds a run already; name another folder, or remove it first"
        )


def _describe(run: Run, config: DictConfig) -> None:
    found = run.data.read_samples()
    print(found.cleaned.describe(), end="", file=sys.stderr)
    config.data.root = str(run.data.root.absolute())  # evaluate may be typed somewhere else
    write_text(run.folder / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    write_split(run.folder / "split.json", freeze(run.data.photos, found.audit, run.data.plan))
    write_json(run.folder / "versions.json", versions())
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
