"""The reliability diagram and the risk-coverage curve."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from emotion.figures.canvas import to_pixels
from emotion.figures.reliability import Column, Mark, Point, draw_reliability, draw_risk_coverage

POINTS = [Point(0.3, 0.2, 0.1, 0.5), Point(0.7, 0.9, 0.5, 0.85)]


def sizes(figure: Figure) -> list[float]:
    """Gives the size of each text in points."""
    return [text.get_fontsize() for text in figure.findobj(match=_has_text)]  # type: ignore[attr-defined]


def _has_text(artist: object) -> bool:
    get = getattr(artist, "get_text", None)
    return callable(get) and bool(get()) and hasattr(artist, "get_fontsize")


def test_points_lie_where_they_were_measured() -> None:
    figure = draw_reliability(POINTS, [Column(0.2, 0.4, 3), Column(0.6, 0.8, 5)])
    upper, lower = figure.axes
    diagonal, measured = upper.get_lines()
    np.testing.assert_array_equal(diagonal.get_xydata(), [[0, 0], [1, 1]])
    np.testing.assert_array_equal(measured.get_xydata(), [[0.3, 0.2], [0.7, 0.9]])
    (bars,) = upper.collections
    ends = [np.asarray(path.vertices) for path in bars.get_paths()]
    np.testing.assert_array_equal(ends, [[[0.3, 0.1], [0.3, 0.5]], [[0.7, 0.5], [0.7, 0.85]]])
    columns = [
        patch.get_extents().transformed(lower.transData.inverted()) for patch in lower.patches
    ]
    expected = [[0.2, 0, 0.4, 3], [0.6, 0, 0.8, 5]]
    np.testing.assert_allclose([c.extents for c in columns], expected, atol=1e-9)


def test_the_curve_and_its_marks_lie_where_they_were_measured() -> None:
    figure = draw_risk_coverage([0.5, 1.0], [0.1, 0.3], [Mark("5 $ wrong", 0.4, 0.05)])
    (axes,) = figure.axes
    curve, mark = axes.get_lines()
    np.testing.assert_array_equal(curve.get_xydata(), [[0.5, 0.1], [1, 0.3]])
    np.testing.assert_array_equal(mark.get_xydata(), [[0.4, 0.05]])
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [r"5 \$ wrong"]


@pytest.mark.parametrize(
    "figure",
    [
        draw_reliability(POINTS, [Column(0.2, 0.4, 3)]),
        draw_reliability([Point(1.0, 1.0, 1.0, 1.0)], [Column(14 / 15, 1, 100_000)]),
        draw_risk_coverage([1.0], [0.0], []),
        draw_risk_coverage([1.0], [1.0], [Mark("all", 1.0, 1.0)]),
        draw_risk_coverage([0.5, 1.0], [0.001, 0.004], [Mark(str(i), 1, 0) for i in range(9)]),
    ],
)
def test_pictures_fit_a_phone_and_can_be_read(figure: Figure) -> None:
    pixels = to_pixels(figure)
    assert pixels.shape[1] <= 4.6 * 120
    assert (pixels < 128).any(axis=-1).mean() > 0.002
    assert min(sizes(figure)) >= 9


def test_small_errors_have_labels_that_differ() -> None:
    figure = draw_risk_coverage([0.5, 1.0], [0.001, 0.004], [])
    to_pixels(figure)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(set(labels)) == len(labels)
    assert "0.1%" in labels
