"""`emotion data sample`: a data set to try everything with."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emotion.commands import DONE


def main(arguments: Sequence[str]) -> int:
    """Runs one of the data verbs; gives the exit code."""
    options = _parser().parse_args(arguments)
    from emotion.data.sample import write_sample

    faces = write_sample(options.folder, options.images, options.seed)
    listed = " and ".join(
        f"{count} faces in {options.folder / part}" for part, count in faces.items()
    )
    print(f"drew {options.images} scenes: {listed}")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("emotion data", description="Makes data sets.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    sample = verbs.add_parser(
        "sample",
        help="draw scenes of faces with Pascal VOC XML",
        description="Draws scenes of one to three faces with the five expressions, and writes them"
        " with their Pascal VOC XML in the original's layout. The same seed gives the same scenes.",
    )
    sample.add_argument("folder", type=Path, metavar="DIR", help="where to; must be empty")
    sample.add_argument("--images", type=int, default=200, help="scenes in all (200)")
    sample.add_argument("--seed", type=int, default=0, help="of the drawing (0)")
    return parser
