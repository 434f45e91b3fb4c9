"""`emotion tune`: searches for good settings; each trial is an ordinary run folder."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emotion.commands import DONE, MISTAKE, PARTLY
from emotion.errors import ConfigError, EmotionError

if TYPE_CHECKING:
    from emotion.interruption import Interruption
    from emotion.tuning.running_trial import TrialEnd
    from emotion.tuning.search import Search
    from emotion.tuning.settings import SearchSettings, Training
    from emotion.tuning.trials import TrialStore

HELP = """\
usage: emotion tune [SETTING=VALUE …] [tune=NAME] [tune.KEY=VALUE …]

Searches for good settings with Optuna. Each trial is a training in a run folder of its own, with
values drawn from ranges; trials that are worse than the median after some epochs are ended early.

  emotion tune experiment=faces data.root=/path/to/faces
  emotion tune experiment=faces data.root=/path/to/faces tune.trials=30 tune.jobs=2
  emotion tune experiment=demo data.root=outputs/demo/data tune=small
  emotion tune data.root=/path/to/faces tune=my_search.yaml
  emotion tune data.root=/path/to/faces tune.ranges.model.optimizer.lr.high=0.01 \\
      'tune.ranges.data.batch_size={choices: [50, 100, 200]}' '~tune.ranges.model.dropout'

Settings that begin with `tune` are those of the search, all others those of every training, as
`emotion train` takes them. The search's own stand in conf/tune/, with their meaning; a file of your
own needs to name only what differs from default.yaml.

The same command again goes on with the search, after a crash too; tune.trials may be raised.
Typed in a second terminal it joins in: the trials are shared out. There give each its own GPU by
CUDA_VISIBLE_DEVICES, or use tune.jobs=2, which shares the GPUs, or else the cores, out by itself.

The folder, outputs/tune/NAME-… unless tune.folder says another, holds the trials, study.db,
leaderboard.csv, .md and .png, history.png and importance.png.

Exit codes: 0 done, 1 done but some trials failed, 2 could not run, 130 or 143 interrupted.
"""


def main(arguments: Sequence[str]) -> int:
    """Runs a search, or goes on with one.

    Args:
        arguments: what follows `emotion tune`: key=value.

    Returns:
        The exit code.
    """
    if any(item in ("-h", "--help") for item in arguments):
        print(HELP, end="")
        return DONE
    options = [item for item in arguments if item.startswith("-")]
    if options:
        raise ConfigError(
            f"{options[0]}: no such option; expected key=value (emotion tune --help explains)"
        )
    _check_optuna()
    from emotion.tuning.record import open_folder
    from emotion.tuning.settings import (
        read_settings,
        read_training,
        search_folder,
        split_overrides,
    )
    from emotion.tuning.trials import TrialStore

    own, rest = split_overrides(arguments)
    settings = read_settings(own)
    training = read_training(rest, settings.ranges)
    places = _places(settings, training)
    folder = search_folder(settings, training)
    open_folder(folder, settings, training)
    store = TrialStore(folder, settings, training.mode)
    try:
        return _search(store, settings, training, places, arguments)
    finally:
        store.close()


def _check_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise EmotionError(
            "emotion tune searches with Optuna, which is not installed: pip install 'emotion[tune]'"
        ) from error


def _places(settings: "SearchSettings", training: "Training") -> list[dict[str, str]]:
    from emotion.sweeps.places import find_gpus, gpus_wanted, share_out

    if settings.jobs == 1:
        return [{}]
    gpus = find_gpus()
    wanted = gpus_wanted(training.config["trainer"], len(gpus))
    return share_out(settings.jobs, wanted, gpus, "tune.jobs")


def _search(
    store: "TrialStore", settings: "SearchSettings", training: "Training",
    places: list[dict[str, str]], arguments: Sequence[str],
) -> int:  # fmt: skip
    from emotion.interruption import Interruption
    from emotion.tuning.search import Search

    ended = store.ended()
    print(f"{store.folder}: {ended} of {settings.trials} trials are done", flush=True)
    search = Search(store, settings, training, places)
    with Interruption() as interruption, _bar(settings.trials, ended) as advance:
        for end in search.run(interruption):
            print(_line(end, store, training.monitor), flush=True)
            advance(store.ended())
    if interruption.code is None:  # pictures take seconds that whoever interrupts need not grant
        _conclude(store, settings, training)
    return _code(search, store, settings, interruption, arguments)


def _line(end: "TrialEnd", store: "TrialStore", monitor: str) -> str:
    values = " ".join(_short(item) for item in end.values)
    took = f"{end.seconds:.0f} s"
    if end.outcome == "failed":
        lines = "".join(f"\n    {line}" for line in end.tail)
        return f"trial {end.number}: failed, {took}; {values}: {end.reason}{lines}"
    if end.score is None:
        return f"trial {end.number}: {end.reason}, {took}; {values}"
    score = f"{monitor} {end.score:.4f}"
    what = f"{score}, {end.reason}" if end.reason else f"{score} at epoch {end.epoch}"
    best = store.best()
    so_far = "" if best is None else f"; best {best.value:.4f} (trial {best.number})"
    return f"trial {end.number}: {what}, {took}{so_far}; {values}"


def _short(override: str) -> str:
    """Shortens a number that was drawn: 0.00041289841 is 0.0004129 on a line to be read."""
    name, _, value = override.partition("=")
    try:
        return f"{name}={float(value):.4g}" if "." in value or "e" in value else override
    except ValueError:  # a word
        return override


def _conclude(store: "TrialStore", settings: "SearchSettings", training: "Training") -> None:
    """Writes what the search came to so far, and prints the best."""
    from emotion.figures.tuning import draw_history, draw_importance
    from emotion.leaderboards.leaderboard import write_leaderboard

    if not store.ended():
        return
    board = write_leaderboard(store.folder)
    print(f"\n{board.table()}\n")
    for name, draw in (("history", draw_history), ("importance", draw_importance)):
        path = store.folder / f"{name}.png"
        missing = draw(store.study, training.monitor, path)
        print(f"{path}" if missing is None else f"{name}: not drawn, {missing}")
    _print_best(store, settings, training)


def _print_best(store: "TrialStore", settings: "SearchSettings", training: "Training") -> None:
    from emotion.tuning.search import find_best

    best = find_best(store, settings, training)
    if best is None:
        return
    print(f"best: trial {best.number}, {training.monitor} {best.score:.4f} at epoch {best.epoch}")
    print(f"again: {best.command}")
    print(f"checkpoint: {best.checkpoint}")
    print(f"next: emotion evaluate {shlex.quote(str(best.checkpoint))}")


def _code(
    search: "Search", store: "TrialStore", settings: "SearchSettings",
    interruption: "Interruption", arguments: Sequence[str],
) -> int:  # fmt: skip
    ended, failed = store.ended(), store.failed()
    state = f"{ended} of {settings.trials} trials are done"
    again = f"go on with: {shlex.join(['emotion', 'tune', *arguments])}"
    if interruption.code is not None:
        print(f"emotion: interrupted; {state}; {again}", file=sys.stderr)
        return interruption.code
    if search.broken is not None:
        print(f"emotion: given up: {search.broken}", file=sys.stderr)
        return MISTAKE if store.best() is None else PARTLY
    if ended < settings.trials:
        print(f"{state}; the others are run by other workers, or {again}")
    if failed:
        print(f"{failed} of {ended} trials failed", file=sys.stderr)
    return PARTLY if failed else DONE


@contextmanager
def _bar(total: int, done: int) -> Iterator[Callable[[int], None]]:
    """Shows how far the search is and the time left, on a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    left = (TimeRemainingColumn(), TextColumn("left"))
    columns = (TextColumn("trials"), BarColumn(), MofNCompleteColumn(), *left)
    # What we print goes through the bar only where both are the terminal.
    both = sys.stdout.isatty()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal,
        redirect_stdout=both,
    ) as progress:  # fmt: skip
        task = progress.add_task("trials", total=max(total, done), completed=done)
        yield lambda count: progress.update(task, completed=count)
