"""Probabilities over time, a row for each face of a video."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator, PercentFormatter
from numpy.typing import NDArray

from emotion.figures.canvas import new_figure, short
from emotion.figures.tracks import UNSURE, Track

WIDTH = 10.0  # inches
ROW = 1.35  # inches that a face takes
FONT = 9
STRIP = 0.16  # height of the strip of answers below a row, as part of certainty
SHORTEST_GAP = 1 / 400  # of what is shown: shorter absences would not be seen
NAMED = 0.16  # certainty: an area bears its name where it is at least so high all along it
TRIED = 200  # places for a name in a run
LETTER = 0.011  # width of a letter as part of a row's, on the safe side
STEPS = (10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600)  # seconds between two ticks

Spans = list[slice]


@dataclass(frozen=True)
class Key:
    """What the colours mean.

    Attributes:
        labels: of the classes, in their order.
        colours: of the classes, as many.
        unsure: colour of the answer "unsure".
    """

    labels: Sequence[str]
    colours: Sequence[str]
    unsure: str


def draw_timeline(
    tracks: Sequence[Track], key: Key, title: str, span: tuple[float, float], more: int = 0
) -> Figure:
    """Draws the probabilities of each face as areas one on the other, and its answers below.

    Where a face was not seen there is a gap.

    Args:
        tracks: the faces, in the order of the rows; may be empty.
        key: what the colours mean.
        title: stands above.
        span: first and last second of the video; the same for a single frame.
        more: number of faces that are not shown.
    """
    figure = new_figure(WIDTH, 1.3 + ROW * max(len(tracks), 1))
    panels: NDArray[np.object_] = figure.subplots(
        max(len(tracks), 1), 1, sharex=True, squeeze=False
    )[:, 0]
    start, end = span
    moment = (end - start) * SHORTEST_GAP or 1.0  # a single frame fills its row
    end = max(end, start + moment)
    for axes, track in zip(panels, tracks, strict=False):
        _draw_track(axes, track, key, end - start, moment)
        axes.set_ylabel(f"face {track.number}", fontsize=FONT, rotation=0, ha="right", va="center")
    _finish(panels, start, end)
    if not tracks:
        panels[0].text(0.5, 0.5, "no face was found", ha="center", transform=panels[0].transAxes)
        panels[0].set_yticks([])
    told = f"{short(title, 80)}\n{_told(len(tracks), more)}"
    panels[0].set_title(told, loc="left", fontsize=FONT + 1)
    _add_legend(figure, key, any((track.answers == UNSURE).any() for track in tracks))
    return figure


def _told(shown: int, more: int) -> str:
    faces = "1 face" if shown == 1 else f"{shown} faces"
    if more:
        return f"probabilities of the {faces} seen most; {more:,} more not shown"
    return f"probabilities of {faces}" if shown else "no probabilities"


def _draw_track(axes: Axes, track: Track, key: Key, length: float, moment: float) -> None:
    """Draws one row.

    Args:
        axes: of the row.
        track: of the face.
        key: what the colours mean.
        length: seconds that the row shows.
        moment: seconds that one point alone takes; shorter absences are bridged.
    """
    edges = np.concatenate([np.zeros((len(track.times), 1)), track.probabilities.cumsum(1)], 1)
    runs = stretches(track, moment)
    for run in runs:
        times, shown, answers = track.times[run], edges[run], track.answers[run]
        if len(times) == 1:
            times = np.array([times[0], times[0] + moment])
            shown, answers = shown.repeat(2, axis=0), answers.repeat(2)
        for number, colour in enumerate(key.colours):
            low, high = shown[:, number], shown[:, number + 1]
            axes.fill_between(times, low, high, color=colour, linewidth=0)
            axes.plot(times, high, color="white", linewidth=0.6)
        _draw_answers(axes, times, answers, key)
    _name_areas(axes, track, runs, edges, key.labels, length)


def stretches(track: Track, shortest: float) -> Spans:
    """Gives the runs of points between which the face was there all the time.

    Args:
        track: of a face.
        shortest: seconds of absence that end a run; shorter ones are bridged.
    """
    starts = [0, *(int(n) for n in np.flatnonzero(track.absences > shortest) if n > 0)]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(track.times)], strict=True)]


def _draw_answers(
    axes: Axes,
    times: NDArray[np.float64],
    answers: NDArray[np.int8],
    key: Key,
) -> None:
    changes = np.flatnonzero(np.diff(answers)) + 1
    starts = np.concatenate([[0], changes])
    # An answer lasts until the next one.
    ends = np.append(times[changes], times[-1])
    runs = np.stack([times[starts], ends - times[starts]], axis=1)
    given = answers[starts]
    colours = [key.unsure if answer == UNSURE else key.colours[answer] for answer in given]
    place = (-1.6 * STRIP, STRIP)
    axes.broken_barh(runs.tolist(), place, facecolors=colours, linewidth=0)
    hatched = runs[given == UNSURE].tolist()
    if hatched:  # told by more than a shade
        axes.broken_barh(hatched, place, facecolors="none", edgecolor="0.35", hatch="////", lw=0)


def _name_areas(
    axes: Axes,
    track: Track,
    runs: Spans,
    edges: NDArray[np.float64],
    labels: Sequence[str],
    length: float,
) -> None:
    """Writes the name of a class where its area has most room for it, if there is any."""
    for number, label in enumerate(labels):
        text = short(label, 14)
        half = LETTER * len(text) / 2 * length
        places = [
            place
            for run in runs
            for place in _rooms(track.times[run], edges[run, number : number + 2], half)
        ]
        height, x, y = max(places, default=(0.0, 0.0, 0.0))
        if height >= NAMED:
            axes.text(x, y, text, fontsize=FONT - 1, ha="center", va="center", color="black")


def _rooms(
    times: NDArray[np.float64], edges: NDArray[np.float64], half: float
) -> Iterator[tuple[float, float, float]]:
    """Gives heights that are free all along a name in a run of one class, with the middles."""
    for row in range(0, len(times), max(len(times) // TRIED, 1)):
        middle = times[row]
        if middle - half < times[0] or middle + half > times[-1]:
            continue
        first, last = np.searchsorted(times, (middle - half, middle + half))
        low, high = edges[first : last + 1, 0].max(), edges[first : last + 1, 1].min()
        yield float(high - low), float(middle), float(high + low) / 2


def _finish(panels: NDArray[np.object_], start: float, end: float) -> None:
    for axes in panels:
        axes.set_ylim(-1.7 * STRIP, 1)
        axes.set_xlim(start, end)
        axes.set_yticks([0, 0.5, 1])
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.tick_params(labelsize=FONT - 1)
        axes.spines[["top", "right", "left"]].set_visible(False)
    if end >= 60:
        steps = [step for step in STEPS if (end - start) / step <= 10] or [STEPS[-1]]
        panels[-1].xaxis.set_major_locator(MultipleLocator(steps[0]))
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value, end)))
    unit = "seconds" if end < 60 else "minutes:seconds" if end < 3600 else "hours:minutes:seconds"
    panels[-1].set_xlabel(f"time in the video ({unit})", fontsize=FONT)


def clock(seconds: float, longest: float) -> str:
    """Gives a time as a player shows it.

    Args:
        seconds: the time.
        longest: the last time that is shown; below a minute it is "7.5", below an hour "2:03",
            otherwise "1:02:03".
    """
    if longest < 60:
        return f"{seconds:g}"
    minutes, rest = divmod(round(seconds), 60)
    if longest < 3600:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _add_legend(figure: Figure, key: Key, has_unsure: bool) -> None:
    patches = [
        Patch(color=colour, label=short(label))
        for label, colour in zip(key.labels, key.colours, strict=True)
    ]
    if has_unsure:
        patches.append(Patch(facecolor=key.unsure, edgecolor="0.35", hatch="////", label="unsure"))
    if patches:
        note = "strip below each row: the answer"
        figure.legend(
            handles=patches,
            title=note,
            loc="outside lower center",
            ncols=7,
            fontsize=FONT,
            title_fontsize=FONT - 1,
            frameon=False,
        )
