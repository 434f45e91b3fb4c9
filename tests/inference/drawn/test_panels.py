"""Places for texts: inside the picture, beside their faces, not over others."""

from hypothesis import given
from hypothesis import strategies as st

from emotion.faces.boxes import Box
from emotion.inference.drawn.panels import arrange, text_height

PICTURE = (640, 480)
BOXES = st.builds(
    lambda left, top, w, h: Box(left, top, min(left + w, 640), min(top + h, 480)),
    st.integers(0, 639),
    st.integers(0, 479),
    st.integers(1, 300),
    st.integers(1, 300),
)
SIZES = st.tuples(st.integers(1, 300), st.integers(1, 200))


@given(st.lists(st.tuples(BOXES, SIZES), max_size=6), st.booleans())
def test_texts_lie_inside_the_picture(faces: list[tuple[Box, tuple[int, int]]], flat: bool) -> None:
    boxes, sizes = [box for box, _ in faces], [size for _, size in faces]
    found = arrange(boxes, sizes, PICTURE, [None] * len(faces), flat)
    for text, size in zip(found.texts, sizes, strict=True):
        assert (text.width, text.height) == size
        assert text.inside(*PICTURE)
    others = [*boxes, *found.texts]
    assert found.worst == 0 or any(
        text.common_with(other) for text in found.texts for other in others if other is not text
    )


def test_with_room_nothing_is_covered() -> None:
    boxes = [Box(100, 100, 200, 200), Box(260, 100, 360, 200)]
    found = arrange(boxes, [(150, 80)] * 2, PICTURE, [None, None])
    assert found.worst == 0
    assert not found.texts[0].common_with(found.texts[1])
    assert not any(box.common_with(text) for box in boxes for text in found.texts)


def test_a_text_stays_where_it_was_unless_that_covers_much() -> None:
    box = Box(300, 200, 380, 280)
    places = [arrange([box], [(150, 80)], PICTURE, [last]).places[0] for last in (None, 1, 4)]
    assert places == [0, 1, 4]
    covered = [box, Box(140, 180, 290, 300)]
    moved = arrange(covered, [(150, 80)] * 2, PICTURE, [1, None]).places[0]
    assert moved != 1


def test_lines_suit_the_faces_within_limits() -> None:
    sides = (20, 100, 1000)
    heights = [text_height([Box(0, 0, side, side)], largest=40, smallest=11) for side in sides]
    assert heights == [11, 20, 40]
