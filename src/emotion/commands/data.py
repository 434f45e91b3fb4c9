"""`emotion data`: data sets are checked, split, shown, imported, joined and drawn."""

import argparse
from collections.abc import Sequence

from emotion.commands import (
    data_check,
    data_import,
    data_join,
    data_sample,
    data_show,
    data_split,
)


def main(arguments: Sequence[str]) -> int:
    """Runs one of the data verbs; gives the exit code."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    # argparse takes no more of a list once an option has come: `show ROOT --out DIR KEY=VALUE`.
    if rest and ("settings" not in options or any(item.startswith("-") for item in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.settings += rest
    code: int = options.run(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion data", description="Checks, splits, shows, imports, joins and draws data sets."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    data_check.add(verbs)
    data_split.add(verbs)
    data_import.add_import(verbs)
    data_import.add_labels(verbs)
    data_join.add(verbs)
    data_show.add(verbs)
    data_sample.add(verbs)
    return parser
