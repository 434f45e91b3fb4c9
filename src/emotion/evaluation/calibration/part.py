"""The report's part on calibration: the figures, and the two pictures of them."""

from dataclasses import dataclass
from typing import Self

from matplotlib.figure import Figure

from emotion.evaluation.calibration.calibration import Calibration
from emotion.figures.canvas import to_pixels
from emotion.figures.reliability import Column, Mark, Point, draw_reliability, draw_risk_coverage
from emotion.pages.thumbnails import data_uri


@dataclass(frozen=True)
class CalibrationPart:
    """What `report_calibration.html` shows.

    Attributes:
        calibration: the figures.
        reliability: the reliability diagram as a `data:` address.
        risk_coverage: the risk-coverage curve likewise.
    """

    calibration: Calibration
    reliability: str
    risk_coverage: str

    @classmethod
    def of(cls, calibration: Calibration) -> Self:
        """Draws the pictures."""
        drawn = (reliability_figure(calibration), risk_coverage_figure(calibration))
        return cls(calibration, *(data_uri(to_pixels(figure), "png") for figure in drawn))


def reliability_figure(calibration: Calibration) -> Figure:
    """Draws the bins of equal mass, and a histogram by the bins of equal width."""
    points = [
        Point(b.confidence, b.accuracy, b.chance_low, b.chance_high)
        for b in calibration.equal_mass.bins
    ]
    columns = [Column(b.low, b.high, b.faces) for b in calibration.equal_width.bins]
    return draw_reliability(points, columns)


def risk_coverage_figure(calibration: Calibration) -> Figure:
    """Draws the error by coverage, and what each threshold does on the evaluated faces."""
    marks = [
        Mark(f"threshold for {rule.wanted:.0%} wrong", rule.coverage.value, rule.error.value)
        for rule in calibration.rules
        if rule.coverage is not None and rule.error is not None
    ]
    curve = calibration.curve
    return draw_risk_coverage(curve.coverages.tolist(), curve.errors.tolist(), marks)
