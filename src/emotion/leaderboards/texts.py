"""A leaderboard as text: its tables, as CSV and as Markdown.

The columns of the CSV, one row a run, the best first, the unreadable last:

    rank          of its group: of runs that differ in the seed alone, else of the run itself;
                  empty where a run is not ranked
    run           its folder, seen from that of the leaderboard
    status        finished, running, stopped, failed or unreadable
    monitor mode  name of the score, always one of validation, and whether min or max is best
    score epoch   of the epoch that is kept, and which that is, from 1
    epochs        trained
    seconds       that training took
    (settings)    those that differ, by dotted name; empty where a run has no such setting
    mean deviation lowest highest seeds
                  of the scores of its group (n - 1; empty for one seed), where seeds are swept
    command       as it was typed, quoted for a shell
    checkpoint    of the kept epoch, seen from the folder of the leaderboard
    reason        why it did not finish or cannot be read
"""

import csv
import io
import re
from collections.abc import Sequence

from rich.cells import cell_len

from emotion.experiments.hyperparameters import text_of
from emotion.files import harmless_cell
from emotion.leaderboards.leaderboard import Board, Group, Leaderboard
from emotion.leaderboards.run_folders import RunFolder

# The widest cell of a setting; of a run's name; of either beside a reason.
CELL, NAME, BRIEF = 18, 34, 26
Table = tuple[list[str], list[list[str]]]  # head and rows


def csv_text(leaderboard: Leaderboard) -> str:
    """Gives all runs as CSV; the columns are explained above."""
    names = sorted({name for board in leaderboard.boards for name in board.varied})
    head = ["rank", "run", "status", "monitor", "mode", "score", "epoch", "epochs", "seconds"]
    statistics = ["mean", "deviation", "lowest", "highest", "seeds"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*head, *names, *statistics, "command", "checkpoint", "reason"])
    for board in leaderboard.boards:
        for group in board.groups:
            about = _statistics(group) if board.seeds_swept else [""] * len(statistics)
            for run in group.runs:
                writer.writerow(_csv_row(str(group.rank), run, names, about))
        for run in board.unfinished:
            writer.writerow(_csv_row("", run, names, [""] * len(statistics)))
    for run in (*leaderboard.early, *leaderboard.unreadable):
        writer.writerow(_csv_row("", run, names, [""] * len(statistics)))
    return text.getvalue()


def _statistics(group: Group) -> list[str]:
    lowest, highest = min(group.scores), max(group.scores)
    values = (group.mean, group.deviation, lowest, highest, group.seeds)
    return ["" if value is None else repr(value) for value in values]


def _csv_row(rank: str, run: RunFolder, names: Sequence[str], about: list[str]) -> list[str]:
    numbers = (run.score, run.epoch, run.epochs, run.seconds)
    cells = [
        *(rank, run.name, run.status, run.monitor, run.mode),
        *("" if value is None else repr(value) for value in numbers),
        *(_setting(run, name, missing="") for name in names),
        *about,
        *(run.command, run.checkpoint, run.reason),
    ]
    return [harmless_cell(cell) for cell in cells]


def _setting(run: RunFolder, name: str, missing: str = "–") -> str:
    return text_of(run.settings[name]) if name in run.settings else missing


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Gives each dotted name its shortest ending that no other one has: lr, model.seed."""
    endings: dict[str, set[str]] = {}
    for name in names:
        for ending in _endings(name):
            endings.setdefault(ending, set()).add(name)
    return {name: next((e for e in _endings(name) if len(endings[e]) == 1), name) for name in names}


def _endings(name: str) -> list[str]:
    parts = name.split(".")
    ways = [".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]
    return [way for way in ways if not way.startswith(("_", *"0123456789"))] or [name]


def describe(run: RunFolder, names: Sequence[str]) -> str:
    """Writes settings in a line: lr=0.001, dropout=0.2."""
    short = short_names(names)
    had = [name for name in names if name in run.settings]
    return ", ".join(f"{short[name]}={_setting(run, name)}" for name in had)


def title(board: Board) -> str:
    """Says by which score runs are ranked."""
    which = "lowest" if board.mode == "min" else "highest"
    return f"{board.monitor} of the kept epoch, on validation; the {which} is best"


def markdown_text(leaderboard: Leaderboard) -> str:
    """Gives the tables as Markdown, with whole commands."""
    lines = ["# Leaderboard"]
    for board in leaderboard.boards:
        lines += ["", f"## {_escaped(title(board))}"]
        if board.seeds_swept:
            lines += ["", *_markdown(group_table(board, board.common))]
        if board.groups:
            lines += ["", *_markdown(run_table(board, board.varied, whole=True))]
        if board.unfinished:
            table = left_table(board.unfinished, board.varied, whole=True)
            lines += ["", "Not finished:", "", *_markdown(table)]
    if leaderboard.early:
        table = left_table(leaderboard.early, whole=True)
        lines += ["", "## Came to no run", "", *_markdown(table)]
    if leaderboard.unreadable:
        lines += ["", "## Could not be read", "", *_markdown(left_table(leaderboard.unreadable))]
    return "\n".join(lines) + "\n"


def _markdown(table: Table) -> list[str]:
    head, rows = table
    lines = [[_escaped(cell) for cell in row] for row in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return [f"| {' | '.join(line)} |" for line in lines]


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]|~#&])", r"\\\1", clean(text))


def clean(text: str) -> str:
    """Replaces what would break a line or steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def group_table(board: Board, names: Sequence[str]) -> Table:
    """Makes the table of groups: mean, deviation and range of their seeds, and those settings."""
    short = short_names(board.varied)
    head = ["rank", "mean", "deviation", "seeds", *(short[name] for name in names), "range"]
    rows = [
        [
            str(group.rank),
            f"{group.mean:.4f}",
            "–" if group.deviation is None else f"{group.deviation:.4f}",
            str(group.seeds),
            *(clipped(_setting(group.runs[0], name), CELL) for name in names),
            _range(group.scores),
        ]
        for group in board.groups
    ]
    return head, rows


def _range(scores: Sequence[float]) -> str:
    return f"{min(scores):.4f} to {max(scores):.4f}" if len(scores) > 1 else "–"


def run_table(board: Board, names: Sequence[str], whole: bool = False) -> Table:
    """Makes the table of ranked runs.

    Args:
        board: what to show.
        names: settings to show.
        whole: nothing is cut off, and checkpoint and command are given.
    """
    short = short_names(board.varied)
    head = ["rank", "score", "epoch", "time", *(short[name] for name in names), "run"]
    rows = []
    for group in board.groups:
        for run in group.runs:
            values = [_setting(run, name) for name in names]
            row = [
                *(str(group.rank), f"{run.score:.4f}", f"{run.epoch} of {run.epochs}"),
                *(_duration(run.seconds),),
                *(values if whole else [clipped(value, CELL) for value in values]),
                run.name if whole else clipped(run.name, NAME, keep_end=True),
            ]
            rows.append([*row, run.checkpoint, run.command] if whole else row)
    return ([*head, "checkpoint", "command"] if whole else head), rows


def left_table(runs: Sequence[RunFolder], names: Sequence[str] = (), whole: bool = False) -> Table:
    """Makes the table of runs that are not ranked, with their settings of those names."""
    head = ["run", "status", "epochs", *(["time"] if whole else [])]
    head += [*(["settings"] if names else []), "reason", *(["command"] if whole else [])]
    rows = []
    for run in runs:
        about = describe(run, names)
        cells = [
            run.name if whole else clipped(run.name, BRIEF, keep_end=True),
            *(run.status, "–" if run.epochs is None else str(run.epochs)),
            *([_duration(run.seconds)] if whole else []),
            *([about if whole else clipped(about, BRIEF)] if names else []),
            *(run.reason, *([run.command] if whole else [])),
        ]
        rows.append(cells)
    return head, rows


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def clipped(text: str, width: int, keep_end: bool = False) -> str:
    """Cuts a text to so many columns of a terminal, at its end or at its beginning."""
    if cell_len(text) <= width:
        return text
    while cell_len(text) > width - 1:
        text = text[1:] if keep_end else text[:-1]
    return f"…{text}" if keep_end else f"{text}…"
