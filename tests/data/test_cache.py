"""The crop cache: right pixels, found again, built anew when damaged, whole whoever is killed."""

import errno
import hashlib
import pickle
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import PIL
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import emotion.data.cache as cache
import emotion.faces.pixels
from emotion.data.cache import CropCache, CropRows, FaceCrops
from emotion.errors import DataError, EmotionError
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples

SPEC = InputSpec(size=64, margin=0.1, square=True)
WAY_OUT = "set data.cache to another folder, or data.cache=null to keep the crops in memory"


def pictures(folder: Path, count: int = 6) -> list[FaceSample]:
    """Pictures of noise, 60 x 40, with one, two or three faces in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(7)
    samples = []
    for number in range(count):
        path = folder / f"{number:02d}.png"
        Image.fromarray(noise.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
        for face in range(1 + number % 3):
            box = Box(4 * face, 2 * face, 30 + 5 * face, 30 + number % 8)
            samples.append(FaceSample(path, path.with_suffix(".xml"), 7, face + 1, box, face))
    return samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[FaceSample]:
    return pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def hashes(samples: Sequence[FaceSample]) -> dict[Path, str]:
    paths = {sample.image for sample in samples}
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def opened(
    folder: Path | None,
    samples: Sequence[FaceSample],
    spec: InputSpec = SPEC,
    sizes: Sequence[int] = (64,),
) -> dict[int, FaceCrops]:
    return CropCache(folder).open(samples, hashes(samples), spec, sizes, "train")


def expected(samples: Sequence[FaceSample], size: int, spec: InputSpec = SPEC) -> NDArray[np.uint8]:
    crops = [spec.crop(read_image(sample.image), sample.box) for sample in samples]
    return np.stack([resize_crop(crop, size) for crop in crops])


def all_of(crops: FaceCrops) -> NDArray[np.uint8]:
    return np.stack([crops.pixels[index] for index in range(len(crops))])


def check(crops: FaceCrops, samples: Sequence[FaceSample], size: int = 64) -> None:
    assert len(crops) == len(crops.pixels) == len(samples)
    np.testing.assert_array_equal(all_of(crops), expected(samples, size))
    assert crops.targets.tolist() == [sample.target for sample in samples]
    assert crops.targets.dtype == np.int64


def names(folder: Path) -> list[str]:
    """Suffixes of all files in a cache folder, sorted; locks may stay or not."""
    return sorted(path.suffix for path in folder.iterdir() if path.suffix != ".lock")


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.npy")
    return path


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


def test_a_crop_may_be_changed_without_changing_the_cache(
    samples: list[FaceSample], folder: Path
) -> None:
    crops = opened(folder, samples)[64]
    first = crops.pixels[0]
    assert first.flags.writeable  # torch warns of arrays that are not
    first[:] = 0
    check(crops, samples)


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


def test_numpy_reads_a_cache_file_without_this_project(
    samples: list[FaceSample], folder: Path
) -> None:
    opened(folder, samples)
    path = only_file(folder)
    with path.open("rb") as stream:
        pixels, sums = np.load(stream), np.load(stream)
        assert stream.read() == b""
    np.testing.assert_array_equal(pixels, expected(samples, 64))
    np.testing.assert_array_equal(np.load(path, mmap_mode="r"), pixels)
    assert (sums.shape, str(sums.dtype)) == ((len(samples),), "uint32")


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


# Sending to loading workers.


def test_a_cached_part_is_sent_by_its_path(samples: list[FaceSample], folder: Path) -> None:
    crops = opened(folder, samples)[64].select([4, 2])
    sent = pickle.dumps(crops)
    assert len(sent) < 1500 < 64 * 64 * 3
    check(pickle.loads(sent), [samples[4], samples[2]])


def test_a_part_in_memory_is_sent_without_the_others(samples: list[FaceSample]) -> None:
    crops = opened(None, samples)[64].select([4])
    sent = pickle.dumps(crops)
    assert len(sent) < 2 * 64 * 64 * 3
    check(pickle.loads(sent).select([0]), [samples[4]])


def test_a_worker_of_its_own_interpreter_reads_the_same_crops(
    samples: list[FaceSample], folder: Path
) -> None:
    crops = opened(folder, samples)[64].select([3, 1])
    assert isinstance(crops.pixels, CropRows)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(CropRows.__getitem__, crops.pixels, 1).result()
    np.testing.assert_array_equal(found, expected([samples[1]], 64)[0])


def test_a_worker_whose_cache_was_emptied_says_so(samples: list[FaceSample], folder: Path) -> None:
    sent = pickle.dumps(opened(folder, samples)[64])
    path = only_file(folder)
    path.unlink()
    message = rf"^{path}: cannot be opened \(No such file .*was data\.cache emptied while in use\?$"
    with pytest.raises(EmotionError, match=message):
        pickle.loads(sent)


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


# Damage.


def assert_rebuilt(folder: Path, samples: Sequence[FaceSample], err: str) -> None:
    first, second = err.splitlines()
    assert first == f"{only_file(folder)}: damaged or cut off; building it again"
    assert second.startswith("train: ")
    assert names(folder) == [".npy"]
    check(opened(folder, samples)[64], samples)


@pytest.mark.parametrize("keep", [0, 1, 100, 12 * 64 * 64 * 3, -1])
def test_a_file_that_was_cut_off_is_built_again(
    samples: list[FaceSample], folder: Path, keep: int, capfd: pytest.CaptureFixture[str]
) -> None:
    opened(folder, samples)
    path = only_file(folder)
    path.write_bytes(path.read_bytes()[:keep])
    capfd.readouterr()
    check(opened(folder, samples)[64], samples)
    assert_rebuilt(folder, samples, capfd.readouterr().err)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x93NUMPY\x01\x00\xff\xff{", b"PK\x03\x04"])
def test_any_other_content_is_built_again(
    samples: list[FaceSample], folder: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    opened(folder, samples)
    path = only_file(folder)
    length = path.stat().st_size
    for filled in (content, content.ljust(length, b"\0"), content.ljust(length + 1, b"[")):
        path.write_bytes(filled)
        capfd.readouterr()
        check(opened(folder, samples)[64], samples)
        assert_rebuilt(folder, samples, capfd.readouterr().err)


@settings(max_examples=30)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_wrong_bit_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("bit")
    samples = pictures(folder / "pictures", 1)
    whole = only_file_of(folder / "cache", samples)
    content = whole.read_bytes()
    broken = bytearray(content)
    broken[int(place * len(content))] ^= 1 << bit
    whole.write_bytes(broken)
    assert only_file_of(folder / "cache", samples).read_bytes() == content


def only_file_of(folder: Path, samples: Sequence[FaceSample]) -> Path:
    opened(folder, samples, sizes=(8,))
    return only_file(folder)


def test_each_crop_of_a_larger_file_is_looked_at(
    samples: list[FaceSample], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "BLOCK", 5 * 64 * 64 * 3)  # 12 crops in blocks of 5, 5 and 2
    opened(folder, samples)
    path = only_file(folder)
    content = path.read_bytes()
    for crop in range(12):
        broken = bytearray(content)
        broken[-4 * 12 - 128 - (crop * 64 * 64 * 3 + 1)] ^= 1
        path.write_bytes(broken)
        opened(folder, samples)
        assert path.read_bytes() == content


def test_another_file_under_this_name_is_built_again(
    samples: list[FaceSample], folder: Path, tmp_path: Path
) -> None:
    opened(folder, samples)
    opened(tmp_path / "other", samples[::-1])
    only_file(tmp_path / "other").replace(only_file(folder))
    check(opened(folder, samples)[64], samples)


def test_a_file_in_use_is_not_changed_by_building_it_again(
    samples: list[FaceSample], folder: Path
) -> None:
    crops = opened(folder, samples)[64]
    path = only_file(folder)
    damaged = path.with_suffix(".copy")
    damaged.write_bytes(b"x")
    damaged.replace(path)
    opened(folder, samples)
    check(crops, samples)


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
    monkeypatch.setattr(cache, "FileLock", Refusing(error))
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


# Several processes.

CHILD = """
import itertools, pickle, sys, time
from pathlib import Path
import emotion.data.cache as cache

def stop(*_):
    print("stopped", flush=True)
    time.sleep(600)

read, replace = cache.read_crops, Path.replace

def half(*arguments):
    yield from itertools.islice(read(*arguments), 3)
    stop()

def slow(*arguments):
    for crops in read(*arguments):
        time.sleep(0.1)
        yield crops

def second(path, target, done=[]):
    done.append(path)
    stop() if len(done) == 2 else replace(path, target)

match sys.argv[1]:
    case "locked": cache.disk_usage = stop
    case "half": cache.read_crops = half
    case "written": cache.os.fsync = stop
    case "one of two": Path.replace = second
    case "slow": cache.read_crops, cache.PATIENCE = slow, 0.05
given, folder = pickle.loads(Path(sys.argv[2]).read_bytes())
print("ready", flush=True)
sys.stdin.readline()
cache.CropCache(folder).open(*given)
"""


Child = subprocess.Popen[str]


@pytest.fixture
def start() -> Iterator[Callable[..., Child]]:
    """Starts processes that open a cache when they are told to; none survives the test."""
    children = []

    def begin(
        moment: str, samples: Sequence[FaceSample], folder: Path, sizes: Sequence[int] = (64, 70)
    ) -> Child:
        folder.mkdir(parents=True, exist_ok=True)
        given = folder.parent / "given.pickle"
        arguments = (samples, hashes(samples), SPEC, sizes, "train")
        given.write_bytes(pickle.dumps((arguments, folder)))
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", CHILD, moment, str(given)]
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


def go(child: Child) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def line(child: Child) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


LEFT = {  # by a process that was killed there
    "locked": [],
    "half": [".part", ".part"],
    "written": [".part", ".part"],
    "one of two": [".npy", ".part"],
}


def test_a_build_killed_at_any_moment_is_made_good_by_the_next(
    samples: list[FaceSample], tmp_path: Path, start: Callable[..., Child]
) -> None:
    folders = {moment: tmp_path / moment / "cache" for moment in LEFT}
    children = {moment: start(moment, samples, folder) for moment, folder in folders.items()}
    for moment, child in children.items():
        assert line(child) == "ready"
        go(child)
        assert line(child) == "stopped"
        child.kill()
        assert child.wait() == -signal.SIGKILL
        assert names(folders[moment]) == LEFT[moment]
        for size, crops in opened(folders[moment], samples, sizes=(64, 70)).items():
            check(crops, samples, size)
        assert names(folders[moment]) == [".npy", ".npy"]


def test_of_two_processes_one_builds_and_the_other_waits(
    samples: list[FaceSample], folder: Path, start: Callable[..., Child]
) -> None:
    # In opposite orders: whoever waits for the other must not hold what the other waits for.
    children = []
    for sizes in ((64, 70), (70, 64)):
        children.append(start("slow", samples, folder, sizes))
        assert line(children[-1]) == "ready"
    for child in children:
        go(child)
    texts = [child.communicate(timeout=60)[1] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    waited, built = sorted(texts, key=lambda text: "kept in" in text)
    assert built.startswith("train: 12 crops")
    assert waited.endswith(".npy: waiting for the process that builds it\n")
    assert len(built.splitlines()) == len(waited.splitlines()) == 1
    for size, crops in opened(folder, samples, sizes=(64, 70)).items():
        check(crops, samples, size)
    assert names(folder) == [".npy", ".npy"]


def test_all_processes_take_the_locks_in_one_order(
    samples: list[FaceSample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    class Noted(FileLock):
        def acquire(self, *arguments: Any, **named: Any) -> Any:
            taken.append(Path(self.lock_file).name)
            return super().acquire(*arguments, **named)

    monkeypatch.setattr(cache, "FileLock", Noted)
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


@pytest.mark.slow
def test_builds_of_faces5_killed_at_random_moments_are_made_good(
    shared: Path, folder: Path, start: Callable[..., Child]
) -> None:
    photos = read_folder(shared / "data/faces5/test").photos
    samples = gather_samples(photos, LabelScheme(), "faces5")
    for wait in np.random.default_rng(0).uniform(0, 0.4, 12):
        child = start("", samples, folder, (256, 280))
        assert line(child) == "ready"
        go(child)
        try:
            child.wait(wait)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        crops = opened(folder, samples, SPEC, (256, 280))
        assert crops[280].pixels[-1].shape == (280, 280, 3)
        assert names(folder) == [".npy", ".npy"]
        for path in folder.glob("*.npy"):
            path.unlink()
