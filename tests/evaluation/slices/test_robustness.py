"""Robustness: every face once at each strength, scored as scipy and hand counts say."""

import json

import numpy as np
import pytest
from jinja2 import Environment
from numpy.typing import NDArray
from tests.evaluation.subject_maker import make_results, make_subject

from emotion.data.corruptions import CORRUPTIONS, corrupt
from emotion.evaluation.intervals import Units
from emotion.evaluation.results import BATCH, Asking, Results
from emotion.evaluation.slices.robustness import (
    Robustness,
    RobustnessPart,
    RobustnessResult,
    robustness_figure,
)
from emotion.faces.inputs import InputSpec
from emotion.pages import rendering

LABELS = ("dark", "grey", "light")
SETTINGS = {"add": ("a little", "more", "most"), "keep": ("nothing", "nothing still")}
Crops = NDArray[np.uint8]


class ByBrightness:
    """Answers by the mean of all pixels, and counts what it was asked."""

    def __init__(self) -> None:
        self.input = InputSpec(labels=LABELS, size=64)
        self.asked = 0

    def probabilities(self, pixels: Crops) -> NDArray[np.float32]:
        assert pixels.dtype == np.uint8
        assert pixels.shape[1:] == (64, 64, 3)
        self.asked += len(pixels)
        means = pixels.mean(axis=(1, 2, 3))
        rows: NDArray[np.float32] = np.eye(3, dtype=np.float32)[np.searchsorted([85, 170], means)]
        return rows


def brighten(pixels: Crops, name: str, strength: int, index: int) -> Crops:
    """At strength 1, 2, 3 every fourth, second or each face becomes white."""
    if name == "keep" or index % (4, 2, 1)[strength - 1]:
        return pixels
    return np.full_like(pixels, 255)


def crops_of(targets: NDArray[np.int64]) -> Crops:
    return np.stack([np.full((64, 64, 3), 40 + 85 * target, np.uint8) for target in targets])


def asked(targets: NDArray[np.int64]) -> tuple[Robustness, Results, Units]:
    """Shows faces as an evaluation does: batch by batch, before the classifier is asked."""
    subject = make_subject([[int(target)] for target in targets])
    classifier = ByBrightness()
    robustness = Robustness(classifier, brighten, SETTINGS)
    asking = Asking(classifier, robustness.watch)
    for crop in crops_of(targets):
        asking.add([crop])
    results = Results(subject.samples, asking.finish(), LABELS)
    assert classifier.asked == 6 * len(targets)  # clean, and five times corrupted
    return robustness, results, subject.units()


def page(result: RobustnessResult) -> str:
    environment: Environment = rendering._environment()
    source = '{% from "report_robustness.html" import robustness %}{{ robustness(part) }}'
    part = RobustnessPart(result, "data:image/png;base64,AA==")
    return " ".join(environment.from_string(source).render(part=part).split())


TARGETS = np.array([0, 0, 0, 2] * 24)  # 96 faces: several batches; a quarter is light


def test_each_face_is_corrupted_once_a_strength_and_scored() -> None:
    assert len(TARGETS) > 2 * BATCH, "a face's index goes on from batch to batch"
    robustness, results, units = asked(TARGETS)
    found = robustness.result(results, units)
    assert (found.faces, found.units, found.unit) == (96, 96, "photo")
    assert found.clean.value == 1
    assert found.guess == 0.75
    # White faces are answered "light": of every four, the light one is the fourth.
    accuracies = [level.accuracy.value for level in found.corruptions["add"]]
    assert accuracies == [0.75, 0.5, 0.25]
    changes = [level.change.value for level in found.corruptions["add"]]
    assert changes == [-0.25, -0.5, -0.75]
    assert [level.accuracy.value for level in found.corruptions["keep"]] == [1, 1]
    assert [level.setting for level in found.corruptions["add"]] == list(SETTINGS["add"])
    assert [level.strength for level in found.corruptions["add"]] == [1, 2, 3]
    assert found.worst == "add"
    assert found.harmless == ("keep",)


def test_intervals_are_those_of_paired_shares() -> None:
    robustness, results, units = asked(np.tile(TARGETS, 4))
    level = robustness.result(results, units).corruptions["add"][0]
    # Strata are the classes: of 288 dark faces a third is lost, of 96 light ones none.
    error = 0.75 * np.sqrt(1 / 3 * 2 / 3 / 288)
    for interval, value in ((level.accuracy, 0.75), (level.change, -0.25)):
        assert interval.value == pytest.approx(value)
        assert interval.low == pytest.approx(value - 1.96 * error, abs=0.005)
        assert interval.high == pytest.approx(value + 1.96 * error, abs=0.005)


def test_no_change_at_all_may_still_be_one_elsewhere() -> None:
    robustness, results, units = asked(TARGETS)
    for level in robustness.result(results, units).corruptions["keep"]:
        assert level.change.value == 0
        assert level.change.low == -level.change.high < 0
        assert level.change.high == pytest.approx(1 - 0.025 ** (1 / 96))  # Clopper and Pearson


def test_clean_accuracy_is_that_of_the_report() -> None:
    subject = make_subject([[0], [1], [2], [1]])
    robustness = Robustness(ByBrightness(), brighten, SETTINGS)
    robustness.watch(crops_of(np.array([0, 1, 2, 1])))
    results = make_results(subject, [0, 1, 0, 0], LABELS)
    found = robustness.result(results, subject.units())
    assert found.clean.value == 0.5
    assert found.corruptions["keep"][0].change.value == 0.5  # it was asked about other crops


def test_a_face_that_was_not_seen_is_noticed() -> None:
    robustness, results, units = asked(TARGETS)
    robustness.watch(crops_of(TARGETS[:1]))
    with pytest.raises(AssertionError, match="exactly once"):
        robustness.result(results, units)


def test_one_face_has_its_result() -> None:
    robustness, results, units = asked(np.array([1]))
    found = robustness.result(results, units)
    assert found.clean.value == 1
    assert found.corruptions["add"][2].accuracy.value == 0
    assert "1 face" in page(found)


def test_real_corruptions_run_through() -> None:
    subject = make_subject([[0], [1], [2]])
    robustness = Robustness(ByBrightness(), corrupt)
    robustness.watch(crops_of(np.array([0, 1, 2])))
    results = make_results(subject, [0, 1, 2], LABELS)
    found = robustness.result(results, subject.units())
    assert list(found.corruptions) == list(CORRUPTIONS)
    assert found.corruptions["dark"][2].accuracy.value < 1
    assert found.corruptions["blur"][2].accuracy.value == 1  # a plain crop stays what it was


def test_plain_values_are_json() -> None:
    robustness, results, units = asked(TARGETS)
    found = robustness.result(results, units).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))
    assert found["corruptions"]["add"][1]["accuracy"]["value"] == 0.5
    assert robustness.result(results, units).to_dict() == found


def test_the_page_says_what_costs_and_what_does_not() -> None:
    robustness, results, units = asked(TARGETS)
    text = page(robustness.result(results, units))
    assert "Clean, 100&nbsp;% of the faces are named rightly" in text
    assert "add at its strongest (most): 25&nbsp;% are left" in text
    assert "always answering the most frequent class (75&nbsp;%)" in text
    assert "at any strength: keep." in text
    assert "−75.0" in text
    assert "[−" in text
    assert 'id="robustness"' in text
    assert " style=" not in text


def test_the_page_of_a_robust_classifier_claims_no_loss() -> None:
    subject = make_subject([[int(target)] for target in TARGETS])
    robustness = Robustness(ByBrightness(), brighten, {"keep": SETTINGS["keep"]})
    robustness.watch(crops_of(TARGETS))
    results = make_results(subject, TARGETS.tolist(), LABELS)
    text = page(robustness.result(results, subject.units()))
    assert "costs no more than chance explains" in text


def test_the_figure_is_of_the_result() -> None:
    robustness, results, units = asked(TARGETS)
    figure = robustness_figure(robustness.result(results, units))
    lines = {
        str(line.get_label()): np.asarray(line.get_ydata()).tolist()
        for line in figure.axes[0].lines
    }
    assert lines["add"] == [1, 0.75, 0.5, 0.25]
    assert lines["keep"] == [1, 1, 1]
    assert lines["best constant guess"] == [0.75, 0.75]
