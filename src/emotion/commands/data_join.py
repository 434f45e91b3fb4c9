"""`emotion data join`: several data sets become one."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.commands import DONE
from emotion.errors import ConfigError

if TYPE_CHECKING:
    from emotion.data.joining import JoinedSource

PARTS = ("train", "val", "test")


def add(verbs: Any) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "join",
        help="lay several data sets side by side as one",
        description="Writes several data sets as one, with who is who (groups.csv), raters' votes"
        " (votes.csv) and where each photo is from (sources.csv, for emotion evaluate --columns)."
        " Pictures and XML files are linked, or copied where the disk cannot link.",
    )
    add_option = parser.add_argument
    add_option("root", type=Path, metavar="DIR", help="where to; must be empty")
    add_option(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a data set, whose parts are kept; or train=FOLDER, val=FOLDER, test=FOLDER for a"
        " folder of photos with XML that goes into that part",
    )
    add_option(
        "--split",
        nargs=2,
        action="append",
        default=[],
        metavar=("SOURCE", "FILE"),
        help="photos of that source go where this file of emotion data split says",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Joins; gives the exit code."""
    from emotion.data.joining import join

    counts = join(_sources(options.sources, dict(options.split)), options.root)
    for part, by_source in counts.items():
        listed = ", ".join(f"{count:,} of {source}" for source, count in by_source.items())
        print(f"{part}: {sum(by_source.values()):,} photos ({listed})")
    print(f"next: emotion train data.root={options.root}")
    return DONE


def _sources(names: Sequence[str], splits: dict[str, str]) -> "list[JoinedSource]":
    from emotion.data.joining import JoinedSource

    if unknown := sorted(splits.keys() - set(names)):
        raise ConfigError(f"--split {unknown[0]}: expected one of the sources {', '.join(names)}")
    sources = []
    for name in names:
        part, sign, folder = name.partition("=")
        given = bool(sign) and part in PARTS
        if given and name in splits:
            raise ConfigError(f"--split {name}: its part is given already; name {folder} alone")
        split = Path(splits[name]) if name in splits else None
        sources.append(
            JoinedSource(Path(folder if given else name), part if given else None, split)
        )
    return sources
