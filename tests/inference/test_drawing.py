"""Drawing: the answers are on the photo, and the photo stays what it was."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageColor

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.drawing import COLOURS, draw_predictions
from emotion.inference.pipeline import FacePrediction

LABELS = ("neutral", "anger", "surprise", "smile", "sad")


def answer(box: Box, emotion: str = "smile", labels: tuple[str, ...] = LABELS) -> FacePrediction:
    rest = 0.4 / (len(labels) - 1)
    return FacePrediction(
        Detection(box, 1.0), {label: 0.6 if label == emotion else rest for label in labels}
    )


def grey(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def colour_of(emotion: str) -> tuple[int, ...]:
    return ImageColor.getrgb(COLOURS[LABELS.index(emotion)])


def test_the_photo_is_not_written_to() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    before = image.copy()
    drawn = draw_predictions(image, [answer(Box(40, 30, 90, 80))])
    assert np.array_equal(image, before)
    assert not np.array_equal(drawn, before)
    assert not np.shares_memory(drawn, image)


def test_without_faces_the_photo_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3)).astype(np.uint8)
    assert np.array_equal(draw_predictions(image, []), image)


def test_a_read_only_view_can_be_drawn_on() -> None:
    image = grey(200, 200)[::-1, ::2]
    image.flags.writeable = False
    assert draw_predictions(image, [answer(Box(10, 10, 60, 60))]).shape == (200, 100, 3)


@pytest.mark.parametrize(
    ("height", "width", "box"),
    [
        (20, 20, Box(0, 0, 20, 20)),
        (20, 20, Box(8, 8, 9, 9)),
        (1, 1, Box(0, 0, 1, 1)),
        (2000, 3000, Box(1000, 500, 1800, 1300)),
        (2000, 3000, Box(5, 5, 6, 6)),
        (30, 2000, Box(900, 2, 920, 28)),
        (2000, 30, Box(2, 900, 28, 920)),
    ],
)
def test_pictures_of_any_size_are_drawn_on(height: int, width: int, box: Box) -> None:
    drawn = draw_predictions(grey(height, width), [answer(box)])
    assert drawn.shape == (height, width, 3)
    assert drawn.dtype == np.uint8
    assert (drawn != 128).any()


@pytest.mark.parametrize("left", [0, 220, 440])
@pytest.mark.parametrize("top", [0, 150, 300])
def test_a_face_at_any_border_has_its_outline_and_its_panel(left: int, top: int) -> None:
    box = Box(left, top, left + 200, top + 180)
    drawn = draw_predictions(grey(480, 640), [answer(box)])
    colour = colour_of("smile")
    middle_x, middle_y = left + 100, top + 90
    edges = [
        (middle_y, box.left),
        (middle_y, box.right - 1),
        (box.top, middle_x),
        (box.bottom - 1, middle_x),
    ]
    # The panel may lie over one edge at most.
    assert sum(tuple(drawn[edge]) == colour for edge in edges) >= 3
    outside = drawn.copy()
    outside[box.top : box.bottom, box.left : box.right] = 128
    assert (outside != 128).any(axis=-1).sum() > 5000  # the panel


@pytest.mark.parametrize("emotion", LABELS)
def test_each_emotion_has_its_colour(emotion: str) -> None:
    drawn = draw_predictions(grey(480, 640), [answer(Box(100, 100, 250, 250), emotion)])
    assert tuple(drawn[175, 100]) == colour_of(emotion)
    assert len(set(COLOURS)) == len(COLOURS)


def test_the_longest_bar_is_that_of_the_most_probable_emotion() -> None:
    image = grey(480, 640)
    box = Box(60, 100, 210, 250)
    drawn = draw_predictions(image, [answer(box, "sad")])
    beside = drawn[:, box.right + 1 :]
    lengths = {
        label: int((beside == colour_of(label)).all(axis=-1).sum(axis=1).max()) for label in LABELS
    }
    assert max(lengths, key=lambda label: lengths[label]) == "sad"
    others = [lengths[label] for label in LABELS if label != "sad"]
    assert lengths["sad"] / np.mean(others) == pytest.approx(6, rel=0.15)


def test_where_there_is_room_no_face_is_covered() -> None:
    boxes = [Box(40, 60, 160, 200), Box(240, 200, 360, 340), Box(470, 60, 600, 200)]
    drawn = draw_predictions(grey(480, 640), [answer(box) for box in boxes])
    for box in boxes:
        inner = drawn[box.top + 6 : box.bottom - 6, box.left + 6 : box.right - 6]
        assert (inner == 128).all()


def test_far_from_faces_the_photo_stays_as_it_is() -> None:
    drawn = draw_predictions(grey(2000, 3000), [answer(Box(100, 100, 500, 500))])
    assert (drawn[1000:] == 128).all()
    assert (drawn[:, 1500:] == 128).all()


def test_more_classes_than_colours_are_drawn() -> None:
    labels = tuple(f"class {k}" for k in range(len(COLOURS) + 3))
    face = answer(Box(10, 10, 100, 100), labels[-1], labels)
    drawn = draw_predictions(grey(480, 640), [face])
    assert tuple(drawn[55, 10]) == ImageColor.getrgb(COLOURS[2])


def test_a_name_in_another_script_is_drawn() -> None:
    face = answer(Box(10, 10, 100, 100), "기쁨", ("기쁨", "슬픔"))
    assert (draw_predictions(grey(200, 300), [face]) != 128).any()
