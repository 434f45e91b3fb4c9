"""Options of the verbs that measure checkpoints on annotated photos."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands.data_options import add_letting, mapping

if TYPE_CHECKING:
    from emotion.evaluation.subjects import ReadingOptions


def add_measuring(parser: argparse.ArgumentParser, run: str) -> None:
    """Adds the data, how they are read, where the report goes, and the device.

    Args:
        parser: gets the options.
        run: whose own data are the default.
    """
    add = parser.add_argument
    add(
        "data",
        type=Path,
        nargs="?",
        metavar="DATA",
        help=f"img/ and annotations/, or a folder with test/; default: test/ of {run}'s data",
    )
    add("--out", type=Path, metavar="DIR", help="where the report goes (in the run folder)")
    add("--map", action="append", default=[], metavar="NAME=CLASS", help="NAME= drops such faces")
    add("--drop-difficult", action="store_true", help="leave out faces marked <difficult>1")
    add("--origin", type=int, choices=(0, 1), help="coordinate of the first pixel (as the run)")
    add(
        "--groups", metavar="G", help="who is who: a CSV file, name:REGEX, folder:LEVEL (the run's)"
    )
    add_letting(parser)
    add("--device", help="cpu, cuda, … (a GPU where there is one)")


def reading(options: argparse.Namespace) -> "ReadingOptions":
    """Gives how annotations are read, as it was typed."""
    from emotion.evaluation.subjects import ReadingOptions

    return ReadingOptions(
        mapping(options.map),
        options.origin,
        options.drop,
        options.mend,
        options.drop_difficult,
        options.groups,
    )
