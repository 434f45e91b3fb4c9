"""Crops in memory: each face once, in order, as the input settings cut it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.data.cache import FaceCrops, load_crops
from emotion.errors import ConfigError, DataError
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.folders import read_photos
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples

SPEC = InputSpec(size=64, margin=0.1, square=True)


@pytest.fixture(scope="module")
def samples(sample_root: Path) -> Sequence[FaceSample]:
    return gather_samples(read_photos(sample_root / "train"), LabelScheme(), True, "train")


def chequered(folder: Path, count: int = 1) -> list[FaceSample]:
    """Pictures of 8 x 8, one black and one white half, with a box of 4 x 4 in each half."""
    made = []
    for number in range(count):
        path = folder / f"{number:02d}.png"
        pixels = np.zeros((8, 8, 3), dtype=np.uint8)
        pixels[:, 4:] = 255
        Image.fromarray(pixels).save(path)
        boxes = (Box(0, 0, 4, 4), Box(4, 0, 8, 4))
        made += [
            FaceSample(path, path.with_suffix(".xml"), 7, box, i) for i, box in enumerate(boxes)
        ]
    return made


@pytest.mark.parametrize("size", [64, 70])
def test_crops_are_the_input_settings_crops_at_the_asked_size(
    samples: Sequence[FaceSample], size: int
) -> None:
    crops = load_crops(samples, SPEC, size, "error", "train")
    assert crops.pixels.shape == (len(samples), size, size, 3)
    assert crops.pixels.dtype == np.uint8
    for sample, pixels in zip(samples, crops.pixels, strict=True):
        expected = resize_crop(SPEC.crop(read_image(sample.image), sample.box), size)
        np.testing.assert_array_equal(pixels, expected)


def test_targets_stand_in_the_order_of_the_samples(samples: Sequence[FaceSample]) -> None:
    crops = load_crops(samples, SPEC, 64, "error", "train")
    assert crops.targets.tolist() == [sample.target for sample in samples]
    assert crops.targets.dtype == np.int64
    assert len(crops) == len(samples)


def test_two_faces_of_many_photos_keep_their_places(tmp_path: Path) -> None:
    crops = load_crops(chequered(tmp_path, count=12), InputSpec(size=64), 4, "error", "train")
    assert [int(pixels.mean()) for pixels in crops.pixels] == [0, 255] * 12
    assert crops.targets.tolist() == [0, 1] * 12


def test_progress_is_silent_where_there_is_no_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    load_crops(chequered(tmp_path), SPEC, 64, "error", "train")
    assert capfd.readouterr() == ("", "")


def test_every_broken_picture_is_named_at_once(tmp_path: Path) -> None:
    samples = chequered(tmp_path, count=3)
    for name in ("00.png", "02.png"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:50])
    with pytest.raises(DataError) as caught:
        load_crops(samples, SPEC, 64, "error", "train")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        str(tmp_path / "00.png"),
        str(tmp_path / "02.png"),
    ]


def test_ten_broken_pictures_are_named_and_the_others_counted(tmp_path: Path) -> None:
    samples = chequered(tmp_path, count=13)
    for path in tmp_path.glob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_crops(samples, SPEC, 64, "error", "train")
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "… and 3 more"


def partly_outside(folder: Path) -> list[FaceSample]:
    first = chequered(folder)[0]
    return [FaceSample(first.image, first.annotation, 7, Box(4, 4, 12, 12), 0)]


def test_a_box_that_leaves_its_picture_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    expected = (
        rf"^{tmp_path}/00\.xml:7: the box 4,4,11,11 is not inside its picture of 8 x 8; mend it,"
        r" or set data\.outside=clip$"
    )
    with pytest.raises(DataError, match=expected):
        load_crops(partly_outside(tmp_path), SPEC, 64, "error", "train")


def test_a_box_that_leaves_its_picture_can_be_clipped(tmp_path: Path) -> None:
    def crops(samples: list[FaceSample], outside: str) -> FaceCrops:
        return load_crops(samples, InputSpec(size=64), 64, outside, "train")

    (sample,) = partly_outside(tmp_path)
    inside = FaceSample(sample.image, sample.annotation, 7, Box(4, 4, 8, 8), 0)
    clipped = crops([sample], "clip")
    np.testing.assert_array_equal(clipped.pixels, crops([inside], "error").pixels)


def test_a_box_wholly_outside_cannot_be_clipped(tmp_path: Path) -> None:
    first = chequered(tmp_path)[0]
    lost = FaceSample(first.image, first.annotation, 7, Box(8, 0, 12, 4), 0)
    with pytest.raises(DataError, match=r"00\.xml:7: the box 8,0,11,3 is not inside .*; mend it$"):
        load_crops([lost], SPEC, 64, "clip", "train")


def test_other_words_than_error_and_clip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data\.outside: expected error or clip, got 'ignore'$"):
        load_crops(chequered(tmp_path), SPEC, 64, "ignore", "train")
