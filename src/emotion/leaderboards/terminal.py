"""A leaderboard in a terminal of 100 columns."""

import textwrap
from collections.abc import Callable, Sequence

from rich.cells import cell_len

from emotion.leaderboards.leaderboard import SEED, Board, Leaderboard
from emotion.leaderboards.texts import (
    Table,
    clean,
    clipped,
    group_table,
    left_table,
    run_table,
    title,
)

WIDTH = 100  # columns of a terminal
REASON = 3  # lines of a reason


def terminal_text(leaderboard: Leaderboard) -> str:
    """Gives the tables for a terminal of 100 columns; what does not fit is named below them."""
    parts = [_terminal_board(board) for board in leaderboard.boards]
    if leaderboard.early:
        parts.append("came to no run:\n" + _fitted(left_table(leaderboard.early)))
    if leaderboard.unreadable:
        parts.append("could not be read:\n" + _fitted(left_table(leaderboard.unreadable)))
    return "\n\n".join(parts)


def _terminal_board(board: Board) -> str:
    lines = [title(board)]
    if board.seeds_swept:
        lines += ["", *_terminal(board, board.common, group_table)]
    if board.groups:
        lines += ["", *_terminal(board, board.varied, run_table)]
    if board.unfinished:
        lines += ["", "not finished:", _fitted(left_table(board.unfinished, board.varied))]
    return "\n".join(lines)


def _terminal(
    board: Board, names: Sequence[str], make: Callable[[Board, Sequence[str]], Table]
) -> list[str]:
    """Gives a table with as many settings as fit, and a line on the others."""
    shown = _fitting(board, names, make)
    text = _fitted(make(board, shown))
    left = [name for name in names if name not in shown]
    if not left:
        return [text]
    note = f"{len(left)} more settings differ (see --csv): {', '.join(left)}"
    return [text, *textwrap.wrap(clean(note), WIDTH, max_lines=3, placeholder=" …")]


def _fitting(
    board: Board, names: Sequence[str], make: Callable[[Board, Sequence[str]], Table]
) -> list[str]:
    """Chooses settings that fit into a line, first the seed, then those with most values."""
    runs = [run for group in board.groups for run in group.runs]
    values = {name: len({repr(run.settings.get(name)) for run in runs}) for name in names}
    ordered = sorted(names, key=lambda name: (name != SEED, -values[name], name))
    bare = _widths(*make(board, []))
    room = WIDTH - sum(bare) - 2 * (len(bare) - 1)
    full = _widths(*make(board, ordered))[len(bare) - 1 :]  # settings stand before the last column
    shown = []
    for name, width in zip(ordered, full, strict=False):
        if width + 2 <= room:
            shown.append(name)
            room -= width + 2
    return sorted(shown, key=lambda name: (name != SEED, name))


def _fitted(table: Table) -> str:
    """Lays a table out; the last column has more lines where one would be too long."""
    head, rows = table
    widths = _widths(head, rows)
    room = WIDTH - sum(widths[:-1]) - 2 * (len(widths) - 1)
    lines = []
    for row in (head, *rows):
        cells = [_padded(clean(c), w) for c, w in zip(row[:-1], widths[:-1], strict=True)]
        last = textwrap.wrap(clean(row[-1]), room, max_lines=REASON, placeholder=" …") or [""]
        lines.append("  ".join([*cells, clipped(last[0], room)]).rstrip())
        lines += [" " * (WIDTH - room) + clipped(more, room) for more in last[1:]]
    return "\n".join(lines)


def _widths(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(cell_len(clean(row[i])) for row in (head, *rows)) for i in range(len(head))]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
