"""The detector: finds drawn faces, whatever way the pixels lie in memory and on any thread."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emotion.errors import ConfigError
from emotion.faces.boxes import Box
from emotion.faces.detectors import FILE, VIEWS, Detection, DlibDetector
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.sketches.scenes import Scene, draw_scene


@cache
def scene(number: int, *labels: str) -> Scene:
    """Draws a scene; nobody changes it."""
    return draw_scene(np.random.default_rng([0, number]), labels or ["smile"])


@pytest.fixture(scope="module")
def detector() -> DlibDetector:
    return DlibDetector()


@pytest.mark.parametrize("number", range(4))
def test_a_drawn_face_is_found_where_it_was_drawn(detector: DlibDetector, number: int) -> None:
    drawn = scene(number)
    found = detector.detect(drawn.image)
    assert len(found) == 1
    assert Box(*drawn.faces[0].box).iou(found[0].box) > 0.4
    assert found[0].score > 0


def test_faces_come_from_left_to_right(detector: DlibDetector) -> None:
    drawn = scene(0, "smile", "sad", "anger")
    found = detector.detect(drawn.image)
    assert len(found) == 3
    for face, detection in zip(drawn.faces, found, strict=True):
        assert Box(*face.box).iou(detection.box) > 0.4


@pytest.mark.parametrize("shape", [(200, 300), (1, 1), (1, 400), (400, 1)])
def test_nothing_is_found_where_nothing_is(detector: DlibDetector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.full((*shape, 3), 128, np.uint8)) == []


def test_pixels_that_lie_apart_in_memory_are_the_same_picture(detector: DlibDetector) -> None:
    image = scene(1).image
    apart = np.asfortranarray(image)
    assert not apart.flags.c_contiguous
    assert detector.detect(apart) == detector.detect(image)


def test_a_mirrored_view_is_searched_and_not_what_it_looks_at(detector: DlibDetector) -> None:
    drawn = scene(1)
    left, top, right, bottom = drawn.faces[0].box
    width = drawn.image.shape[1]
    (found,) = detector.detect(drawn.image[:, ::-1])
    assert Box(width - right, top, width - left, bottom).iou(found.box) > 0.4


def test_a_read_only_picture_is_searched(detector: DlibDetector) -> None:
    image = scene(1).image.copy()
    image.flags.writeable = False
    assert len(detector.detect(image)) == 1


def test_a_grey_picture_is_searched(detector: DlibDetector) -> None:
    drawn = scene(2)
    grey = drawn.image.mean(axis=2).astype(np.uint8)
    expected = Box(*drawn.faces[0].box)
    for image in (grey, np.repeat(grey[..., None], 3, axis=2)):
        (found,) = detector.detect(image)
        assert expected.iou(found.box) > 0.4


def test_a_box_ends_at_the_border(detector: DlibDetector) -> None:
    drawn = scene(3)
    left, top, right, bottom = drawn.faces[0].box
    # So little is cut off that the face is still found, and its box would reach beyond.
    cut = (bottom - top) // 8
    boxes = []
    for image in (
        drawn.image[: bottom - cut],
        drawn.image[top + cut :],
        drawn.image[:, : right - cut],
        drawn.image[:, left + cut :],
    ):
        height, width = image.shape[:2]
        boxes += [(found.box, width, height) for found in detector.detect(image)]
    assert all(box.inside(width, height) for box, width, height in boxes)
    touching = [
        box.left == 0 or box.top == 0 or box.right == width or box.bottom == height
        for box, width, height in boxes
    ]
    assert any(touching)


def test_a_higher_threshold_leaves_the_surer_faces() -> None:
    image = scene(0, "smile", "sad", "anger").image
    found = DlibDetector().detect(image)
    scores = sorted(detection.score for detection in found)
    limit = (scores[0] + scores[1]) / 2
    surer = DlibDetector(threshold=limit).detect(image)
    assert surer == [detection for detection in found if detection.score > limit]
    assert len(surer) == 2


def test_small_faces_are_found_in_a_doubled_picture() -> None:
    drawn = scene(0)
    left, top, right, bottom = drawn.faces[0].box
    scale = 50 / (right - left)  # a face of 50 pixels
    height, width = (round(side * scale) for side in drawn.image.shape[:2])
    small = np.asarray(Image.fromarray(drawn.image).resize((width, height)))
    assert DlibDetector().detect(small) == []
    (found,) = DlibDetector(upsample=1).detect(small)
    left, top, right, bottom = (round(edge * scale) for edge in drawn.faces[0].box)
    assert Box(left, top, right, bottom).iou(found.box) > 0.4  # in pixels of the small picture


@pytest.mark.parametrize("upsample", [-1, 4, 1.5, "1"])
def test_other_numbers_of_doublings_are_refused(upsample: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^upsample: expected 0, 1, 2 or 3, got {upsample}$"):
        DlibDetector(upsample)


def test_one_detector_gives_the_same_boxes_on_two_threads() -> None:
    images: list[NDArray[np.uint8]] = [scene(k, "smile", "sad").image for k in range(3)]
    alone = [DlibDetector().detect(images[0])]
    detector = DlibDetector()
    alone += [detector.detect(image) for image in images[1:]]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(detector.detect, images * 2))
    assert together == alone * 2
    assert all(len(found) == 2 for found in alone)


def test_a_detection_tells_which_view_found_it(detector: DlibDetector) -> None:
    for number in range(4):
        (found,) = detector.detect(scene(number).image)
        assert found.view in VIEWS
    assert Detection(Box(0, 0, 1, 1), 1.0).view == ""  # of a detector that has none


@pytest.mark.parametrize(("degrees", "view"), [(30, "tilted left"), (-30, "tilted right")])
def test_a_head_that_leans_to_one_side_is_found_by_that_view(
    detector: DlibDetector, degrees: int, view: str
) -> None:
    # Anticlockwise, the top of the head goes to the left.
    views = []
    for number in range(6):
        image = Image.fromarray(scene(number).image)
        turned = image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128))
        views += [found.view for found in detector.detect(np.asarray(turned))]
    assert len(views) >= 3
    assert views.count(view) > len(views) / 2


@pytest.mark.slow
def test_real_heads_that_are_turned_are_found_by_the_view_of_that_side(
    shared: Path, detector: DlibDetector
) -> None:
    photos = read_folder(shared / "data/faces5/test").photos[::8]
    for degrees, view in ((30, "tilted left"), (0, "ahead"), (-30, "tilted right")):
        views = []
        for photo in photos:
            turned = Image.fromarray(read_image(photo.image)).rotate(degrees, expand=True)
            found = detector.detect(np.asarray(turned))
            views += [max(found, key=lambda face: face.score).view] if found else []
        assert len(views) > 0.6 * len(photos)
        assert views.count(view) > 0.6 * len(views)


@pytest.mark.slow
def test_faces_of_real_photos_are_found(shared: Path, detector: DlibDetector) -> None:
    with_faces = hits = annotated = 0
    for photo in read_folder(shared / "data/nota24").photos:
        image = read_image(photo.image)
        found = detector.detect(image)
        with_faces += bool(found)
        annotated += len(photo.faces)
        hits += sum(any(face.box.iou(d.box) > 0.4 for d in found) for face in photo.faces)
        assert all(d.box.inside(image.shape[1], image.shape[0]) for d in found)
    assert annotated == 28
    assert with_faces >= 20
    assert hits >= 20


@pytest.mark.slow
def test_a_real_face_is_found_where_dlib_alone_finds_it(
    shared: Path, detector: DlibDetector
) -> None:
    image = read_image(shared / "data/nota24/img/1.1.jpg")
    (found,) = detector.detect(image)
    assert found.box.to_inclusive() == (321, 32, 692, 404)


def test_the_file_holds_dlibs_own_detector() -> None:
    assert pickle.dumps(dlib.fhog_object_detector(str(FILE))) == pickle.dumps(
        dlib.get_frontal_face_detector()
    )


def test_where_the_file_cannot_be_read_dlib_unpacks_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = scene(0).image
    expected = DlibDetector().detect(drawn)
    for name, content in (("absent.svm", None), ("damaged.svm", b"x" * 99)):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr("emotion.faces.detectors.FILE", path)
        assert DlibDetector().detect(drawn) == expected
