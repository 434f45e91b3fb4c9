"""Drawn scenes: what the sample data set and the tests may rely on."""

import itertools

import numpy as np
import pytest

from emotion.faces.boxes import Box
from emotion.faces.detectors import DlibDetector
from emotion.sketches.scenes import EXPRESSIONS, Scene, draw_scene


def drawn(*seed: int, labels: tuple[str, ...] | None = None) -> Scene:
    return draw_scene(np.random.default_rng(seed), labels)


def test_the_same_generator_gives_the_same_bytes() -> None:
    first, second = drawn(1, 2), drawn(1, 2)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.faces == second.faces


def test_different_generators_give_different_scenes() -> None:
    images = {drawn(1, k, labels=("smile",)).image.tobytes() for k in range(4)}
    assert len(images) == 4


@pytest.mark.parametrize("seed", range(3))
def test_an_image_is_a_contiguous_rgb_picture(seed: int) -> None:
    image = drawn(6, seed).image
    height, width, channels = image.shape
    assert image.dtype == np.uint8
    assert channels == 3
    assert 480 <= width <= 640
    assert height == width * 3 // 4
    assert image.flags.c_contiguous


@pytest.mark.parametrize(
    "labels",
    [
        *((label,) for label in EXPRESSIONS),
        ("sad", "smile"),
        ("anger", "anger"),
        ("surprise", "neutral", "anger"),
        ("smile", "sad", "smile"),
    ],
)
def test_asked_labels_come_in_order_in_disjoint_boxes(labels: tuple[str, ...]) -> None:
    for seed in range(2):
        scene = drawn(7, seed, labels=labels)
        height, width = scene.image.shape[:2]
        boxes = [Box(*face.box) for face in scene.faces]
        assert tuple(face.label for face in scene.faces) == labels
        assert [box.left for box in boxes] == sorted(box.left for box in boxes)
        for box in boxes:
            assert box.inside(width, height)
            assert min(box.width, box.height) >= 90
        for first, second in itertools.combinations(boxes, 2):
            assert first.common_with(second) is None


def test_a_list_of_labels_will_do() -> None:
    scene = draw_scene(np.random.default_rng(8), ["sad", "smile"])
    assert [face.label for face in scene.faces] == ["sad", "smile"]


def test_without_labels_there_are_one_to_three_known_ones() -> None:
    scenes = [drawn(9, k) for k in range(24)]
    assert {len(scene.faces) for scene in scenes} == {1, 2, 3}
    assert {face.label for scene in scenes for face in scene.faces} == set(EXPRESSIONS)


def test_an_unknown_label_is_named() -> None:
    with pytest.raises(ValueError, match="disgust"):
        drawn(10, labels=("smile", "disgust"))


@pytest.mark.parametrize("count", [0, 4])
def test_other_counts_than_one_to_three_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="one to three"):
        drawn(11, labels=("smile",) * count)


@pytest.mark.slow
def test_dlib_finds_95_of_100_faces_where_they_were_drawn() -> None:
    detector = DlibDetector()
    found: list[bool] = []
    for seed in range(90):
        scene = drawn(12, seed)
        detections = detector.detect(scene.image)
        for face in scene.faces:
            box = Box(*face.box)
            found.append(any(box.iou(detection.box) >= 0.4 for detection in detections))
    assert len(found) >= 100
    assert np.mean(found) >= 0.95
