from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.figures.canvas import to_pixels
from emotion.figures.leaderboard import FEWEST, MOST, Mark, Panel, draw_leaderboard


def marks_of(
    places: Sequence[float], scores: Sequence[Sequence[float]], spread: float | None = 0.05
) -> list[Mark]:
    return [
        Mark(f"lr={place:g}", values, float(np.mean(values)), spread, place)
        for place, values in zip(places, scores, strict=True)
    ]


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def points(axes: Axes) -> list[tuple[list[float], list[float]]]:
    """Gives the coordinates of the drawn points, one pair of lists a mark."""
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in lines
    ]


def test_a_number_is_an_axis_with_every_seed_a_point() -> None:
    marks = marks_of([0.01, 0.001], [[0.5, 0.7], [0.3, 0.4]])
    axes = axes_of(draw_leaderboard([Panel("val/accuracy", "max", marks, "model.lr")]))
    assert points(axes) == [([0.001] * 2, [0.3, 0.4]), ([0.01] * 2, [0.5, 0.7])]
    (bars,) = axes.containers
    means = bars.lines[0]  # type: ignore[attr-defined]
    assert np.asarray(means.get_ydata()) == pytest.approx([0.35, 0.6])
    assert axes.get_xlabel() == "model.lr"
    assert axes.get_ylabel() == "val/accuracy"
    title = axes.get_title(loc="left")
    assert title == (
        "val/accuracy (validation, not test)\nhigher is better; seeds, mean ± standard deviation"
    )
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.001", "0.01"]


@pytest.mark.parametrize(
    ("places", "scale"),
    [([1, 5], "linear"), ([1, 6], "log"), ([0, 1, 11], "symlog"), ([-1, 1, 11], "linear")],
)
def test_values_that_span_more_than_five_times_are_drawn_logarithmic(
    places: list[float], scale: str
) -> None:
    marks = marks_of(places, [[0.5]] * len(places), spread=None)
    figure = draw_leaderboard([Panel("val/loss", "min", marks, "x")])
    assert axes_of(figure).get_xscale() == scale
    assert "one point a run" in axes_of(figure).get_title(loc="left")
    to_pixels(figure)


def test_many_values_leave_ticks_to_matplotlib() -> None:
    places = [float(n) for n in range(1, 40)]
    axes = axes_of(
        draw_leaderboard([Panel("val/loss", "min", marks_of(places, [[0.5]] * 39), "x")])
    )
    assert len(axes.get_xticks()) < 20


def test_anything_else_is_a_list_with_the_best_at_the_top() -> None:
    marks = [Mark("a_$b$", [0.6, 0.7], 0.65, 0.0707), Mark("c", [0.5], 0.5, None)]
    axes = axes_of(draw_leaderboard([Panel("val/accuracy", "max", marks)]))
    assert [label.get_text() for label in axes.get_yticklabels()] == [r"a_\$b\$", "c"]
    assert points(axes) == [([0.6, 0.7], [0, 0]), ([0.5], [1])]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [text.get_text() for text in axes.texts] == ["0.6500 ± 0.0707", "0.5000"]


@pytest.mark.parametrize("count", [1, 3, 12, 60, 1000])
def test_a_long_list_is_cut_and_says_so(count: int) -> None:
    marks = [Mark(f"dropout={n}", [n / 1000], n / 1000, None) for n in range(count)]
    figure = draw_leaderboard([Panel("val/loss", "min", marks)])
    axes = axes_of(figure)
    assert len(axes.get_yticks()) == min(count, MOST)
    cut = f"the best {MOST} of {count} settings are shown" in axes.get_title(loc="left")
    assert cut == (count > MOST)
    assert figure.get_size_inches()[1] <= 1.7 + 0.26 * MOST
    if count in (1, 1000):
        assert (to_pixels(figure)[..., 0] < 30).any()  # blue points and black letters


def test_several_scores_are_panels_that_share_the_height() -> None:
    marks = [Mark(str(n), [0.5], 0.5, None) for n in range(100)]
    panels = [Panel("val/loss", "min", marks), Panel("val/accuracy", "max", marks)]
    figure = draw_leaderboard([*panels, *panels])
    assert [len(axes.get_yticks()) for axes in figure.axes] == [FEWEST] * 4


def test_no_finished_run_is_said() -> None:
    figure = draw_leaderboard([])
    assert [text.get_text() for text in figure.texts] == ["no run is finished"]
    to_pixels(figure)


def test_values_too_near_for_labels_of_their_own_share_an_axis() -> None:
    places = [0.0018, 0.0019, 0.1]
    marks = marks_of(places, [[0.5]] * 3, spread=None)
    axes = axes_of(draw_leaderboard([Panel("val/loss", "min", marks, "x")]))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert "0.0018" not in labels
    assert any(labels)
