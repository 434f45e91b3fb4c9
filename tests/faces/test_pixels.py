"""Crops of annotated faces: each picture once, in order, at every size, and what cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import emotion.faces.pixels
from emotion.errors import DataError
from emotion.faces.boxes import Box
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.pixels import read_crops
from emotion.faces.samples import FaceSample, gather_samples

SPEC = InputSpec(size=64)


def written(
    folder: Path, name: str, *boxes: Box, size: tuple[int, int] = (90, 70)
) -> list[FaceSample]:
    """A picture of noise, of that width and height, with faces in it from line 7 on."""
    values = np.random.default_rng(len(name)).integers(0, 256, (size[1], size[0], 3))
    path = folder / f"{name}.png"
    Image.fromarray(values.astype(np.uint8)).save(path)
    return [
        FaceSample(path, path.with_suffix(".xml"), 7 + k, 1 + k, box, 0)
        for k, box in enumerate(boxes)
    ]


def stored(sample: FaceSample) -> NDArray[np.uint8]:
    with Image.open(sample.image) as image:
        return np.array(image)


def test_a_face_as_large_as_its_crop_is_the_pictures_own_pixels(tmp_path: Path) -> None:
    (sample,) = written(tmp_path, "a", Box(20, 3, 84, 67))
    ((crops,),) = read_crops([sample], SPEC, [64])
    assert crops.shape == (1, 64, 64, 3)
    assert crops.dtype == np.uint8
    np.testing.assert_array_equal(crops[0], stored(sample)[3:67, 20:84])


def test_each_size_is_cut_from_the_picture_and_not_from_another_size(tmp_path: Path) -> None:
    (sample,) = written(tmp_path, "a", Box(20, 3, 84, 67))
    ((full, half, small),) = read_crops([sample], SPEC, [64, 32, 16])
    face = stored(sample)[3:67, 20:84].astype(float)
    np.testing.assert_array_equal(full[0], face)
    for crops, step in ((half, 2), (small, 4)):
        means = face.reshape(64 // step, step, 64 // step, step, 3).mean(axis=(1, 3))
        assert np.abs(crops[0] - means).max() <= 0.5  # rounded once


def test_pictures_come_in_order_with_all_their_faces(tmp_path: Path) -> None:
    samples = []
    for number in range(12):  # more than are read ahead
        boxes = [Box(k, 2, 64 + k, 66) for k in range(1 + number % 3)]
        samples += written(tmp_path, "x" * (number + 1), *boxes)
    batches = [crops for (crops,) in read_crops(samples, SPEC, [64])]
    assert [len(batch) for batch in batches] == [1, 2, 3] * 4
    for sample, crop in zip(samples, np.concatenate(batches), strict=True):
        np.testing.assert_array_equal(crop, stored(sample)[2:66, sample.box.left :][:, :64])


def test_a_picture_is_decoded_once_for_all_its_faces_and_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def counted(path: Path) -> NDArray[np.uint8]:
        decoded.append(path.name)
        return read_image(path)

    monkeypatch.setattr(emotion.faces.pixels, "read_image", counted)
    faces = (Box(0, 0, 9, 9), Box(5, 5, 50, 50))
    samples = written(tmp_path, "a", *faces) + written(tmp_path, "bb", *faces)
    assert len(list(read_crops(samples, SPEC, [64, 70, 32]))) == 2
    assert sorted(decoded) == ["a.png", "bb.png"]


@given(
    left=st.integers(-30, 89),
    top=st.integers(-30, 69),
    width=st.integers(1, 120),
    height=st.integers(1, 120),
    margin=st.sampled_from([0.0, 0.15, 1.0]),
    square=st.booleans(),
)
def test_a_crop_is_what_prediction_sees_wherever_the_box_lies(
    tmp_path_factory: pytest.TempPathFactory,
    left: int,
    top: int,
    width: int,
    height: int,
    margin: float,
    square: bool,
) -> None:
    box = Box(left, top, max(left + width, 1), max(top + height, 1))
    folder = tmp_path_factory.getbasetemp()
    (sample,) = written(folder, "anywhere", box)
    spec = InputSpec(size=64, margin=margin, square=square)
    ((crops,),) = read_crops([sample], spec, [64])
    np.testing.assert_array_equal(crops[0], spec.pixels(stored(sample), box))


@pytest.mark.parametrize(
    ("spec", "box"),
    [
        (InputSpec(size=64, margin=0.3), Box(22, 16, 62, 56)),  # 12 pixels on each side
        (InputSpec(size=64, square=True), Box(10, 20, 74, 52)),  # 16 above and below
        (InputSpec(size=64, margin=0.5, square=True), Box(26, 31, 58, 41)),  # 11, then 16
    ],
)
def test_margin_and_square_reach_the_pixels(tmp_path: Path, spec: InputSpec, box: Box) -> None:
    (sample,) = written(tmp_path, "a", box)
    ((crops,),) = read_crops([sample], spec, [64])
    np.testing.assert_array_equal(crops[0], stored(sample)[4:68, 10:74])


def test_no_samples_give_no_crops() -> None:
    assert list(read_crops([], SPEC, [64])) == []


@pytest.mark.parametrize("margin", [0.0, 1.0])  # a margin that reaches back mends nothing
def test_a_face_outside_its_picture_is_an_error_with_its_place(
    tmp_path: Path, margin: float
) -> None:
    samples = written(tmp_path, "a", Box(0, 0, 9, 9), Box(90, 3, 100, 30))
    with pytest.raises(DataError) as caught:
        list(read_crops(samples, InputSpec(size=64, margin=margin), [64]))
    assert str(caught.value) == (
        f"{tmp_path / 'a.xml'}:8: the box 90,3,99,29 lies outside its picture of 90 x 70; draw it"
        " again, or remove it"
    )


def test_problems_are_raised_at_the_end_all_at_once(tmp_path: Path) -> None:
    samples = written(tmp_path, "a", Box(-9, 0, 0, 9))
    samples += written(tmp_path, "bb", Box(0, 0, 9, 9)) + written(tmp_path, "ccc", Box(0, 0, 9, 9))
    (tmp_path / "ccc.png").write_bytes(b"")
    batches = read_crops(samples, SPEC, [64])
    assert [crops.shape for crops in next(batches)] == [(1, 64, 64, 3)]  # of bb
    with pytest.raises(DataError) as caught:
        next(batches)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path / 'a.xml'}:7: the box -9,0,-1,8 lies outside")
    assert second == f"{tmp_path / 'ccc.png'}: empty file"


def test_after_ten_problems_the_rest_is_counted(tmp_path: Path) -> None:
    samples = [
        FaceSample(tmp_path / f"{k:02d}.png", tmp_path / "a.xml", 1, 1, Box(0, 0, 1, 1), 0)
        for k in range(12)
    ]
    with pytest.raises(DataError) as caught:
        list(read_crops(samples, SPEC, [64]))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path / '00.png'}: no such file"
    assert (len(lines), lines[10]) == (11, "… and 2 more")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "faces"), [("nota24", 28), ("faces5/test", 184)])
def test_every_face_of_real_data_sets_can_be_cut_out(shared: Path, name: str, faces: int) -> None:
    photos = read_folder(shared / "data" / name).photos
    samples = gather_samples(photos, LabelScheme(), name)
    batches = [crops for (crops,) in read_crops(samples, SPEC, [64])]
    assert len(np.concatenate(batches)) == faces
