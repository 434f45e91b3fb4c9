import io

from PIL import Image

from emotion.demo.answering import dlib_detector
from emotion.demo.looks import from_jpeg
from emotion.demo.samples import SCENES, samples


def test_the_drawings_are_pictures_in_which_all_faces_are_found() -> None:
    for photo, (_, labels) in zip(samples(), SCENES, strict=True):
        assert Image.open(io.BytesIO(photo.content)).format == "JPEG"
        assert len(dlib_detector(0).detect(from_jpeg(photo.content))) == len(labels)


def test_they_are_drawn_once_and_have_names_of_their_own() -> None:
    assert samples() is samples()
    assert len({photo.name for photo in samples()}) == len(SCENES)


def test_all_expressions_are_there() -> None:
    assert {label for _, labels in SCENES for label in labels} == {
        *("neutral", "anger", "surprise", "smile", "sad")
    }
