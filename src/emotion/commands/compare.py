"""`emotion compare`: two checkpoints on the same faces."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands import DONE
from emotion.commands.measuring_options import add_measuring, reading
from emotion.files import check_folder
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    from emotion.evaluation.comparison.report import ComparisonReport, Side
    from emotion.evaluation.provenance import Provenance
    from emotion.training.checkpoints import Checkpoint

FILES = ("comparison.html", "comparison.png", "comparison.json", "comparison.csv")


def main(arguments: Sequence[str]) -> int:
    """Compares; gives the exit code."""
    options = _parser().parse_args(arguments)
    wait_asleep()
    if options.out:
        check_folder(options.out)
    from emotion.evaluation.comparison.page import write_comparison_page
    from emotion.evaluation.comparison.report import write_comparison
    from emotion.inference.checkpoint_files import find_checkpoint
    from emotion.training.checkpoints import read_checkpoint

    a, b = (read_checkpoint(find_checkpoint(path)) for path in (options.a, options.b))
    report = _compare(a, b, options, ["emotion", "compare", *arguments])
    out = options.out or default_folder(a.path, b.path, report.data)
    write_comparison(report, out)
    write_comparison_page(out / "comparison.html", report)
    print(report.text())
    for name in FILES:
        print(out / name)
    return DONE


def _compare(
    a: "Checkpoint", b: "Checkpoint", options: argparse.Namespace, command: Sequence[str]
) -> "ComparisonReport":
    from emotion.evaluation.comparison.comparison import column_order, compare
    from emotion.evaluation.comparison.report import ComparisonReport
    from emotion.evaluation.comparison.verdict import verdict
    from emotion.evaluation.looks import note_look
    from emotion.evaluation.provenance import describe
    from emotion.evaluation.results import measure
    from emotion.evaluation.subjects import read_subject
    from emotion.training.checkpoints import CheckpointClassifier

    labels = a.input.labels
    order = column_order(labels, b.input.labels, (str(a.path), str(b.path)))
    subject = read_subject(a.path, labels, "test", options.data, reading(options))
    print(subject.cleaned.describe(), end="", file=sys.stderr)
    abouts = [describe(subject, c.path, c.epoch, labels, command) for c in (a, b)]
    given = measure(subject.samples, CheckpointClassifier(a, options.device)).probabilities
    other, same_file = given, abouts[0].checkpoint_sha256 == abouts[1].checkpoint_sha256
    if not same_file:
        classifier = CheckpointClassifier(b, options.device)
        other = measure(subject.samples, classifier).probabilities[:, order]
    found = compare(given, other, subject.targets, labels, subject.units())
    for about in abouts:  # whoever compares may choose
        note_look(about.look(), Path(about.checkpoint))
    notes = [
        f"{name}: {note}" for name, about in zip("AB", abouts, strict=True) for note in about.notes
    ]
    if options.data is None:
        notes += other_test_part(a.path, b.path)
    return ComparisonReport(
        a=_side(abouts[0]),
        b=_side(abouts[1]),
        data=subject.name,
        folder=str(subject.folder),
        notes=tuple(notes),
        samples=subject.samples,
        labels=labels,
        probabilities=(given, other),
        comparison=found,
        verdict=verdict(found, subject.name, same_file, any(about.warnings for about in abouts)),
    )


def _side(about: "Provenance") -> "Side":
    from emotion.evaluation.comparison.report import Side

    return Side(about.checkpoint, about.checkpoint_sha256, about.epoch, tuple(about.warnings))


def other_test_part(a: Path, b: Path) -> list[str]:
    """Says so where B's run kept other photos for its test than A's, whose are used.

    Args:
        a: checkpoint of A.
        b: checkpoint of B.
    """
    from emotion.data.split_file import read_split
    from emotion.errors import EmotionError
    from emotion.evaluation.subjects import SPLIT
    from emotion.inference.checkpoint_files import run_folder

    try:
        kept_a, kept_b = (
            {
                entry.sha256
                for entry in read_split(run_folder(path) / SPLIT).entries.values()
                if entry.part == "test"
            }
            for path in (a, b)
        )
    except EmotionError:
        return ["The faces are the test part of A's run; what B's run kept is not known."]
    if kept_a == kept_b:
        return []
    return [
        "The faces are the test part of A's run; B's run kept others:"
        f" {len(kept_a & kept_b)} of A's {len(kept_a)} photos are in both."
    ]


def default_folder(a: Path, b: Path, data: str) -> Path:
    """Gives the folder in B's run that is named after A and the photos.

    Args:
        a: checkpoint of A.
        b: checkpoint of B.
        data: short name of the photos.
    """
    from emotion.inference.checkpoint_files import run_folder

    run = run_folder(a).resolve()
    if a.parent.name != "checkpoints" or run == run_folder(b).resolve():
        name = a.stem  # of one run, or without a run
    else:  # a run of a sweep is called 0, 1, …
        name = f"{run.parent.name}-{run.name}" if run.name.isdigit() else run.name
    return run_folder(b) / f"comparison-with-{name}-on-{data}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion compare",
        description="Measures two checkpoints on the same annotated faces and says whether these"
        " tell them apart. Each has its own crop and preprocessing.",
    )
    add = parser.add_argument
    add("a", type=Path, metavar="CKPT_A", help="a checkpoint, or the folder of a run")
    add("b", type=Path, metavar="CKPT_B", help="the one it is compared with; the same classes")
    add_measuring(parser, "A's run")
    return parser
