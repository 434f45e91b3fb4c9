"""`emotion export`: a checkpoint as one file, which has to give the checkpoint's answers."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands import DONE, PARTLY
from emotion.errors import ConfigError
from emotion.exporting.formats import FORMATS, missing_packages
from emotion.files import check_file
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    from emotion.training.checkpoints import Checkpoint


def main(arguments: Sequence[str]) -> int:
    """Exports; gives the exit code: 1 where 8 bits are not worth it."""
    options = _parser().parse_args(arguments)
    if not 0 <= options.most_loss <= 1:
        raise ConfigError(f"--most-loss {options.most_loss}: expected a share from 0 to 1")
    wait_asleep()
    from emotion.exporting.exports import Options, export
    from emotion.exporting.gate import NotWorthItError, table
    from emotion.exporting.information import NOT_STATED
    from emotion.inference.checkpoint_files import find_checkpoint
    from emotion.training.checkpoints import read_checkpoint

    if missing := missing_packages(options.format):
        raise ConfigError(
            f"--format {options.format}: needs {' and '.join(missing)}, not installed:"
            " pip install 'emotion[export]'"
        )
    checkpoint = read_checkpoint(find_checkpoint(options.checkpoint))
    out = _target(options.out, checkpoint, options.format)
    licence = NOT_STATED if options.licence is None else options.licence
    how = Options(options.format, options.most_loss, licence, options.data, options.device)
    print(f"{checkpoint.path} (epoch {checkpoint.epoch}) as {options.format}")
    try:
        exported = export(checkpoint, out, how)
    except NotWorthItError as error:
        print(f"emotion: {error}", file=sys.stderr)
        return PARTLY
    print(table(exported.agreement, exported.weights))
    print(f"\nwritten: {out}")
    return DONE


def _target(out: Path | None, checkpoint: "Checkpoint", kind: str) -> Path:
    """Gives the file that is written, once it is sure that it may be."""
    from emotion.inference.checkpoint_files import run_folder

    if out is None:
        return run_folder(checkpoint.path) / FORMATS[kind][0]
    check_file(out)
    if out.resolve() == checkpoint.path.resolve():
        raise ConfigError(f"--out {out}: is the checkpoint itself; name another file")
    return out


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion export",
        description="Writes a checkpoint as one file with all that is needed to use it. The file is"
        " compared with the checkpoint on the run's validation faces, and kept only where it gives"
        " the same answers; see docs/export.md.",
        epilog="Exit codes: 0 written, 1 nothing written since 8 bits are not worth it here (larger"
        " or slower), 2 could not run or gives other answers. An older file stays where none is"
        " written.",
    )
    add = parser.add_argument
    add("checkpoint", type=Path, metavar="CKPT", help="a checkpoint, or the folder of a run")
    add("--format", choices=FORMATS, default="onnx", help="(onnx)")
    add("--out", type=Path, metavar="FILE", help="where it goes (model.onnx, … in the run folder)")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="annotated photos to compare on (the run's validation photos)",
    )
    add(
        "--most-loss",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="accuracy that onnx-int8 and onnx-half may lose (0.01: one answer of 100)",
    )
    add("--licence", metavar="TEXT", help="of the weights, kept in the file (not stated)")
    add("--device", default="cpu", help="where both are asked: cpu, cuda, … (cpu)")
    return parser
