"""The report's part on calibration: its sentences follow from the figures."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.evaluation.calibration.calibration import Calibration, make_calibration
from emotion.evaluation.calibration.part import CalibrationPart, risk_coverage_figure
from emotion.evaluation.intervals import Units
from emotion.figures.reliability import WIDTH
from emotion.pages.rendering import _environment

PAGE = '{% from "report_calibration.html" import calibration %}{{ calibration(part) }}'


def data(faces: int, boast: float, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.5, 0.99, faces)
    targets = (rng.random(faces) > sure / boast).astype(np.int64)
    return np.column_stack([sure, 1 - sure]).astype(np.float32), targets


def made(faces: int, boast: float = 1.0, temperature: float = 1.0) -> Calibration:
    shares, targets = data(faces, boast)
    units = Units.by_name(range(faces), targets)
    return make_calibration(shares, targets, units, None, temperature)


def text_of(calibration: Calibration) -> str:
    part = CalibrationPart(calibration, "data:,", "data:,")  # drawing takes its time
    page = _environment().from_string(PAGE).render(part=part)
    return " ".join(page.split())


def test_honest_and_boastful_probabilities_read_differently() -> None:
    honest, boastful = text_of(made(300)), text_of(made(300, boast=1.6))
    assert "nothing here speaks against the probabilities" in honest
    assert "on the whole they promise too much" not in honest
    assert "on the whole they promise too much" in boastful
    assert "more than chance explains" in boastful


def test_numbers_stand_there_with_their_intervals() -> None:
    found = made(300)
    text = text_of(found)
    assert found.log_loss_interval is not None
    for number in (found.log_loss, found.log_loss_interval.low, found.brier, found.aurc):
        assert f"{number:.3f}" in text
    for one in (found.equal_mass, found.equal_width):
        assert f"by chance {one.ece_by_chance:.3f}, seldom above {one.ece_by_chance_95:.3f}" in text
    assert f"ECE, {len(found.equal_width.bins)} filled equal-width bins" in text
    assert f"ECE, {len(found.equal_mass.bins)} equal-mass bins" in text


def test_where_thresholds_come_from_is_told() -> None:
    shares, targets = data(300, 1.0)
    units = Units.by_name(range(300), targets)
    chosen = make_calibration(shares, targets, units, data(200, 1.0, seed=1), 1.0)
    assert "were chosen on the run's validation photos" in text_of(chosen)
    assert "on the very faces that they are measured on" in text_of(made(300))
    assert "on the very faces" not in text_of(chosen)


def test_a_threshold_that_is_not_there_is_told() -> None:
    shares = np.full((30, 2), 0.5, np.float32)
    targets = np.arange(30) % 2
    found = make_calibration(shares, targets, Units.by_name(range(30), targets), None, 1.0)
    assert text_of(found).count("no threshold reaches that.") == 3
    found = make_calibration(
        shares, targets, Units.by_name(range(30), targets), (shares, targets), 1.0
    )
    assert "no threshold reaches that on validation." in text_of(found)


def test_a_threshold_under_which_nobody_answers_has_no_error() -> None:
    shares, targets = np.full((30, 2), 0.5, np.float32), np.arange(30) % 2
    validation = np.array([[0.9, 0.1]] * 5, np.float32), np.zeros(5, np.int64)
    units = Units.by_name(range(30), targets)
    text = text_of(make_calibration(shares, targets, units, validation, 1.0))
    assert "of the faces are answered, so no error can be told." in text


def test_the_temperature_is_told() -> None:
    assert "The checkpoint's temperature of 1.370 is applied" in text_of(made(50, temperature=1.37))
    assert "No temperature is stored in the checkpoint" in text_of(made(50))


def test_one_face_has_a_part_too() -> None:
    text = text_of(made(1))
    assert "On 1 face probability" in text
    assert "ECE, 1 equal-mass bin<" in text
    assert "so there are no intervals" in text


def test_pictures_are_in_the_page_and_nothing_else_is_loaded() -> None:
    part = CalibrationPart.of(made(60))
    text = _environment().from_string(PAGE).render(part=part)
    assert text.count('<img src="data:image/png;base64,') == 2
    assert text.count(" alt=") == 2
    assert "style=" not in text
    assert "http" not in text


def test_each_threshold_is_marked_where_it_stands() -> None:
    found = made(300)
    figure = risk_coverage_figure(found)
    (axes,) = figure.axes
    marks = axes.get_lines()[1:]
    rules = [rule for rule in found.rules if rule.coverage is not None]
    assert len(rules) == len(marks) > 0
    for rule, mark in zip(rules, marks, strict=True):
        assert rule.coverage is not None
        assert rule.error is not None
        drawn = np.asarray(mark.get_data()).ravel()
        assert drawn.tolist() == pytest.approx([rule.coverage.value, rule.error.value])
    assert figure.get_size_inches()[0] == WIDTH
