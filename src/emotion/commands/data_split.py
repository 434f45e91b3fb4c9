"""`emotion data split`: a split that stays as it is, in a file."""

import argparse
from pathlib import Path
from typing import Any

from emotion.commands import DONE
from emotion.commands.data_options import CACHE, add_letting, add_reading, rules


def add(verbs: Any) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "split",
        help="freeze a split in a file",
        description="Splits a data set as training would, and writes the split with the hashes of"
        " all files; data.split=FILE trains on it and refuses files that have changed.",
    )
    add_reading(parser)
    add_letting(parser)
    add_option = parser.add_argument
    add_option("--out", type=Path, required=True, metavar="FILE", help="the split, as JSON")
    add_option("--val", type=_amount, default="auto", help="a count, a share, or auto (auto)")
    add_option("--train", type=int, help="a count (all others)")
    add_option("--test", type=_amount, help="a count, or a share (the folder test/)")
    add_option("--folds", type=int, metavar="K", help="parts for cross-validation")
    add_option("--seed", type=int, default=1, help="of the draw (1)")
    add_option("--drop-difficult", action="store_true", help="leave out <difficult>1")
    parser.set_defaults(run=run)


def _amount(text: str) -> str | int | float:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def run(options: argparse.Namespace) -> int:
    """Splits; gives the exit code."""
    from emotion.data.assignment import SplitPlan, assign, freeze
    from emotion.data.source import FaceSource
    from emotion.data.split_file import write_split
    from emotion.faces.samples import list_counts

    held = rules(options)
    source = FaceSource(
        options.root, held, options.drop, options.mend, not options.drop_difficult, CACHE
    )
    plan = SplitPlan(options.val, options.train, options.test, options.folds, 1, options.seed)
    faces = source.read()
    photos = assign(faces.photos, faces.audit, plan)
    frozen = freeze(photos, faces.audit, plan)
    write_split(options.out, frozen)
    print(faces.cleaned.describe(), end="")
    for part, counts in frozen.faces.items():
        print(
            f"{part}: {len(photos[part])} photos, {sum(counts.values())} faces"
            f" ({list_counts(counts)})"
        )
    print(f"{options.out}\nnext: emotion train data.root={options.root} data.split={options.out}")
    return DONE
