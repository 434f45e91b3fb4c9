"""`emotion evaluate SWEEP`: each run of a sweep, with mean and spread over seeds."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.commands import DONE, PARTLY
from emotion.commands.evaluate import cross_validation, read_evaluated, read_options
from emotion.errors import DataError, EmotionError
from emotion.leaderboards.run_folders import RunFolder, read_run_folders

if TYPE_CHECKING:
    from emotion.evaluation.end_to_end import EndToEnd
    from emotion.evaluation.intervals import Interval
    from emotion.evaluation.report import Report
    from emotion.evaluation.seeds.seeds import RunScores


def evaluate_sweep(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Evaluates every finished run; gives the exit code.

    Raises:
        DataError: no run could be evaluated.
    """
    from emotion.evaluation.seeds.files import summary_text, write_summary
    from emotion.evaluation.seeds.seeds import RunScores, summarise

    sweep: Path = options.checkpoint
    scores: list[RunScores] = []
    left_out: dict[str, str] = {}
    runs = sorted(read_run_folders(sweep), key=_place)
    for number, run in enumerate(runs, 1):
        if run.status != "finished":
            left_out[run.name] = run.reason
            continue
        print(f"run {number} of {len(runs)}: {run.name}", file=sys.stderr)
        try:
            scores.append(_evaluate(run, options, arguments))
        except EmotionError as error:
            left_out[run.name] = str(error)
    if not scores:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise DataError(f"{sweep}: no run of it could be evaluated ({reasons})")
    summary = summarise(scores, left_out)
    out = options.out or sweep / "evaluation"
    files = write_summary(summary, out, sweep.resolve().name)
    print(summary_text(summary))
    if options.suspects is None and _has_folds(runs):
        files += _suspects(sweep, options, out)
    for path in files:
        print(path)
    return PARTLY if left_out else DONE


def _place(run: RunFolder) -> tuple[int, str]:
    """Sorts folders called 0, 1, … by number."""
    return (int(run.name) if run.name.isdecimal() else sys.maxsize, run.name)


def _evaluate(run: RunFolder, options: argparse.Namespace, arguments: Sequence[str]) -> "RunScores":
    from emotion.evaluation.evaluating import evaluate

    evaluated = read_evaluated(options.checkpoint / run.checkpoint, options.device)
    out = options.out and options.out / run.name
    report, _ = evaluate(evaluated, read_options(options, arguments, evaluated), out)
    return _scores(run, report)


def _scores(run: RunFolder, report: "Report") -> "RunScores":
    from emotion.evaluation.seeds.seeds import RunScores

    whole = report.end_to_end[0] if report.end_to_end else None
    return RunScores(
        name=run.name,
        settings=run.settings,
        scores=report.scores.whole,
        recalls={one.label: one.recall for one in report.scores.classes},
        end_to_end=None if whole is None else _end_to_end(whole),
        data=report.about.data_sha256,
    )


def _end_to_end(part: "EndToEnd") -> "dict[str, Interval | None]":
    return {
        "faces found": part.recall,
        "right, found boxes": part.detected,
        "right, own boxes": part.annotated_found,
        "framing": part.framing,
        "found and right": part.joint,
    }


def _has_folds(runs: Sequence[RunFolder]) -> bool:
    finished = (run for run in runs if run.status == "finished")
    return len({run.settings.get("data.fold") for run in finished}) > 1


def _suspects(sweep: Path, options: argparse.Namespace, out: Path) -> list[Path]:
    """Lists wrong labels, where the runs are the folds of one data set."""
    from emotion.evaluation.suspects.files import write_suspects

    try:
        found = write_suspects(cross_validation(sweep, options.device), out)
    except DataError as error:
        print(f"no look for wrong labels: {error}", file=sys.stderr)
        return []
    print(f"{found.suspects} of {found.faces} labels may be wrong\n")
    return [out / "suspects.csv", out / "suspects.png"]
