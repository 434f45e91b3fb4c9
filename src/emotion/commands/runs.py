"""`emotion runs`: the leaderboard of any folder of runs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emotion.commands import DONE, PARTLY


def main(arguments: Sequence[str]) -> int:
    """Prints or writes the leaderboard; gives the exit code."""
    options = _parser().parse_args(arguments)
    from emotion.leaderboards.leaderboard import read_leaderboard, write_leaderboard

    read = write_leaderboard if options.write else read_leaderboard
    leaderboard = read(options.folder)
    print(
        leaderboard.csv() if options.csv else leaderboard.table(), end="" if options.csv else "\n"
    )
    if options.write and not options.csv:
        print()
        for suffix in ("csv", "md", "png"):
            print(options.folder / f"leaderboard.{suffix}")
    return PARTLY if leaderboard.unreadable else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion runs",
        description="Lists the runs in a folder and below, sorted by the score by which each kept"
        " its epoch; a table for each score. That score is always one of validation, never of the"
        " test. Runs that differ in the seed alone are grouped, with mean and standard deviation."
        " Runs that stopped, failed or still run come last.",
        epilog="Exit codes: 0 done, 1 a run folder could not be read (it is listed), 2 could not"
        " run.",
    )
    add = parser.add_argument
    add(
        "folder",
        type=Path,
        nargs="?",
        default=Path("outputs"),
        metavar="FOLDER",
        help="where to look (outputs)",
    )
    add("--csv", action="store_true", help="print CSV: all settings that differ, and the commands")
    add(
        "--write",
        action="store_true",
        help="write leaderboard.csv, leaderboard.md and leaderboard.png into FOLDER as well",
    )
    return parser
