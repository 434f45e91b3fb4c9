"""What a prediction says, and how it becomes a record; expected values written by hand."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.predictions import NO_FACE, FacePrediction, Prediction

FACE = FacePrediction(
    Detection(Box(10, 0, 20, 12), 0.51, "ahead"), {"neutral": 0.25, "anger": 0.75}, 2
)
KEYS = [
    *("source", "frame", "time", "face", "box", "detector_score", "answer", "emotion"),
    *("probabilities", "raw_probabilities", "reason"),
]


def test_a_record_names_first_and_last_pixels() -> None:
    (record,) = Prediction("a.png", (FACE,), None, True).records()
    assert record == {
        "source": "a.png",
        "frame": None,
        "time": None,
        "face": 2,
        "box": {"xmin": 10, "ymin": 0, "xmax": 19, "ymax": 11},
        "detector_score": 0.51,
        "answer": "anger",
        "emotion": "anger",
        "probabilities": {"neutral": 0.25, "anger": 0.75},
        "raw_probabilities": None,
        "reason": None,
    }
    assert list(record) == KEYS


def test_without_a_face_there_is_one_record_with_the_same_keys() -> None:
    (record,) = Prediction("a.png", (), NO_FACE, True).records()
    assert list(record) == KEYS
    assert {key for key, value in record.items() if value is not None} == {"source", "reason"}


def test_a_frame_has_number_time_and_raw_values() -> None:
    face = replace(FACE, raw={"neutral": 0.5, "anger": 0.5})
    (record,) = Prediction("a.mp4", (face,), None, True, frame=3, time=0.123456).records()
    assert (record["frame"], record["time"]) == (3, 0.1235)
    assert record["raw_probabilities"] == {"neutral": 0.5, "anger": 0.5}


def test_of_equal_emotions_the_first_is_named() -> None:
    probabilities = {"neutral": 0.2, "anger": 0.4, "surprise": 0.4}
    assert replace(FACE, probabilities=probabilities).emotion == "anger"


@pytest.mark.parametrize(
    ("threshold", "answer"), [(None, "anger"), (0.0, "anger"), (0.75, "anger"), (0.76, "unsure")]
)
def test_below_the_threshold_the_answer_is_unsure(threshold: float | None, answer: str) -> None:
    face = replace(FACE, threshold=threshold)
    assert (face.answer, face.emotion) == (answer, "anger")


def test_predictions_print_well() -> None:
    unsure = replace(FACE, threshold=0.9)
    assert str(Prediction("a.png", (FACE, unsure), None, True)) == (
        "a.png\n  face 2 at 10,0 10 x 12: anger 75%\n  face 2 at 10,0 10 x 12: unsure (anger 75%)"
    )
    assert str(Prediction("", (), NO_FACE, True)) == "picture\n  no face found"
    assert str(Prediction("a.mp4", (), NO_FACE, True, 3, 1.5)).startswith("a.mp4 at 1.50 s\n")


def test_a_prediction_becomes_a_dictionary() -> None:
    content = Prediction("a.png", (FACE, FACE), None, True).to_dict()
    assert list(content) == ["source", "frame", "time", "reason", "faces"]
    assert [face["face"] for face in content["faces"]] == [2, 2]
    assert "source" not in content["faces"][0]
    assert Prediction("a.png", (), NO_FACE, True).to_dict()["faces"] == []


@given(score=st.floats(-5, 5), values=st.lists(st.floats(0, 1, width=32), min_size=5, max_size=5))
def test_records_are_json(score: float, values: list[float]) -> None:
    named = dict(zip("abcde", values, strict=True))
    face = FacePrediction(Detection(Box(0, 0, 1, 1), score), named, raw=named)
    for prediction in (
        Prediction("웃음.jpg", (face, face), None, True),
        Prediction("a.jpg", (), "a.jpg: empty file", False),
    ):
        records = prediction.records()
        assert json.loads(json.dumps(records, allow_nan=False)) == records
