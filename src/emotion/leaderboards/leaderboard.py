"""A leaderboard: runs sorted by the score of validation by which each kept its epoch."""

import re
import statistics
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion.experiments.hyperparameters import Value, source_of
from emotion.files import write_text
from emotion.leaderboards.run_folders import RunFolder, read_run_folders

SEED = "seed"


@dataclass(frozen=True)
class Group:
    """Finished runs with the same settings, but for the seed where seeds are swept; else one run.

    Attributes:
        rank: from 1; groups of equal means share it.
        runs: the best first.
        mean: of the scores; a seed that was run twice counts once.
        deviation: their standard deviation, divided by n - 1; None for one seed.
        seeds: how many different seeds there are.
    """

    rank: int
    runs: tuple[RunFolder, ...]
    mean: float
    deviation: float | None
    seeds: int

    @property
    def scores(self) -> list[float]:
        """The scores of its runs, the best first."""
        return [run.score for run in self.runs if run.score is not None]

    def setting(self, name: str) -> Value:
        """Gives a setting that its runs have in common."""
        return self.runs[0].settings.get(name)


@dataclass(frozen=True)
class Board:
    """The runs that are measured by one score.

    Attributes:
        monitor: its name; always one of validation.
        mode: "min" where less is better, else "max".
        varied: the settings in which the runs differ, by dotted name.
        seeds_swept: there are runs that differ in nothing but the seed; groups gather them.
        groups: the best first.
        unfinished: stopped, failed or still running; not ranked.
    """

    monitor: str
    mode: str
    varied: tuple[str, ...]
    seeds_swept: bool
    groups: tuple[Group, ...]
    unfinished: tuple[RunFolder, ...]

    @property
    def common(self) -> tuple[str, ...]:
        """The varied settings that the runs of one group share."""
        return tuple(name for name in self.varied if not (self.seeds_swept and name == SEED))


@dataclass(frozen=True)
class Leaderboard:
    """All runs below a folder.

    Attributes:
        folder: where runs were looked for.
        boards: one for each score, that of most runs first; scores are never mixed.
        early: jobs and runs that have no config.yaml yet, so that their score has no name.
        unreadable: folders that are runs, but half written or damaged.
    """

    folder: Path
    boards: tuple[Board, ...]
    early: tuple[RunFolder, ...]
    unreadable: tuple[RunFolder, ...]

    def table(self) -> str:
        """Gives the tables for a terminal of 100 columns."""
        from emotion.leaderboards.terminal import terminal_text

        return terminal_text(self)

    def csv(self) -> str:
        """Gives all runs as CSV; see `leaderboard_texts` for the columns."""
        from emotion.leaderboards.texts import csv_text

        return csv_text(self)

    def markdown(self) -> str:
        """Gives the tables as Markdown."""
        from emotion.leaderboards.texts import markdown_text

        return markdown_text(self)


def read_leaderboard(folder: Path) -> Leaderboard:
    """Reads all runs at or below a folder and ranks them.

    Raises:
        ConfigError: there is no such folder, or no run in it.
    """
    runs = sorted(read_run_folders(folder), key=lambda run: natural(run.name))
    by_score: dict[tuple[str, str], list[RunFolder]] = defaultdict(list)
    for run in runs:
        if run.monitor:
            by_score[run.monitor, run.mode].append(run)
    boards = [make_board(of_score) for of_score in by_score.values()]
    boards.sort(key=lambda b: (-_size(b), b.monitor, b.mode))
    others = [run for run in runs if not run.monitor]
    return Leaderboard(
        folder,
        tuple(boards),
        early=tuple(run for run in others if run.status != "unreadable"),
        unreadable=tuple(run for run in others if run.status == "unreadable"),
    )


def natural(name: str) -> list[tuple[int, str]]:
    """Gives a key to sort by under which run 2 stands before run 10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if place % 2 else (-1, part) for place, part in enumerate(parts)]


def _size(board: Board) -> int:
    return sum(len(group.runs) for group in board.groups) + len(board.unfinished)


def make_board(runs: Sequence[RunFolder]) -> Board:
    """Ranks runs that are measured by one score.

    Args:
        runs: one or more, in the order in which equal ones are listed.
    """
    varied = _varied(runs)
    finished = [run for run in runs if run.status == "finished"]
    alike = _gathered(finished, lambda run: _key(run, [n for n in varied if n != SEED]))
    swept = any(len({run.settings.get(SEED) for run in group}) > 1 for group in alike)
    groups = alike if swept else [[run] for run in finished]
    mode = runs[0].mode
    return Board(
        monitor=runs[0].monitor,
        mode=mode,
        varied=tuple(varied),
        seeds_swept=swept,
        groups=tuple(_ranked(groups, -1 if mode == "max" else 1)),
        unfinished=tuple(run for run in runs if run.status != "finished"),
    )


def _varied(runs: Sequence[RunFolder]) -> list[str]:
    """Gives the settings that differ, without those that only repeat another, see `source_of`."""
    counts = Counter(name for run in runs for name in run.settings)
    first = runs[0].settings
    names = {
        name
        for run in runs
        for name, value in run.settings.items()
        if counts[name] < len(runs) or not _same(value, first.get(name))
    }
    return sorted(name for name in names if not _repeats(name, runs))


def _same(one: Value, other: Value) -> bool:
    # True is not 1; 1 is 1.0; NaN is NaN.
    return isinstance(one, bool) == isinstance(other, bool) and (one == other or one is other)


def _repeats(name: str, runs: Sequence[RunFolder]) -> bool:
    with_it = [run.settings for run in runs if name in run.settings]
    return all(
        (source := source_of(name, settings)) is not None
        and _same(settings[name], settings[source])
        for settings in with_it
    )


def _key(run: RunFolder, names: Iterable[str]) -> tuple[tuple[bool, str], ...]:
    return tuple((name in run.settings, repr(run.settings.get(name))) for name in names)


def _gathered(
    runs: Iterable[RunFolder], key: Callable[[RunFolder], object]
) -> list[list[RunFolder]]:
    gathered: dict[object, list[RunFolder]] = defaultdict(list)
    for run in runs:
        gathered[key(run)].append(run)
    return list(gathered.values())


def _ranked(groups: Iterable[Sequence[RunFolder]], sign: int) -> list[Group]:
    made = [_make_group(runs, sign) for runs in groups]
    made.sort(key=lambda group: sign * group.mean)
    means = [group.mean for group in made]
    first: dict[float, int] = {}
    for place, mean in enumerate(means, 1):
        first.setdefault(mean, place)
    return [Group(first[g.mean], g.runs, g.mean, g.deviation, g.seeds) for g in made]


def _make_group(runs: Sequence[RunFolder], sign: int) -> Group:
    scores: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        assert run.score is not None  # it is finished
        scores[repr(run.settings.get(SEED))].append(run.score)
    of_seeds = [statistics.fmean(values) for values in scores.values()]
    return Group(
        rank=0,
        runs=tuple(sorted(runs, key=lambda run: sign * (run.score or 0.0))),
        mean=statistics.fmean(of_seeds),
        deviation=statistics.stdev(of_seeds) if len(of_seeds) > 1 else None,
        seeds=len(of_seeds),
    )


def write_leaderboard(folder: Path) -> Leaderboard:
    """Writes `leaderboard.csv`, `.md` and `.png` into a folder of runs.

    Raises:
        EmotionError: there is no run, or the files cannot be written.
    """
    from emotion.figures.canvas import save_figure
    from emotion.leaderboards.picture import draw

    board = read_leaderboard(folder)
    write_text(folder / "leaderboard.csv", board.csv())
    write_text(folder / "leaderboard.md", board.markdown())
    with warnings.catch_warnings():
        # A letter of a name that the font has not is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        save_figure(draw(board), folder / "leaderboard.png")
    return board
