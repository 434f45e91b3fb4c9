"""The crop cache: right pixels, found again as long as they are right, and what stops a build."""

import errno
import resource
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import PIL
import pytest
from filelock import FileLock
from numpy.typing import NDArray
from tests.data.cached import SPEC, all_of, check, expected, names, only_file, opened, pictures

import emotion.data.cache as cache
import emotion.data.crop_files as crop_files
import emotion.faces.pixels
from emotion.data.cache import FaceCrops
from emotion.errors import DataError, EmotionError
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples

WAY_OUT = "set data.cache to another folder, or data.cache=null to keep the crops in memory"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[FaceSample]:
    return pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


# Pixels.


@pytest.mark.parametrize("kept", [True, False])
def test_crops_are_the_input_settings_crops_at_each_size(
    samples: list[FaceSample], folder: Path, kept: bool
) -> None:
    crops = opened(folder if kept else None, samples, sizes=(70, 64))
    assert list(crops) == [70, 64]
    for size, some in crops.items():
        check(some, samples, size)
    again = opened(folder if kept else None, samples, sizes=(64,))
    check(again[64], samples)


def test_crops_in_memory_are_one_array(samples: list[FaceSample]) -> None:
    crops = opened(None, samples)[64]
    assert isinstance(crops.pixels, np.ndarray)
    np.testing.assert_array_equal(crops.pixels, expected(samples, 64))


def test_one_size_asked_for_twice_is_one_file(samples: list[FaceSample], folder: Path) -> None:
    assert list(opened(folder, samples, sizes=(64, 64))) == [64]
    assert names(folder) == [".npy"]


@pytest.mark.parametrize("kept", [True, False])
def test_no_samples_are_no_crops(folder: Path, kept: bool) -> None:
    crops = opened(folder if kept else None, [])[64]
    assert len(crops) == len(crops.pixels) == 0


# Parts of a data set.


@pytest.mark.parametrize("kept", [True, False])
def test_parts_are_views_in_the_order_that_was_asked_for(
    samples: list[FaceSample], folder: Path, kept: bool
) -> None:
    crops = opened(folder if kept else None, samples)[64]
    part = crops.select([5, 0, 3])
    check(part, [samples[5], samples[0], samples[3]])
    check(part.select(np.array([2, 0])), [samples[3], samples[5]])
    assert len(crops.select([])) == 0


def test_a_part_of_crops_in_memory_shares_their_bytes() -> None:
    pixels = np.zeros((4, 8, 8, 3), np.uint8)
    part = FaceCrops(pixels, np.arange(4)).select([2, 1])
    pixels[2] = 9
    assert part.pixels[0].min() == 9
    assert part.targets.tolist() == [2, 1]


# What is kept, and for how long.


def test_a_picture_is_decoded_once_and_then_no_more(
    samples: list[FaceSample], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def counted(path: Path) -> NDArray[np.uint8]:
        decoded.append(path)
        return read_image(path)

    monkeypatch.setattr(emotion.faces.pixels, "read_image", counted)
    pictures = sorted({sample.image for sample in samples})
    opened(folder, samples, sizes=(64, 70))
    assert sorted(decoded) == pictures
    opened(folder, samples, sizes=(70, 64))
    assert sorted(decoded) == pictures
    opened(folder, samples, sizes=(64, 80))  # only the new size is built
    assert sorted(decoded) == sorted(2 * pictures)


def test_building_is_said_in_one_line_and_opening_is_silent(
    samples: list[FaceSample], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    opened(folder, samples, sizes=(70, 64))
    out, err = capfd.readouterr()
    size = sum(path.stat().st_size for path in folder.glob("*.npy"))
    assert out == ""
    start, _, end = err.partition(" s, kept in ")[0].rpartition(" in ")
    assert start == f"train: 12 crops at 70 and 64 pixels, {size / 1e6:.0f} MB"
    assert float(end) >= 0
    assert err.endswith(f" s, kept in {folder}\n")
    opened(folder, samples, sizes=(70, 64))
    opened(None, samples)
    assert capfd.readouterr() == ("", "")


def moved(sample: FaceSample) -> FaceSample:
    box = sample.box
    return replace(sample, box=Box(box.left, box.top, box.right - 1, box.bottom))


def mirrored(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return resize_crop(crop[:, ::-1], size)


@pytest.mark.parametrize("change", ["margin", "square", "size", "box", "order", "fewer", "picture"])
def test_other_crops_have_another_file(
    samples: list[FaceSample], folder: Path, tmp_path: Path, change: str
) -> None:
    opened(folder, samples)
    spec = replace(SPEC, margin=0.2) if change == "margin" else SPEC
    spec = replace(SPEC, square=False) if change == "square" else spec
    size = 65 if change == "size" else 64
    copies = pictures(tmp_path / "copies")
    copies[0].image.write_bytes(copies[-1].image.read_bytes())
    others = {
        "box": [moved(samples[0]), *samples[1:]],
        "order": samples[::-1],
        "fewer": samples[:-1],
        "picture": copies,
    }
    other = others.get(change, samples)
    crops = opened(folder, other, spec, [size])[size]
    assert names(folder) == [".npy", ".npy"]
    np.testing.assert_array_equal(all_of(crops), expected(other, size, spec))


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (cv2, "__version__", "99"),
        (PIL, "__version__", "99"),
        (cache, "FORMAT", 99),
        (cache, "resize_crop", mirrored),
    ],
)
def test_other_code_has_another_file(
    samples: list[FaceSample],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    value: object,
) -> None:
    opened(folder, samples)
    monkeypatch.setattr(place, name, value)
    opened(folder, samples)
    assert names(folder) == [".npy", ".npy"]


def test_names_labels_and_other_settings_share_one_file(
    samples: list[FaceSample], folder: Path, tmp_path: Path
) -> None:
    opened(folder, samples)
    before = only_file(folder).stat().st_mtime_ns
    copies = pictures(tmp_path / "elsewhere")
    others = [replace(s, target=4, line=1, number=9, annotation=tmp_path) for s in copies]
    spec = replace(SPEC, size=96, labels=("a", "b", "c", "d", "e"), mean=(0, 0, 0))
    crops = opened(folder, others, spec)[64]
    assert only_file(folder).stat().st_mtime_ns == before
    check(crops, others)


# What the operating system refuses.


class Refusing:
    """A lock on a disk that has its reasons."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, path: Path) -> "Refusing":
        return self

    def acquire(self, timeout: float = 0) -> NoReturn:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (OSError(errno.ENOLCK, "No locks available"), "No locks available"),
        (NotImplementedError("no flock here"), "no flock here"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_an_error_with_the_way_out(
    samples: list[FaceSample],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
) -> None:
    opened(folder, samples)
    monkeypatch.setattr(crop_files, "FileLock", Refusing(error))
    check(opened(folder, samples)[64], samples)  # reading needs no lock
    with pytest.raises(EmotionError) as caught:
        opened(folder, samples, sizes=(70,))
    assert str(caught.value) == f"data.cache={folder}: cannot be used ({reason}); {WAY_OUT}"


def test_a_file_in_the_place_of_the_folder_is_an_error(
    samples: list[FaceSample], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "cache"):
        with pytest.raises(EmotionError) as caught:
            opened(folder, samples)
        message = f"data.cache={folder}: cannot be used (Not a directory); {WAY_OUT}"
        assert str(caught.value) == message


def test_too_small_a_disk_is_said_with_both_numbers(
    samples: list[FaceSample], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder.parent)._replace(free=3_500_000)
    monkeypatch.setattr(cache, "disk_usage", lambda path: usage)
    opened(folder, samples)  # 0.15 MB
    with pytest.raises(EmotionError) as caught:
        opened(folder, samples, sizes=(256, 300))  # 12 x 3 x (256 x 256 + 300 x 300) bytes
    assert str(caught.value) == (
        f"data.cache={folder}: 12 crops need 6 MB and 4 MB are free; {WAY_OUT}"
    )
    assert names(folder).count(".npy") == 1


def test_what_a_killed_build_left_is_removed_before_the_disk_is_asked(
    samples: list[FaceSample], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(folder, samples)
    path = only_file(folder)
    path.rename(path.with_suffix(".part"))
    monkeypatch.setattr(cache, "disk_usage", lambda path: shutil.disk_usage(path)._replace(free=0))
    with pytest.raises(EmotionError, match=r": 12 crops need 0 MB and 0 MB are free; "):
        opened(folder, samples)
    assert names(folder) == []


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_half(
    samples: list[FaceSample], folder: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # of 147 kB
    try:
        with pytest.raises(EmotionError) as caught:
            opened(folder, samples)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == f"data.cache={folder}: cannot be used (File too large); {WAY_OUT}"
    assert names(folder) == []
    check(opened(folder, samples)[64], samples)


@pytest.mark.parametrize("kept", [True, False])
def test_every_broken_picture_is_named_and_nothing_is_kept(
    tmp_path: Path, folder: Path, kept: bool
) -> None:
    samples = pictures(tmp_path, 13)
    for path in tmp_path.glob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        opened(folder if kept else None, samples)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path / '00.png'}: empty file"
    assert (len(lines), lines[-1]) == (11, "… and 3 more")
    if kept:
        assert names(folder) == []


def test_all_processes_take_the_locks_in_one_order(
    samples: list[FaceSample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    class Noted(FileLock):
        def acquire(self, *arguments: Any, **named: Any) -> Any:
            taken.append(Path(self.lock_file).name)
            return super().acquire(*arguments, **named)

    monkeypatch.setattr(crop_files, "FileLock", Noted)
    opened(tmp_path / "a", samples, sizes=(64, 70, 80))
    opened(tmp_path / "b", samples, sizes=(80, 70, 64))
    assert len(set(taken[:3])) == 3
    assert taken[:3] == taken[3:]


# Real photos.


def own_memory() -> int:
    """Bytes of this process that are no file's: those that a large file must not fill."""
    fields = dict(text.split(":", 1) for text in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(fields["RssAnon"].split()[0])


@pytest.mark.slow
def test_faces5_is_kept_whole_and_read_without_filling_the_memory(
    shared: Path, folder: Path
) -> None:
    photos = read_folder(shared / "data/faces5/train").photos
    samples = gather_samples(photos, LabelScheme(), "faces5")
    before = own_memory()
    crops = opened(folder, samples, InputSpec(), (280, 256))
    assert [len(some) for some in crops.values()] == [1688, 1688]
    length = sum(path.stat().st_size for path in folder.glob("*.npy"))
    assert 0 < length - 1688 * 3 * (280**2 + 256**2) < 20_000
    for index in range(0, 1688, 40):
        sample = samples[index]
        pixels = InputSpec().pixels(read_image(sample.image), sample.box)
        np.testing.assert_array_equal(crops[256].pixels[index], pixels)
    for index in np.random.default_rng(0).permutation(1688):
        crops[280].pixels[index].sum()
    assert own_memory() - before < length / 4
