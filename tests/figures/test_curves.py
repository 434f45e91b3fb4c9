"""Curves: epochs from 1, the kept one marked."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.figures.canvas import to_pixels
from emotion.figures.curves import Curve, draw_curves


def curves(epochs: int, kept: int, no_better_from: int | None = None) -> Figure:
    val = [1 / (1 + abs(epoch - kept)) for epoch in range(1, epochs + 1)]
    train = [epoch / epochs for epoch in range(1, epochs + 1)]
    return draw_curves([Curve("accuracy", train, val, no_better_from)], kept, "the best")


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def legend(figure: Figure) -> list[str]:
    shown = axes_of(figure).get_legend()
    assert shown is not None
    return [text.get_text() for text in shown.get_texts()]


@pytest.mark.parametrize(
    ("epochs", "kept", "no_better_from"),
    [(1, 1, None), (1, 1, 1), (2, 1, 2), (30, 12, 13), (31, 31, None), (100, 40, 41), (100, 1, 2)],
)
def test_curves_of_any_length_show_something(
    epochs: int, kept: int, no_better_from: int | None
) -> None:
    pixels = to_pixels(curves(epochs, kept, no_better_from))
    assert pixels.shape == (540, 960, 3)
    assert (pixels < 128).any(axis=-1).mean() > 0.002


def test_both_parts_are_drawn_over_epochs_from_one() -> None:
    figure = draw_curves([Curve("accuracy", [0.1, 0.2, 0.3], [0.4, 0.6, 0.5], None)], 2, "best")
    train, val = axes_of(figure).get_lines()[:2]
    np.testing.assert_array_equal(train.get_xydata(), [[1, 0.1], [2, 0.2], [3, 0.3]])
    np.testing.assert_array_equal(val.get_xydata(), [[1, 0.4], [2, 0.6], [3, 0.5]])
    assert legend(figure) == ["train", "validation", "epoch 2: 0.6000"]


def test_the_kept_epoch_is_named_and_marked() -> None:
    axes = axes_of(
        draw_curves([Curve("val/accuracy", [0.1, 0.2, 0.3], [0.4, 0.6, 0.5], None)], 2, "best")
    )
    assert axes.get_title(loc="left") == "epoch 2 is kept: best"
    assert axes.get_ylabel() == "val/accuracy"
    assert axes.get_xlabel() == "epoch"
    np.testing.assert_array_equal(axes.get_lines()[-1].get_xydata(), [[2, 0.6]])


def test_where_validation_gets_no_better_is_told() -> None:
    assert "validation no better from epoch 4" in legend(curves(9, 3, 4))
    assert len(legend(curves(9, 3, None))) == 3


def test_without_training_scores_only_validation_is_drawn() -> None:
    figure = draw_curves([Curve("accuracy", [], [0.4, 0.6], None)], 2, "best")
    assert legend(figure) == ["validation", "epoch 2: 0.6000"]
    assert to_pixels(figure).min() < 128


def test_points_are_marked_only_where_there_are_few() -> None:
    markers = [axes_of(curves(epochs, 1)).get_lines()[1].get_marker() for epochs in (30, 31)]
    assert markers == [".", "None"]


def test_epochs_are_whole_numbers_on_the_axis() -> None:
    figure = curves(3, 2)
    to_pixels(figure)
    assert all(float(tick).is_integer() for tick in axes_of(figure).get_xticks())


def test_several_scores_stand_one_below_the_other() -> None:
    both = [Curve("loss", [3, 2], [2, 3], 2), Curve("accuracy", [0.1, 0.2], [0.3, 0.4], None)]
    figure = draw_curves(both, 2, "best")
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    assert to_pixels(figure).min() < 128


def test_a_narrow_figure_wraps_its_title_and_keeps_its_width() -> None:
    curve = Curve("loss", [0.1, 0.2, 0.3], [0.4, 0.3, 0.5], 3)
    figure = draw_curves([curve], 2, "the lowest val/loss of 3 epochs; of equal ones the first", 4)
    assert to_pixels(figure).shape == (540, 480, 3)
    title = axes_of(figure).get_title(loc="left")
    assert title.count("\n") == 1
    shown = axes_of(figure).get_legend()
    assert shown is not None
    canvas = axes_of(figure).get_window_extent()
    assert shown.get_window_extent().y1 < canvas.y0  # below the panel, over nothing
    assert 0 <= shown.get_window_extent().x0 <= shown.get_window_extent().x1 <= 480


def test_an_epoch_without_a_score_has_no_mark() -> None:
    figure = draw_curves([Curve("loss", [], [0.4, float("nan")], None)], 2, "the best accuracy")
    assert legend(figure) == ["validation"]
