"""Entries of the summary page: small pictures, also of odd shapes, and none where none is given."""

from pathlib import Path

import numpy as np
import pytest

from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.drawn.summary_entries import (
    FACE_SIDE,
    PHOTO_SIDE,
    TIMELINE_BYTES,
    Shown,
    embedded,
    face_entry,
    photo_entry,
)
from emotion.inference.predictions import FacePrediction


def face(box: Box) -> FacePrediction:
    return FacePrediction(Detection(box, 1.0), {"smile": 1.0})


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((4000, 20, 3), (1, PHOTO_SIDE)),
        ((10, 4000, 3), (PHOTO_SIDE, 1)),
        ((300, 400, 3), (PHOTO_SIDE, 150)),
        ((30, 40, 3), (40, 30)),  # not enlarged
    ],
)
def test_photos_fit_and_keep_their_shape(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    shown = photo_entry(Shown("a.jpg", None), np.zeros(shape, np.uint8))
    assert shown.size == size
    assert shown.uri.startswith("data:image/jpeg;base64,")
    assert (shown.source, shown.face) == ("a.jpg", None)


def test_faces_fit_and_bring_their_prediction() -> None:
    seen = face(Box(100, 100, 500, 600))
    shown = face_entry(Shown("a.jpg", None), seen, np.zeros((700, 700, 3), np.uint8))
    assert max(shown.size) == FACE_SIDE
    assert shown.face is seen


def test_without_a_picture_or_outside_of_it_there_is_no_thumbnail() -> None:
    image = np.zeros((50, 50, 3), np.uint8)
    assert photo_entry(Shown("a.jpg", None), None).uri == ""
    assert face_entry(Shown("a.jpg", None), face(Box(90, 90, 99, 99)), image).uri == ""
    assert face_entry(Shown("a.jpg", None), face(Box(0, 0, 9, 9)), None).uri == ""


def test_a_timeline_that_is_missing_or_too_large_is_not_embedded(tmp_path: Path) -> None:
    small, large, empty = (tmp_path / name for name in ("small", "large", "empty"))
    small.write_bytes(b"x" * 30)
    large.write_bytes(b"x" * (TIMELINE_BYTES + 1))
    empty.touch()
    assert embedded(small) == "data:image/png;base64," + "eHh4" * 10
    assert [embedded(path) for path in (large, empty, tmp_path / "none", None)] == [""] * 4
