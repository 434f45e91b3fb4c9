"""A leaderboard as a picture."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from emotion.figures.leaderboard import Mark, Panel, draw_leaderboard
from emotion.leaderboards.leaderboard import Board, Group, Leaderboard
from emotion.leaderboards.texts import clean, describe

LONGEST = 52  # letters of a description that fit beside a panel


def draw(leaderboard: Leaderboard) -> Figure:
    """Draws the ranked runs, one panel a score; those not finished are left out."""
    return draw_leaderboard([_panel(board) for board in leaderboard.boards if board.groups])


def _panel(board: Board) -> Panel:
    # What only an unfinished run has differently is no axis.
    names = [
        name
        for name in board.common
        if len({repr(group.setting(name)) for group in board.groups}) > 1
    ]
    axis = names[0] if len(names) == 1 and _numeric(board.groups, names[0]) else None
    marks = [_mark(group, names, axis) for group in board.groups]
    return Panel(board.monitor, board.mode, marks, axis)


def _numeric(groups: Sequence[Group], name: str) -> bool:
    values = [group.setting(name) for group in groups]
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _mark(group: Group, names: Sequence[str], axis: str | None) -> Mark:
    run = group.runs[0]
    name = describe(run, names)
    if not names and len(group.runs) > 1:
        name = "all seeds"
    elif not 0 < len(name) <= LONGEST:
        more = f" and {len(group.runs) - 1} more" if len(group.runs) > 1 else ""
        name = f"{run.name}{more}"
        name = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
    value = group.setting(axis) if axis else None
    place = float(value) if isinstance(value, int | float) else None
    return Mark(clean(name), group.scores, group.mean, group.deviation, place)
