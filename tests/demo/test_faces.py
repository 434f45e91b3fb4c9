import numpy as np
from tests.demo.visitors import scene

from emotion.demo.faces import face_of
from emotion.demo.looks import from_jpeg
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.faces.inputs import InputSpec
from emotion.inference.predictions import FacePrediction


def face_at(box: Box) -> FacePrediction:
    return FacePrediction(Detection(box, 0.5), {"smile": 0.7, "sad": 0.3}, threshold=0.5)


def test_a_face_is_kept_as_the_network_saw_it() -> None:
    image, spec = scene(2), InputSpec(size=64)
    face = face_of(image, face_at(Box(8, 30, 72, 94)), spec)
    np.testing.assert_array_equal(face.pixels, spec.pixels(image, Box(8, 30, 72, 94)))
    assert from_jpeg(face.picture).shape == (96, 88, 3)  # a quarter more, as far as there is
    assert face.time is None
    assert not face.truncated


def test_a_face_at_the_border_is_cut_off() -> None:
    spec = InputSpec(size=64)
    assert face_of(scene(2), face_at(Box(0, 30, 72, 94)), spec).truncated
    assert face_of(scene(2), face_at(Box(100, 30, 240, 94)), spec).truncated


def test_another_threshold_changes_only_the_answer() -> None:
    face = face_of(scene(2), face_at(Box(8, 30, 72, 94)), InputSpec(size=64), time=1.5)
    other = face.below(0.8)
    assert (face.prediction.answer, other.prediction.answer) == ("smile", "unsure")
    assert other.prediction.probabilities == face.prediction.probabilities
    assert (other.pixels is face.pixels, other.time) == (True, 1.5)
