"""Samples: faces with a class, and how many there are of each."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from emotion.errors import DataError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto, read_folder
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import FaceSample, count_classes, gather_samples, list_counts


def face(label: str, line: int = 1, number: int = 1, difficult: bool = False) -> AnnotatedFace:
    return AnnotatedFace(label, Box(line, 0, line + 10, 10), difficult, line, number)


def photo(name: str, *faces: AnnotatedFace) -> AnnotatedPhoto:
    return AnnotatedPhoto(Path(f"img/{name}.jpg"), Path(f"annotations/{name}.xml"), faces)


def gather(photos: Sequence[AnnotatedPhoto], scheme: LabelScheme | None = None) -> list[FaceSample]:
    return gather_samples(photos, scheme or LabelScheme(), "data/train")


def test_every_face_becomes_a_sample_in_the_order_of_the_photos() -> None:
    photos = [photo("b", face("sad", 3, 1), face("neutral", 9, 2)), photo("c")]
    photos.append(photo("a", face("smile", difficult=True)))
    assert gather(photos) == [
        FaceSample(Path("img/b.jpg"), Path("annotations/b.xml"), 3, 1, Box(3, 0, 13, 10), 4),
        FaceSample(Path("img/b.jpg"), Path("annotations/b.xml"), 9, 2, Box(9, 0, 19, 10), 0),
        FaceSample(Path("img/a.jpg"), Path("annotations/a.xml"), 1, 1, Box(1, 0, 11, 10), 3),
    ]


def test_mapped_faces_have_the_class_they_are_mapped_to() -> None:
    scheme = LabelScheme(mapping={"happy": "smile"})
    samples = gather([photo("a", face("happy"), face("smile"))], scheme)
    assert [sample.target for sample in samples] == [3, 3]


def test_dropped_faces_are_no_samples_and_the_others_keep_their_numbers() -> None:
    scheme = LabelScheme(mapping={"fear": None})
    samples = gather([photo("a", face("fear", 1, 1), face("sad", 2, 2))], scheme)
    assert [(sample.line, sample.number) for sample in samples] == [(2, 2)]


@pytest.mark.parametrize("photos", [[], [photo("a")], [photo("a", face("x"))]])
def test_no_face_at_all_is_an_error(photos: list[AnnotatedPhoto]) -> None:
    message = "^data/train: no face with a label of neutral, anger, surprise, smile, sad$"
    with pytest.raises(DataError, match=message):
        gather(photos, LabelScheme(mapping={"x": None}))


def test_classes_are_counted_in_their_order_also_empty_ones() -> None:
    samples = gather([photo("a", face("b"), face("c"), face("b"))], LabelScheme(("c", "a", "b")))
    counts = count_classes(samples, ("c", "a", "b"))
    assert list(counts.items()) == [("c", 1), ("a", 0), ("b", 2)]
    assert list_counts(counts) == "c 1, a 0, b 2"


def test_the_sample_data_set_gives_a_sample_for_each_face(sample_root: Path) -> None:
    photos = read_folder(sample_root / "train").photos
    samples = gather(photos)
    assert len(samples) == sum(len(photo.faces) for photo in photos) > 0
    assert sum(count_classes(samples, EMOTIONS).values()) == len(samples)


@pytest.mark.slow
def test_classes_of_faces5_are_counted(shared: Path) -> None:
    folders = [read_folder(shared / "data/faces5" / part) for part in ("train", "test")]
    samples = gather([photo for folder in folders for photo in folder.photos])
    assert count_classes(samples, EMOTIONS) == {
        "neutral": 569,
        "anger": 198,
        "surprise": 310,
        "smile": 596,
        "sad": 199,
    }
