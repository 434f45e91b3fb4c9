"""`emotion data show`: contact sheets of what a network will see."""

import argparse
import re
import warnings
from pathlib import Path
from typing import Any

from emotion.commands import DONE
from emotion.errors import ConfigError


def add(verbs: Any) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "show",
        help="write contact sheets of the crops, before and after augmentation",
        description="Writes a PNG of training crops for each class, with the names of their files,"
        " and one of crops before and after augmentation.",
    )
    add_option = parser.add_argument
    add_option("root", type=Path, metavar="ROOT", help="a data set")
    add_option("settings", nargs="*", metavar="KEY=VALUE", help="as for train: experiment=faces …")
    add_option("--out", type=Path, metavar="DIR", help="where to (outputs/show/NAME)")
    add_option("--faces", type=int, default=40, help="faces on each sheet (40)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the sheets; gives the exit code."""
    if options.faces < 1:
        raise ConfigError(f"--faces: expected 1 or more, got {options.faces}")
    from emotion.data.sheets import write_sheets
    from emotion.experiments.parts import build_data

    # Captions are names of files; a letter that the font has not is drawn as a box.
    warnings.filterwarnings("ignore", "Glyph .* missing from font")
    data = build_data([f"data.root={quoted(options.root)}", *options.settings])
    out = options.out or Path("outputs/show") / options.root.resolve().name
    for path in write_sheets(data, out, options.faces):
        print(path)
    return DONE


def quoted(path: Path) -> str:
    """Writes a path as Hydra reads a value, whatever signs it has."""
    # Backslashes count as such, and are doubled, only before an interpolation or a quote.
    escaped = re.sub(r"(\\*)\$\{", r"\1\1\\${", str(path))
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", escaped)
    return "'" + re.sub(r"(\\+)$", r"\1\1", escaped) + "'"
