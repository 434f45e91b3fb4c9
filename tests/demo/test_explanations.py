"""Why an answer is what it is, and where the network looked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from tests.demo.visitors import model, scene

from emotion.demo.explanations import Explainer, can_explain, circumstances, why
from emotion.demo.faces import Face, face_of
from emotion.demo.looks import from_jpeg
from emotion.errors import ConfigError
from emotion.experiments.outcome import RunResult
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.faces.inputs import InputSpec
from emotion.inference.predictions import FacePrediction
from emotion.models import open_model

SHARES = {"neutral": 0.1, "anger": 0.0, "surprise": 0.3, "smile": 0.55, "sad": 0.05}


INSIDE = Box(8, 30, 72, 94)


def face(threshold: float | None = None, box: Box = INSIDE, view: str = "") -> Face:
    found = FacePrediction(Detection(box, 1.26, view), SHARES, 1, threshold)
    return face_of(scene(1), found, InputSpec(size=64))


def test_an_answer_is_explained_by_the_two_most_probable_classes() -> None:
    told = why(face().prediction)
    assert told == "Most probable is smile with 55%; next is surprise with 30%."
    assert why(face(0.5).prediction) == told


def test_unsure_is_explained_by_the_threshold() -> None:
    told = why(face(0.6).prediction)
    assert told.startswith("Most probable is smile with 55%; next is surprise with 30%.")
    assert "less than the 60% that an answer needs here, so it stays unsure" in told


def test_a_model_of_one_class_has_no_second() -> None:
    only = FacePrediction(Detection(Box(0, 0, 9, 9), 1.0), {"smile": 1.0})
    assert why(only) == "Most probable is smile with 100%."


def test_circumstances_are_told() -> None:
    assert circumstances(face()) == ["64 x 64 pixels", "detector's score 1.3"]
    seen = replace(face(box=Box(0, 30, 72, 94), view="looking left"), time=2.34)
    assert circumstances(seen)[2:] == [
        "pose: looking left",
        "cut off by the border",
        "the surest of its frames, at 2.3 s",
    ]


def test_a_heat_map_is_laid_over_the_crop_and_the_same_for_several_at_once(
    run_result: RunResult,
) -> None:
    opened = open_model(run_result.checkpoint, "cpu")
    explainer = Explainer()
    assert can_explain(opened)
    size = opened.classifier.input.size
    seen = replace(face(), pixels=np.random.default_rng(0).integers(
        0, 256, (size, size, 3), dtype=np.uint8
    ))  # fmt: skip
    alone = explainer.heat_map(opened, seen)
    assert from_jpeg(alone).shape == (size, size, 3)
    other = replace(seen, pixels=255 - seen.pixels)
    assert explainer.heat_map(opened, other) != alone
    with ThreadPoolExecutor(4) as pool:
        asked = [seen, other] * 4
        made = list(pool.map(lambda each: explainer.heat_map(opened, each), asked))
    assert made == [alone, explainer.heat_map(opened, other)] * 4


def test_an_exported_model_has_no_heat_maps() -> None:
    assert not can_explain(model())


def test_without_captum_the_way_out_is_told(
    run_result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    opened = open_model(run_result.checkpoint, "cpu")
    with pytest.raises(ConfigError, match=r"pip install 'emotion\[heatmaps\]'"):
        Explainer().heat_map(opened, face())
