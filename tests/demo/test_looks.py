import io

import numpy as np
from PIL import Image
from tests.demo.visitors import scene

from emotion.demo.looks import FACE_SIDE, draw_small, face_picture, from_jpeg, shrunk, to_jpeg
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.drawn.drawing import draw_predictions
from emotion.inference.predictions import FacePrediction

FACE = FacePrediction(Detection(Box(8, 30, 72, 94), 0.5), {"smile": 0.7, "sad": 0.3})


def test_a_picture_comes_back_from_its_file() -> None:
    image = scene(1, 4)
    difference = from_jpeg(to_jpeg(image)).astype(int) - image
    assert np.abs(difference).mean() < 2


def test_only_large_pictures_shrink_and_keep_their_shape() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    assert shrunk(image, 300) is image
    assert shrunk(image, 150).shape == (50, 150, 3)
    assert shrunk(np.zeros((3000, 2, 3), np.uint8), 100).shape == (100, 1, 3)


def test_boxes_are_drawn_where_the_face_is_on_the_small_copy() -> None:
    image = np.full((640, 960, 3), 90, np.uint8)
    found = FacePrediction(Detection(Box(40, 120, 280, 360), 1.0), FACE.probabilities)
    small = shrunk(image, 480)
    drawn = from_jpeg(draw_small(small, (960, 640), [found]))
    expected = draw_predictions(
        small, [FacePrediction(Detection(Box(20, 60, 140, 180), 1.0), FACE.probabilities)]
    )
    assert np.abs(drawn.astype(int) - expected).mean() < 3
    assert np.abs(drawn.astype(int) - 90).max() > 60


def test_a_tiny_face_survives_shrinking() -> None:
    found = FacePrediction(Detection(Box(500, 500, 501, 501), 1.0), FACE.probabilities)
    draw_small(np.zeros((10, 10, 3), np.uint8), (1000, 1000), [found])


def test_a_face_is_cut_out_with_a_margin_and_small() -> None:
    image = np.zeros((1000, 1000, 3), np.uint8)
    image[200:800, 200:800] = 255
    cut = Image.open(io.BytesIO(face_picture(image, Box(200, 200, 800, 800))))
    assert cut.size == (FACE_SIDE, FACE_SIDE)
    pixels = np.asarray(cut)
    assert pixels[5, 5].max() < 20
    assert pixels[FACE_SIDE // 2, FACE_SIDE // 2].min() > 235
