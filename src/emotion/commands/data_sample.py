"""`emotion data sample`: a drawn data set to try everything with."""

import argparse
from pathlib import Path
from typing import Any

from emotion.commands import DONE


def add(verbs: Any) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "sample",
        help="draw scenes of faces with Pascal VOC XML",
        description="Draws scenes of one to three faces with the five expressions, and writes them"
        " with their Pascal VOC XML in the original's layout. The same seed gives the same scenes.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="where to; must be empty")
    parser.add_argument("--images", type=int, default=200, help="scenes in all (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing (0)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draws; gives the exit code."""
    from emotion.data.sample import write_sample

    faces = write_sample(options.folder, options.images, options.seed)
    listed = " and ".join(
        f"{count} faces in {options.folder / part}" for part, count in faces.items()
    )
    print(f"drew {options.images} scenes: {listed}")
    return DONE
