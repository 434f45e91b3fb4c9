"""The timeline: areas in the colours of the classes, gaps where nobody was, answers below."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from emotion.figures.canvas import to_pixels
from emotion.figures.timeline import Key, clock, draw_timeline, stretches
from emotion.figures.tracks import UNSURE, Track

KEY = Key(("neutral", "anger", "smile"), ("#56B4E9", "#D55E00", "#009E73"), "#DDDDDD")


def track(
    times: Any, rows: Any, answers: Any = None, absences: Any = None, number: int = 1
) -> Track:
    times = np.asarray(times, np.float64)
    rows = np.broadcast_to(np.asarray(rows, np.float32), (len(times), 3))
    given = rows.argmax(axis=1) if answers is None else answers
    return Track(
        number,
        len(times),
        times,
        rows,
        np.asarray(given, np.int8),
        np.zeros(len(times), np.float32) if absences is None else np.asarray(absences, np.float32),
    )


def column(figure: Figure, row: int, time: float) -> list[tuple[int, ...]]:
    """Gives the colours of a row at a time, from its top to its lower end."""
    pixels, axes = to_pixels(figure), figure.axes[row]
    (x, top), (_, bottom) = axes.transData.transform([(time, 1.0), (time, axes.get_ylim()[0])])
    height = len(pixels)
    cut = pixels[height - round(top) : height - round(bottom), round(x)]
    return [tuple(pixel) for pixel in cut.tolist()]


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(round(255 * share) for share in to_rgb(colour))


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_areas_are_as_high_as_the_probabilities() -> None:
    figure = draw_timeline([track(np.arange(100), (0.5, 0.2, 0.3))], KEY, "a", (0, 99))
    seen = column(figure, 0, 10.0)
    heights = [seen.count(rgb(colour)) for colour in KEY.colours]
    strip = 0.16 * sum(heights)  # the answer, in the colour of "neutral"
    areas = np.array([heights[0] - strip, heights[1], heights[2]])
    assert areas / areas.sum() == pytest.approx([0.5, 0.2, 0.3], abs=0.05)
    order = [seen.index(rgb(colour)) for colour in KEY.colours]
    assert order == sorted(order, reverse=True)  # the first class lies lowest


def test_the_answer_lies_below_and_unsure_is_hatched() -> None:
    answers = [0] * 50 + [UNSURE] * 50
    figure = draw_timeline([track(np.arange(100), (0.5, 0.2, 0.3), answers)], KEY, "a", (0, 99))
    lower = [column(figure, 0, time)[-12:] for time in (20.0, 80.0)]
    assert rgb(KEY.colours[0]) in lower[0]
    assert rgb(KEY.unsure) in lower[1]
    hatched = [c for c in figure.axes[0].collections if c.get_hatch()]
    assert len(hatched) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [*KEY.labels, "unsure"]


def test_where_a_face_was_away_there_is_a_gap() -> None:
    times = [*np.arange(0, 20), *np.arange(60, 100)]
    absences = [0.0] * 60
    absences[20] = 41.0
    away = track(times, (0.5, 0.2, 0.3), absences=absences)
    figure = draw_timeline([away], KEY, "a", (0, 99))
    assert set(column(figure, 0, 40.0)[:-3]) == {(255, 255, 255)}  # above the axis
    assert set(column(figure, 0, 10.0)) > {rgb(colour) for colour in KEY.colours}
    assert set(column(figure, 0, 80.0)) > {rgb(colour) for colour in KEY.colours}


def test_runs_end_where_an_absence_is_long_enough() -> None:
    absences = [0, 0, 0.2, 0, 3, 0]
    runs = stretches(track(range(6), (1, 0, 0), absences=absences), shortest=0.5)
    assert runs == [slice(0, 4), slice(4, 6)]


def test_names_stand_in_areas_with_room_for_them() -> None:
    times = np.linspace(0, 10, 200)
    low = np.where(times < 5, 0.9, 0.1)
    rows = np.stack([low, 0.05 + 0 * low, 0.95 - low], axis=1)
    figure = draw_timeline([track(times, rows)], KEY, "a", (0, 10))
    named = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert set(named) == {"neutral", "smile"}  # anger is too thin everywhere
    assert named["neutral"][0] < 5 < named["smile"][0]
    pixels = to_pixels(figure)
    for text in figure.axes[0].texts:  # the whole name lies on its area
        box = text.get_window_extent()
        part = pixels[
            len(pixels) - round(box.y1) : len(pixels) - round(box.y0), round(box.x0) : round(box.x1)
        ].reshape(-1, 3)
        colour = KEY.colours[KEY.labels.index(text.get_text())]
        assert (part == rgb(colour)).all(axis=1).mean() > 0.4
        assert not (part == 255).all(axis=1).any()


def test_there_is_a_row_for_each_face_and_the_rest_is_told() -> None:
    tracks = [track(range(9), (1, 0, 0), number=n) for n in (3, 1, 7)]
    figure = draw_timeline(tracks, KEY, "party $1$.mp4", (0, 9), more=1204)
    assert [axes.get_ylabel() for axes in figure.axes] == ["face 3", "face 1", "face 7"]
    title = figure.axes[0].get_title(loc="left")
    assert title.split("\n")[1] == "probabilities of the 3 faces seen most; 1,204 more not shown"
    assert r"party \$1\$.mp4" in title
    assert to_pixels(figure).min() < 128


def test_a_single_frame_fills_its_row() -> None:
    figure = draw_timeline([track([0.0], (0.6, 0.2, 0.2))], KEY, "a", (0, 0))
    for time in (0.1, 0.9):
        assert set(column(figure, 0, time)) > {rgb(colour) for colour in KEY.colours}


def test_a_video_without_faces_says_so() -> None:
    figure = draw_timeline([], KEY, "a", (0, 5))
    assert texts(figure.axes[0]) == ["no face was found"]
    assert to_pixels(figure).shape[1] == 1200


@pytest.mark.parametrize("length", [0.5, 30, 100, 3599, 3600, 40_000, 400_000])
def test_any_length_has_a_few_ticks(length: float) -> None:
    shown = track(np.linspace(0, length, 50), (0.6, 0.2, 0.2))
    figure = draw_timeline([shown], KEY, "a", (0, length))
    to_pixels(figure)
    ticks = [tick for tick in figure.axes[0].get_xticks() if 0 <= tick <= length]
    assert 3 <= len(ticks) <= 20


@pytest.mark.parametrize(
    ("seconds", "longest", "shown"),
    [(7.5, 9, "7.5"), (7, 90, "0:07"), (125, 3599, "2:05"), (3723, 4000, "1:02:03")],
)
def test_times_are_shown_as_a_player_does(seconds: float, longest: float, shown: str) -> None:
    assert clock(seconds, longest) == shown
