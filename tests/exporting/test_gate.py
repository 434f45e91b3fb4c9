"""The gate, on made-up answers."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.evaluation.subject_maker import make_subject

from emotion.errors import EmotionError
from emotion.evaluation.results import Results
from emotion.exporting.gate import (
    Agreement,
    GateError,
    NotWorthItError,
    Weight,
    require_gain,
    require_little_loss,
    require_same,
    table,
)
from emotion.exporting.timing import Latency

LABELS = ("no", "yes")


def agreement(before: Sequence[float], after: Sequence[float], targets: Sequence[int]) -> Agreement:
    """Makes answers with these probabilities of "yes", each on a photo of its own."""
    subject = make_subject([[target] for target in targets])

    def results(shares: Sequence[float]) -> Results:
        yes = np.array(shares, np.float32)
        rows: NDArray[np.float32] = np.stack([1 - yes, yes], axis=1)
        return Results(subject.samples, rows, LABELS)

    return Agreement.between(results(before), results(after), subject.units())


def test_small_differences_are_let_through() -> None:
    found = agreement([0.2, 0.7, 0.9], [0.20009, 0.7, 0.89991], [0, 1, 1])
    assert found.largest == pytest.approx(9e-5, abs=1e-6)
    require_same(found, "x.onnx")


@pytest.mark.parametrize("after", [0.2002, float("nan")])
def test_a_float_file_that_differs_is_not(after: float) -> None:
    found = agreement([0.2, 0.7], [after, 0.7], [0, 1])
    with pytest.raises(GateError, match=r"x\.onnx: not kept: a probability differs by"):
        require_same(found, "x.onnx")


def test_faces_that_changed_are_named_the_most_different_first() -> None:
    found = agreement([0.2, 0.4, 0.9, 0.8], [0.6, 0.9, 0.9, 0.8003], [0, 0, 1, 1])
    with pytest.raises(GateError) as caught:
        require_same(found, "x.onnx")
    assert str(caught.value).splitlines()[1:] == [
        "1.jpg, face 1: no 0.6000 -> yes 0.9000",
        "0.jpg, face 1: no 0.8000 -> yes 0.6000",
    ]
    assert "2 of 4 answers changed" in str(caught.value)


def test_where_no_answer_changed_the_probabilities_are_named() -> None:
    found = agreement([0.2, 0.7], [0.3, 0.7], [0, 1])
    with pytest.raises(GateError, match=r"\n0\.jpg, face 1: no 0\.8000 -> no 0\.7000$"):
        require_same(found, "x.onnx")


def test_ten_faces_are_named_and_the_others_counted() -> None:
    found = agreement([0.2] * 25, [0.8] * 25, [0] * 25)
    with pytest.raises(GateError) as caught:
        require_same(found, "x.onnx")
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "… and 15 more"


def test_accuracy_may_fall_as_far_as_was_said() -> None:
    before, targets = [0.2] * 100, [0] * 100
    require_little_loss(agreement(before, [0.2] * 99 + [0.8], targets), "x.onnx", 0.01)
    found = agreement(before, [0.2] * 98 + [0.8] * 2, targets)
    with pytest.raises(GateError, match=r"accuracy falls by 0\.0200, from 1\.0000 to 0\.9800"):
        require_little_loss(found, "x.onnx", 0.01)
    require_little_loss(found, "x.onnx", 0.02)


def test_other_answers_that_are_as_right_are_no_loss() -> None:
    require_little_loss(agreement([0.2, 0.8], [0.8, 0.2], [0, 0]), "x.onnx", 0.0)


def cost(megabytes: float, one: float, sixteen: float) -> Weight:
    return Weight(megabytes, Latency(one, sixteen), None)


def test_a_file_that_is_smaller_and_as_fast_is_a_gain() -> None:
    require_gain(cost(2, 5, 50), cost(9, 5, 50), "x.onnx")


@pytest.mark.parametrize(
    ("small", "reason"),
    [
        (cost(9, 1, 1), "it has 9.0 MB and the float file 9.0"),
        (cost(2, 5.2, 1), "one face takes 5.2 ms and 5.0 with the float file"),
        (cost(2, 1, 51), "16 faces take 51.0 ms and 50.0 with the float file"),
    ],
)
def test_a_file_that_is_larger_or_slower_is_none(small: Weight, reason: str) -> None:
    with pytest.raises(
        NotWorthItError, match=f"x.onnx: not kept, since it is not worth it: {reason}"
    ):
        require_gain(small, cost(9, 5, 50), "x.onnx")


def test_refusals_are_mistakes_without_a_traceback() -> None:
    assert issubclass(GateError, EmotionError)
    assert issubclass(NotWorthItError, EmotionError)


def test_the_table_tells_agreement_interval_and_costs() -> None:
    found = agreement([0.2, 0.7, 0.9], [0.2, 0.4, 0.9], [0, 1, 1])
    text = table(found, {"checkpoint": cost(36, 50, 170), "onnx": Weight(8.9, Latency(5, 50), 99)})
    assert "on 3 faces in 3 photos:" in text
    assert "same answers                         2 of 3 (66.7%)" in text
    assert "1.0000 -> 0.6667, difference -0.3333 [" in text
    assert text.splitlines()[-2].split() == ["checkpoint", "36.00", "50.0", "170.0", "?"]
    assert text.splitlines()[-1].split() == ["onnx", "8.90", "5.0", "50.0", "99"]
