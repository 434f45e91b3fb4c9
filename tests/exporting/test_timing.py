"""Latency and memory."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.exports import Exported, faces

import emotion.exporting.timing
from emotion.exporting.memory import STATUS, measure_memory
from emotion.exporting.timing import time_classifiers
from emotion.faces.inputs import InputSpec


class Sleeping:
    """Takes a given time for each face."""

    def __init__(self, seconds: float) -> None:
        self.input, self.seconds = InputSpec(size=64), seconds
        self.batches: list[int] = []

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pixels))
        time.sleep(self.seconds * len(pixels))
        return np.full((len(pixels), 5), 0.2, np.float32)


def test_medians_are_those_of_one_face_and_of_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotion.exporting.timing, "SECONDS", 0)
    slow, fast = Sleeping(0.004), Sleeping(0.001)
    found = time_classifiers({"slow": slow, "fast": fast}, faces(3))
    assert set(slow.batches) == {1, 16}
    assert 4 <= found["slow"].one < 30
    assert 64 <= found["slow"].sixteen < 200
    assert found["fast"].one < found["slow"].one
    assert found["fast"].sixteen < found["slow"].sixteen


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell memory")
def test_onnxruntime_adds_less_memory_than_torch(exported: Exported) -> None:
    light, heavy = measure_memory(exported.onnx), measure_memory(exported.checkpoint)
    assert light is not None
    assert heavy is not None
    assert 10 < light < 200
    assert heavy > 2 * light
