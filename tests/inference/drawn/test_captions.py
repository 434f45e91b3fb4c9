"""What is written beside a face: the answer in words, doubt said plainly, nothing too wide."""

import pytest

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.drawn.captions import label_of, panel_size, title_of
from emotion.inference.drawn.fonts import text_width
from emotion.inference.predictions import FacePrediction


def face(smile: float, threshold: float | None = None, number: int = 1) -> FacePrediction:
    probabilities = {"neutral": 1 - smile, "smile": smile}
    return FacePrediction(Detection(Box(0, 0, 9, 9), 1.0), probabilities, number, threshold)


def test_a_title_names_the_answer_with_its_percentage() -> None:
    assert title_of(face(0.87)) == "smile 87%"
    assert title_of(face(0.61, 0.7)) == "unsure · smile 61%"


@pytest.mark.parametrize(
    ("width", "short", "expected"),
    [(500, False, "3 unsure · smile 61%"), (500, True, "3 unsure · smile"), (38, True, "smile?")],
)
def test_a_label_says_as_much_as_fits(width: int, short: bool, expected: str) -> None:
    assert label_of(face(0.61, 0.7, number=3), 12, width, short, numbered=True) == expected


@pytest.mark.parametrize("width", range(0, 200, 7))
def test_a_label_is_never_wider_than_allowed(width: int) -> None:
    label = label_of(face(0.61, 0.7), 12, width, short=False, numbered=True)
    assert label == "" or text_width(label, 12) <= width


def test_a_panel_keeps_its_size_whatever_the_percentages() -> None:
    assert panel_size(face(0.99, 0.5), 20, True) == panel_size(face(0.51, 0.5), 20, True)
    assert panel_size(face(0.9), 20, True)[0] > panel_size(face(0.9), 20, False)[0]
