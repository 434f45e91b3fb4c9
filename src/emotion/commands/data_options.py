"""Options that several data verbs share: what the files mean, and which problems are let go."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.errors import ConfigError

if TYPE_CHECKING:
    from emotion.data.audit import Rules

CACHE = Path("outputs/cache")  # as in conf/data/voc.yaml


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Adds the data set and how it is to be read."""
    add = parser.add_argument
    add("root", type=Path, metavar="ROOT", help="a data set, or a folder of photos with XML")
    add("--labels", metavar="A,B,…", help="class names in order (neutral,anger,surprise,smile,sad)")
    add("--map", action="append", default=[], metavar="NAME=CLASS", help="NAME= drops such faces")
    add("--origin", type=int, choices=(0, 1), default=0, help="coordinate of the first pixel (0)")
    add("--groups", metavar="G", help="who is who: a CSV file, name:REGEX, or folder:LEVEL")


def add_letting(parser: argparse.ArgumentParser) -> None:
    """Adds what is done about problems."""
    add = parser.add_argument
    add("--drop", type=kinds, default=(), metavar="KIND,…", help="leave out what has such problems")
    add("--mend", type=kinds, default=(), metavar="KIND,…", help="mend such problems in memory")


def rules(options: argparse.Namespace) -> "Rules":
    """Gives what the data set is held against."""
    from emotion.data.audit import Rules
    from emotion.faces.labels import EMOTIONS, LabelScheme

    given = options.labels.split(",") if options.labels else EMOTIONS
    names = tuple(name.strip() for name in given)
    scheme = LabelScheme(names, mapping(options.map))
    return Rules(scheme, options.origin, options.groups)


def mapping(pairs: Sequence[str]) -> dict[str, str | None]:
    """Reads NAME=CLASS pairs; nothing after the sign drops such faces.

    Raises:
        ConfigError: a pair without a name or the sign, or a name that comes twice.
    """
    mapped: dict[str, str | None] = {}
    for pair in pairs:
        name, sign, label = pair.rpartition("=")
        if not sign or not name:
            raise ConfigError(f"--map {pair}: expected NAME=CLASS, or NAME= to drop such faces")
        if name in mapped:
            raise ConfigError(f"--map: {name} is mapped twice; expected each label once")
        mapped[name] = label or None
    return mapped


def kinds(text: str) -> tuple[str, ...]:
    """Reads names of kinds, separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
