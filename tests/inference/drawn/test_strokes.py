"""Lines and letters in pixels: just inside the box, and as strong as the mask says."""

import numpy as np
import pytest

from emotion.faces.boxes import Box
from emotion.inference.drawn.strokes import blend_text, draw_frame


@pytest.mark.parametrize("line", [1, 3])
def test_a_frame_lies_just_inside_its_box(line: int) -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    draw_frame(image, Box(10, 5, 30, 35), line, (1, 2, 3))
    expected = np.zeros((40, 50), bool)
    expected[5:35, 10:30] = True
    expected[5 + line : 35 - line, 10 + line : 30 - line] = False
    assert np.array_equal((image == (1, 2, 3)).all(axis=-1), expected)
    assert not image[~expected].any()


def test_a_dashed_frame_has_its_corners_and_is_the_same_from_both_ends() -> None:
    image = np.zeros((60, 61, 3), np.uint8)
    draw_frame(image, Box(0, 0, 61, 60), 2, (9, 9, 9), dash=4)
    edge = image[0, :, 0]
    assert edge[:8].all()
    assert not edge[8:12].any()
    assert np.array_equal(edge, edge[::-1])


def test_text_is_mixed_with_the_ground_and_cut_off_at_its_border() -> None:
    ground = np.full((2, 3, 3), 100, np.uint8)
    mask = np.array([[0, 255, 51, 255]] * 4, np.uint8)
    blend_text(ground, mask, 200)
    assert ground[:, :, 0].tolist() == [[100, 200, 120]] * 2


def test_text_beyond_the_ground_changes_nothing() -> None:
    ground = np.full((0, 3, 3), 100, np.uint8)
    blend_text(ground, np.full((4, 4), 255, np.uint8), 0)
    assert ground.shape == (0, 3, 3)
