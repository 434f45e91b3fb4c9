"""Reads leaderboards back."""

import csv
import io

from emotion.leaderboards.leaderboard import Leaderboard


def csv_rows(leaderboard: Leaderboard) -> list[dict[str, str]]:
    """Gives the rows of its CSV."""
    return list(csv.DictReader(io.StringIO(leaderboard.csv())))


def names(leaderboard: Leaderboard) -> list[str]:
    """Gives the names of the ranked runs, the best first."""
    return [run.name for board in leaderboard.boards for g in board.groups for run in g.runs]
