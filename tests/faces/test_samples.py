"""Samples: faces with a class, and their pixels."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emotion.errors import ConfigError, DataError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.folders import AnnotatedPhoto, read_photos
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import (
    FaceSample,
    count_classes,
    file_hashes,
    gather_samples,
    read_pixels,
)

SPEC = InputSpec(size=64)


def face(label: str, line: int = 1, difficult: bool = False) -> AnnotatedFace:
    return AnnotatedFace(label, Box(0, 0, 10, 10), difficult, line)


def photo(name: str, *faces: AnnotatedFace) -> AnnotatedPhoto:
    return AnnotatedPhoto(Path(f"img/{name}.jpg"), Path(f"annotations/{name}.xml"), faces)


def gather(
    photos: Sequence[AnnotatedPhoto], scheme: LabelScheme | None = None, difficult: bool = True
) -> list[FaceSample]:
    return gather_samples(photos, scheme or LabelScheme(), difficult, "data/train")


def test_every_face_becomes_a_sample_in_the_order_of_the_photos() -> None:
    photos = [photo("b", face("sad", 3), face("neutral", 9)), photo("c"), photo("a", face("smile"))]
    samples = gather(photos)
    assert [(s.annotation.stem, s.line, s.target) for s in samples] == [
        ("b", 3, 4),
        ("b", 9, 0),
        ("a", 1, 3),
    ]
    assert samples[0].image == Path("img/b.jpg")
    assert samples[0].box == Box(0, 0, 10, 10)


def test_unknown_labels_of_all_photos_are_listed_at_once() -> None:
    photos = [photo("a", face("happy"), face("sad")), photo("b", face("fear"), face("happy"))]
    with pytest.raises(DataError, match=r"^data/train: unknown labels 'fear', 'happy'; expected"):
        gather(photos)


def test_mapped_faces_have_the_class_they_are_mapped_to() -> None:
    scheme = LabelScheme(mapping={"happy": "smile"})
    samples = gather([photo("a", face("happy"), face("smile"))], scheme)
    assert [sample.target for sample in samples] == [3, 3]


def test_dropped_faces_are_no_samples() -> None:
    scheme = LabelScheme(mapping={"fear": None})
    samples = gather([photo("a", face("fear", 1), face("sad", 2))], scheme)
    assert [sample.line for sample in samples] == [2]


def test_difficult_faces_are_samples_where_they_are_kept() -> None:
    photos = [photo("a", face("sad", 1, difficult=True), face("sad", 2))]
    assert [sample.line for sample in gather(photos)] == [1, 2]
    assert [sample.line for sample in gather(photos, difficult=False)] == [2]


@pytest.mark.parametrize(
    "photos", [[], [photo("a")], [photo("a", face("sad", difficult=True))], [photo("a", face("x"))]]
)
def test_no_face_at_all_is_an_error(photos: list[AnnotatedPhoto]) -> None:
    message = "^data/train: no face with a label of neutral, anger, surprise, smile, sad$"
    with pytest.raises(DataError, match=message):
        gather(photos, LabelScheme(mapping={"x": None}), difficult=False)


def test_classes_are_counted_in_their_order_also_empty_ones() -> None:
    samples = gather([photo("a", face("b"), face("c"), face("b"))], LabelScheme(("c", "a", "b")))
    counts = count_classes(samples, ("c", "a", "b"))
    assert list(counts.items()) == [("c", 1), ("a", 0), ("b", 2)]


def written(
    folder: Path, name: str, *boxes: Box, size: tuple[int, int] = (60, 40)
) -> list[FaceSample]:
    """A picture of noise with samples in it; the XML file holds anything."""
    values = np.random.default_rng(len(name)).integers(0, 256, (size[1], size[0], 3))
    Image.fromarray(values.astype(np.uint8)).save(folder / f"{name}.png")
    (folder / f"{name}.xml").write_text(name)
    return [
        FaceSample(folder / f"{name}.png", folder / f"{name}.xml", 7 + k, box, 0)
        for k, box in enumerate(boxes)
    ]


def pixels_of(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def test_hashes_are_of_picture_and_xml_by_the_xml_files_name(tmp_path: Path) -> None:
    box = Box(0, 0, 9, 9)
    samples = written(tmp_path, "b", box, box) + written(tmp_path, "aa", box)
    expected = {
        f"{name}.xml": hashlib.sha256(
            (tmp_path / f"{name}.xml").read_bytes() + (tmp_path / f"{name}.png").read_bytes()
        ).hexdigest()
        for name in ("aa", "b")
    }
    assert list(file_hashes(samples).items()) == list(expected.items())


def test_a_change_of_either_file_changes_the_hash(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(0, 0, 9, 9))
    hashes = [file_hashes(samples)["a.xml"]]
    for name in ("a.xml", "a.png"):
        with (tmp_path / name).open("ab") as stream:
            stream.write(b" ")
        hashes.append(file_hashes(samples)["a.xml"])
    assert len(set(hashes)) == 3


def test_pixels_come_a_picture_at_a_time_in_order(tmp_path: Path) -> None:
    samples = []
    for number in range(12):  # more than are read ahead
        boxes = [Box(k, 2, 30 + k, 37) for k in range(1 + number % 3)]
        samples += written(tmp_path, "x" * (number + 1), *boxes)
    batches = list(read_pixels(samples, SPEC, 32))
    assert [len(batch) for batch in batches] == [1, 2, 3] * 4
    for sample, crop in zip(samples, np.concatenate(batches), strict=True):
        box, image = sample.box, pixels_of(sample.image)
        expected = resize_crop(image[box.top : box.bottom, box.left : box.right], 32)
        assert np.array_equal(crop, expected)


def test_margin_and_square_reach_the_pixels(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(20, 10, 30, 30))
    spec = InputSpec(size=64, margin=0.1, square=True)
    (batch,) = read_pixels(samples, spec, 64)
    assert np.array_equal(batch[0], resize_crop(pixels_of(samples[0].image)[8:32, 13:37], 64))


def test_a_margin_may_reach_beyond_the_picture(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(0, 0, 60, 40))
    (batch,) = read_pixels(samples, InputSpec(size=64, margin=0.5), 64)
    assert np.array_equal(batch[0], resize_crop(pixels_of(samples[0].image), 64))


def test_a_box_partly_outside_is_an_error_with_place_and_way_out(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(0, 0, 9, 9), Box(50, -3, 61, 30))
    with pytest.raises(DataError) as caught:
        list(read_pixels(samples, SPEC, 64))
    assert str(caught.value) == (
        f"{tmp_path / 'a.xml'}:8: the box 50,-3,60,29 is not inside its picture of 60 x 40;"
        " mend it, or set data.outside=clip"
    )


def test_a_box_partly_outside_is_clipped_where_that_is_asked_for(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(50, -3, 70, 30))
    (batch,) = read_pixels(samples, SPEC, 64, outside="clip")
    assert np.array_equal(batch[0], resize_crop(pixels_of(samples[0].image)[0:30, 50:60], 64))


def test_the_box_is_clipped_before_the_margin_is_added(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(-40, 0, 20, 20))
    (batch,) = read_pixels(samples, InputSpec(size=64, margin=0.1), 64, outside="clip")
    assert np.array_equal(batch[0], resize_crop(pixels_of(samples[0].image)[0:22, 0:22], 64))


@pytest.mark.parametrize("outside", ["error", "clip"])
def test_a_box_wholly_outside_can_only_be_mended(tmp_path: Path, outside: str) -> None:
    samples = written(tmp_path, "a", Box(60, 0, 70, 10))
    with pytest.raises(DataError) as caught:
        list(read_pixels(samples, SPEC, 64, outside))
    assert str(caught.value) == (
        f"{tmp_path / 'a.xml'}:7: the box 60,0,69,9 is not inside its picture of 60 x 40; mend it"
    )


def test_problems_are_raised_at_the_end_all_at_once(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(0, 0, 61, 9))
    samples += written(tmp_path, "bb", Box(0, 0, 9, 9)) + written(tmp_path, "ccc", Box(0, 0, 9, 9))
    (tmp_path / "ccc.png").write_bytes(b"")
    batches = read_pixels(samples, SPEC, 64)
    assert next(batches).shape == (1, 64, 64, 3)  # of bb
    with pytest.raises(DataError) as caught:
        next(batches)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path / 'a.xml'}:7: the box 0,0,60,8 is not inside")
    assert second == f"{tmp_path / 'ccc.png'}: empty file"


def test_after_ten_problems_the_rest_is_counted(tmp_path: Path) -> None:
    samples = [
        FaceSample(tmp_path / f"{k:02d}.png", tmp_path / "a.xml", 1, Box(0, 0, 1, 1), 0)
        for k in range(12)
    ]
    with pytest.raises(DataError) as caught:
        list(read_pixels(samples, SPEC, 64))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path / '00.png'}: no such file"
    assert (len(lines), lines[10]) == (11, "… and 2 more")


def test_another_way_with_boxes_outside_is_refused() -> None:
    message = re.escape("data.outside: expected error or clip, got 'ignore'")
    with pytest.raises(ConfigError, match=f"^{message}$"):
        next(read_pixels([], SPEC, 64, outside="ignore"))


def test_the_sample_data_set_gives_a_crop_for_each_face(sample_root: Path) -> None:
    photos = read_photos(sample_root / "train")
    samples = gather(photos)
    assert len(samples) == sum(len(p.faces) for p in photos)
    batches = list(read_pixels(samples, SPEC, 48))
    assert [len(batch) for batch in batches] == [len(p.faces) for p in photos]
    assert all(batch.shape[1:] == (48, 48, 3) for batch in batches)


@pytest.mark.slow
def test_every_face_of_real_data_sets_can_be_cut_out(shared: Path) -> None:
    samples = gather(read_photos(shared / "data/nota24"))
    assert sum(len(batch) for batch in read_pixels(samples, SPEC, 64)) == 28
    samples = gather(read_photos(shared / "data/faces5/test"))
    assert sum(len(batch) for batch in read_pixels(samples, SPEC, 64)) == 184


@pytest.mark.slow
def test_classes_of_faces5_are_counted(shared: Path) -> None:
    parts = [gather(read_photos(shared / "data/faces5" / part)) for part in ("train", "test")]
    assert count_classes(parts[0] + parts[1], InputSpec().labels) == {
        "neutral": 569,
        "anger": 198,
        "surprise": 310,
        "smile": 596,
        "sad": 199,
    }
