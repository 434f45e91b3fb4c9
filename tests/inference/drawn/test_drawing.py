"""Drawing: the answers are on the photo, and the photo stays what it was."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageColor

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.drawn.drawing import COLOURS, TRACK, UNSURE_COLOUR, Layout, draw_predictions
from emotion.inference.predictions import FacePrediction

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


def faces_of(*boxes: Box, threshold: float | None = None) -> list[FacePrediction]:
    return [replace(answer(box), number=n, threshold=threshold) for n, box in enumerate(boxes, 1)]


def grounds(height: int, width: int) -> dict[str, NDArray[np.uint8]]:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return {
        "white": np.full_like(noise, 255),
        "black": np.zeros_like(noise),
        "noise": noise,
    }


def brightness(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance as WCAG 2 defines it."""
    share = pixels / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("ground", ["white", "black", "noise"])
@pytest.mark.parametrize("size", [(90, 150), (480, 640), (2000, 3000)])
def test_text_has_contrast_on_any_ground(ground: str, size: tuple[int, int]) -> None:
    height, width = size
    image = grounds(height, width)[ground]
    box = Box(width // 10, height // 3, width // 10 + height // 3, height // 3 * 2)
    drawn = draw_predictions(image, [answer(box)])
    outside = np.ones(size, bool)
    outside[box.top : box.bottom, box.left : box.right] = False
    touched = outside & (drawn != image).any(axis=-1)
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    field = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    grey_ones = np.ptp(drawn[field].astype(int), axis=-1) < 45
    light = brightness(drawn[field])[grey_ones & outside[field]]
    letters, ground_below = np.quantile(light, 0.99), np.quantile(light, 0.5)
    assert (letters + 0.05) / (ground_below + 0.05) > 7  # WCAG 2, level AAA


@pytest.mark.parametrize("ground", ["white", "black", "noise"])
def test_a_box_is_seen_on_any_ground(ground: str) -> None:
    image = grounds(480, 640)[ground]
    drawn = draw_predictions(image, [answer(Box(100, 100, 250, 250))])
    edge = drawn[150:200, 100:110].reshape(-1, 3)
    assert {tuple(pixel) for pixel in edge.tolist()} >= {colour_of("smile"), (0, 0, 0)}


def test_all_bars_are_as_long_as_their_probabilities() -> None:
    probabilities = dict(zip(LABELS, (0.02, 0.43, 0.25, 0.2, 0.1), strict=True))
    box = Box(60, 100, 210, 250)
    drawn = draw_predictions(grey(960, 1280), [FacePrediction(Detection(box, 1.0), probabilities)])
    beside = drawn[:, box.right + 1 :]
    lengths = {
        label: int((beside == colour_of(label)).all(axis=-1).sum(axis=1).max()) for label in LABELS
    }
    rows = (beside == TRACK).all(axis=-1).sum(axis=1)
    whole = lengths["anger"] + int(rows[(beside == colour_of("anger")).all(axis=-1).any(1)].max())
    for label, probability in probabilities.items():
        assert lengths[label] / whole == pytest.approx(probability, abs=1 / whole)


def test_unsure_is_a_dashed_grey_box_and_not_the_colour_of_a_class() -> None:
    sure, unsure = (
        replace(answer(Box(100, 100, 250, 250)), threshold=threshold) for threshold in (0.5, 0.7)
    )
    edges = [draw_predictions(grey(480, 640), [face])[100, 100:250] for face in (sure, unsure)]
    whole, dashed = ([tuple(pixel) for pixel in edge.tolist()] for edge in edges)
    assert set(whole) == {colour_of("smile")}
    assert set(dashed) == {ImageColor.getrgb(UNSURE_COLOUR), (0, 0, 0)}
    assert sum(one != other for one, other in pairwise(dashed)) >= 8  # dashes and gaps


def test_only_boxes_and_the_fields_of_text_are_touched() -> None:
    image = grounds(720, 1280)["noise"]
    boxes = [Box(200, 150, 400, 350), Box(900, 400, 1080, 580)]
    drawn = draw_predictions(image, faces_of(*boxes))
    same = (drawn == image).all(axis=-1)
    assert same[-100:].all()
    assert same[:, -20:].all()
    for box in boxes:
        assert same[box.top + 10 : box.bottom - 10, box.left + 10 : box.right - 10].all()
    assert same.mean() > 0.85


def test_a_single_face_has_its_number_in_videos_only() -> None:
    face = answer(Box(100, 100, 250, 250))
    plain = draw_predictions(grey(480, 640), [face])
    numbered = draw_predictions(grey(480, 640), [face], numbered=True)
    field = [
        (drawn[80:100, 95:120] == colour_of("smile")).all(axis=-1).sum()
        for drawn in (plain, numbered)
    ]
    assert field[0] == 0
    assert field[1] > 100


def test_several_faces_of_a_photo_have_different_numbers() -> None:
    boxes = Box(100, 100, 250, 250), Box(400, 100, 550, 250)
    first, second = faces_of(*boxes)
    drawn = draw_predictions(grey(480, 640), [first, second])
    again = draw_predictions(grey(480, 640), [replace(first, number=7), second])
    changed = np.argwhere((drawn != again).any(axis=-1))
    assert len(changed) > 10
    # The number stands at the box and in the panel: both change, and nothing of the second face.
    assert changed[:, 1].max() < 400


def test_where_panels_would_hide_faces_there_are_labels() -> None:
    corners = [(left, top) for top in (4, 244) for left in (4, 244)]
    boxes = [Box(left, top, left + 232, top + 232) for left, top in corners]
    drawn = draw_predictions(grey(480, 480), faces_of(*boxes))
    assert not (drawn == TRACK).all(axis=-1).any()  # no bars
    hidden = (drawn != 128).any(axis=-1)
    for box in boxes:
        inner = hidden[box.top + 8 : box.bottom - 8, box.left + 8 : box.right - 8]
        assert inner.mean() < 0.12
    assert (drawn > 190).all(axis=-1).sum() > 4 * 10  # letters


@pytest.mark.parametrize("side", [26, 60])
def test_forty_faces_have_labels_and_stay_visible(side: int) -> None:
    step = 2 * side
    image = grey(6 * step, 10 * step)
    boxes = [
        Box(side // 2 + k % 8 * step, side + k // 8 * step, side // 2 + k % 8 * step + side,
            side + k // 8 * step + side)
        for k in range(40)
    ]  # fmt: skip
    drawn = draw_predictions(image, faces_of(*boxes))
    inner = [drawn[b.top + 4 : b.bottom - 4, b.left + 4 : b.right - 4] for b in boxes]
    hidden = [float((part != 128).any(axis=-1).mean()) for part in inner]
    assert np.mean(hidden) < 0.05
    assert (drawn > 190).all(axis=-1).sum() > 40 * 10  # letters


@pytest.mark.parametrize("side", [16, 20, 40, 60])
def test_in_tiny_pictures_the_face_stays_visible(side: int) -> None:
    box = Box(side // 4, side // 4, side * 3 // 4, side * 3 // 4)
    drawn = draw_predictions(grey(side, side), [answer(box)])
    inner = drawn[box.top + 3 : box.bottom - 3, box.left + 3 : box.right - 3]
    assert (inner != 128).any(axis=-1).mean() < 0.35


def test_a_face_that_leaves_the_picture_is_framed_at_the_border() -> None:
    drawn = draw_predictions(grey(300, 400), [answer(Box(-40, -30, 90, 100))])
    assert tuple(drawn[50, 0]) == tuple(drawn[50, 89]) == colour_of("smile")
    outside = draw_predictions(grey(300, 400), [answer(Box(500, 500, 600, 600))])
    assert (outside == 128).all()


def test_panels_do_not_jump_between_frames() -> None:
    layout = Layout()
    lefts = []
    for shift in [*range(60), *range(60, 0, -1)]:
        face = answer(Box(430 + shift // 3, 100, 560 + shift // 3, 250))
        drawn = draw_predictions(grey(480, 1000), [face], numbered=True, layout=layout)
        field = (drawn == TRACK).all(axis=-1).any(axis=0)
        lefts.append(int(np.flatnonzero(field)[0]))
    assert max(abs(a - b) for a, b in pairwise(lefts)) <= 8


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(
        st.tuples(*[st.integers(-50, 350)] * 2, *[st.integers(1, 200)] * 2), max_size=5
    ),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=60)
def test_whatever_the_faces_there_is_a_picture(
    height: int, width: int, places: list[tuple[int, int, int, int]], unsure: bool
) -> None:
    boxes = [Box(left, top, left + w, top + h) for left, top, w, h in places]
    image = grey(height, width)
    drawn = draw_predictions(image, faces_of(*boxes, threshold=0.9 if unsure else None))
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == 128).all()
