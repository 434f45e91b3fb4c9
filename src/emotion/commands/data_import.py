"""`emotion data import` and `emotion data labels`: data sets of others."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands import DONE, PARTLY
from emotion.commands.data_options import mapping

if TYPE_CHECKING:
    from emotion.data.importers.summaries import ImportSummary
    from emotion.data.label_registry import LabelTable

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]

SETTINGS = {"ferplus": ("rule", "votes"), "ckplus": ("frames", "neutral")}
SHOWN = 10  # records of what could not be used
ROWS = 60  # labels in the table


def add_import(verbs: "Verbs") -> None:
    """Adds the verb `import` to those of `emotion data`."""
    from emotion.data.importers.formats import FORMATS

    parser = verbs.add_parser(
        "import",
        help="make a data set of another one: FER2013, FER+, RAF-DB, AffectNet, CK+, COCO, …",
        description="Writes a data set of others as one that emotion reads: pictures as they are,"
        " Pascal VOC XML, parts where the source has them, persons where they are known. Labels"
        " become the five classes; what has no counterpart is dropped and counted.",
    )
    formats = parser.add_subparsers(required=True, metavar="FORMAT", dest="format")
    for name, format in FORMATS.items():
        layout = f"{format.summary}. Layout of SOURCE: {format.layout}"
        each = formats.add_parser(name, help=format.summary, description=layout)
        _add_arguments(each)
        if name == "ferplus":
            _add_rules(each)
        if name == "ckplus":
            _add_frames(each)
        each.set_defaults(run=run_import, format=name)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", type=Path, metavar="SOURCE", help="a folder, a .zip file, or the listing file")
    add("folder", type=Path, metavar="DIR", help="where to; must be empty")
    add(
        "--map",
        action="append",
        default=[],
        metavar="NAME=CLASS",
        help="a label of the source, name or number -> class; nothing after = drops",
    )
    add(
        "--keep-others",
        action="store_true",
        help="keep labels without a counterpart, such as fear, as classes of their own",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rule",
        default="official",
        help="which label the raters chose. official: that of FER+'s authors: single votes are left"
        " out, the winner has more than half of the rest; majority: more than half of all votes;"
        " plurality: more than any other (official)",
    )
    parser.add_argument(
        "--votes", type=int, default=0, help="the winner needs so many votes besides (0)"
    )


def _add_frames(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames", type=int, default=1, help="last frames of a sequence that show its label (1)"
    )
    parser.add_argument(
        "--neutral", type=int, default=1, help="first frames that count as neutral (1)"
    )


def add_labels(verbs: "Verbs") -> None:
    """Adds the verb `labels` to those of `emotion data`."""
    from emotion.data.importers.formats import FORMATS

    parser = verbs.add_parser(
        "labels",
        help="list what the labels of other data sets become",
        description="Lists, for each format that can be imported, its labels and what they become.",
    )
    parser.add_argument("format", nargs="?", metavar="FORMAT", choices=list(FORMATS))
    parser.set_defaults(run=run_labels)


def run_import(options: argparse.Namespace) -> int:
    """Imports, and prints what became of each label; gives the exit code."""
    from emotion.data.importers.imports import import_photos
    from emotion.data.label_registry import LabelTable

    table = LabelTable(options.format, mapping(options.map), options.keep_others)
    settings = {name: getattr(options, name) for name in SETTINGS.get(options.format, ())}
    summary = import_photos(options.format, options.source, options.folder, table, settings)
    print(_text(summary, table))
    _print_classes(summary)
    print(options.folder / "import.json")
    return PARTLY if summary.refused else DONE


def run_labels(options: argparse.Namespace) -> int:
    """Prints the registry; gives the exit code."""
    from emotion.data.importers.formats import FORMATS
    from emotion.data.label_registry import REGISTRY

    rows = [("format", "number", "label", "becomes")]
    for name in [options.format] if options.format else FORMATS:
        for label in REGISTRY[name]:
            shown = "" if label.number is None else str(label.number)
            rows.append((name, shown, label.name, label.becomes or "dropped"))
    print(_aligned(rows, right=(1,)))
    return DONE


def _text(summary: "ImportSummary", table: "LabelTable") -> str:
    """Gives the table of labels, and what could not be used."""
    parts = summary.parts
    rows = [("label", "becomes", *(part or "faces" for part in parts))]
    for name in sorted(summary.labels, key=table.order):
        counts = (f"{summary.faces[name, part]:,}" for part in parts)
        rows.append((name, summary.labels[name] or "dropped", *counts))
    more = [f"… and {len(rows) - 1 - ROWS} more labels"] if len(rows) - 1 > ROWS else []
    lines = [_aligned(rows[: ROWS + 1], right=range(2, 2 + len(parts))), *more]
    empty = summary.without_faces.total()
    if empty:
        lines.append(f"left out: {empty:,} pictures in which the source has no face")
    if summary.refused:
        lines.append(f"could not be used: {summary.refused:,}")
        lines += [f"  {refusal}" for refusal in summary.refusals[:SHOWN]]
        if summary.refused > SHOWN:
            lines.append(f"  … and {summary.refused - SHOWN:,} more, in import.json")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _print_classes(summary: "ImportSummary") -> None:
    """Says how many faces of each class there are, and how to train on other classes."""
    from emotion.faces.labels import EMOTIONS

    found = {label for counts in summary.classes.values() for label in +counts}
    ordered = [label for label in EMOTIONS if label in found] + sorted(found - set(EMOTIONS))
    for part, counts in summary.classes.items():
        total, photos = counts.total(), summary.photos[part]
        listed = ", ".join(f"{label} {counts[label]:,}" for label in ordered)
        print(f"{part or 'all'}: {total:,} faces in {photos:,} photos: {listed}")
    if found - set(EMOTIONS):
        print(f"these are not the usual five classes: train with {_override(ordered)}")


def _override(labels: Sequence[str]) -> str:
    quoted = (label if re.fullmatch(r"\w+", label) else f'"{label}"' for label in labels)
    return f"'input.labels=[{','.join(quoted)}]'"
