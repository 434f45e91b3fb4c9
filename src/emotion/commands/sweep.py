"""`emotion sweep`: goes on with the sweeps of `emotion train -m`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from emotion.errors import ConfigError


def main(arguments: Sequence[str]) -> int:
    """Runs one of the sweep verbs; gives the exit code."""
    options = _parser().parse_args(arguments)
    return _resume(options.folder, options.jobs, options.timeout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion sweep", description="Goes on with the sweeps of `emotion train -m`."
    )
    resume = parser.add_subparsers(required=True, metavar="VERB").add_parser(
        "resume",
        help="run what is missing of a sweep",
        description="Runs what is missing of a sweep: finished jobs are skipped, unfinished ones go"
        " on where they stand, failed ones are tried again. The command that began the sweep does"
        " the same.",
    )
    resume.add_argument("folder", type=Path, metavar="FOLDER", help="that of the sweep")
    resume.add_argument("--jobs", help="how many run at once (as when it began)")
    resume.add_argument("--timeout", help="seconds that a job may take (as when it began)")
    return parser


def _resume(folder: Path, jobs: str | None, timeout: str | None) -> int:
    from emotion.commands import train
    from emotion.experiments.overrides import assign
    from emotion.sweeps.folder import read_sweep

    sweep = read_sweep(folder)
    if sweep is None:
        raise ConfigError(f"{folder}: expected the folder of a sweep, with a sweep.json")
    anew = {"hydra.launcher.jobs": jobs, "hydra.launcher.timeout": timeout}
    given = [f"{key}={value}" for key, value in anew.items() if value is not None]
    said = ("hydra.sweep.dir=", *(f"{item.partition('=')[0]}=" for item in given))
    kept = [item for item in sweep.command[2:] if not item.startswith(said)]
    try:
        os.chdir(sweep.directory)
    except OSError as error:
        raise ConfigError(
            f"{folder}: the sweep began in {sweep.directory}, to which its paths are relative, and"
            f" that cannot be entered ({error.strerror})"
        ) from error
    return train.main([*kept, assign("hydra.sweep.dir", str(sweep.folder)), *given])
