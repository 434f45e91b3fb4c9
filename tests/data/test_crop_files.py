"""Crops on disk: sent by name, built anew when damaged, whole whoever is killed."""

import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.cached import SPEC, check, expected, hashes, names, only_file, opened, pictures
from tests.processes import copies

import emotion.data.crop_files as crop_files
from emotion.data.crop_files import CropRows
from emotion.errors import EmotionError
from emotion.faces.folders import read_folder
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[FaceSample]:
    return pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


# The file and its rows.


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


def test_a_crop_may_be_changed_without_changing_the_cache(
    samples: list[FaceSample], folder: Path
) -> None:
    crops = opened(folder, samples)[64]
    first = crops.pixels[0]
    assert first.flags.writeable  # torch warns of arrays that are not
    first[:] = 0
    check(crops, samples)


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
    monkeypatch.setattr(crop_files, "BLOCK", 5 * 64 * 64 * 3)  # 12 crops in blocks of 5, 5 and 2
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


# Several processes.

CHILD = """
import io, itertools, sys, time
from pathlib import Path
from emotion.data import cache, crop_files

class Told(io.StringIO):
    def write(self, text):
        link.send(text)

def stop(*_):
    link.send("stopped")
    time.sleep(600)

read, replace = cache.read_crops, Path.replace

def half(*arguments):
    yield from itertools.islice(read(*arguments), 3)
    stop()

def held(*arguments):
    link.send("building")
    link.recv()
    yield from read(*arguments)

def second(path, target, done=[]):
    done.append(path)
    stop() if len(done) == 2 else replace(path, target)

match moment:
    case "locked": cache.disk_usage = stop
    case "half": cache.read_crops = half
    case "written": crop_files.os.fsync = stop
    case "one of two": Path.replace = second
    case "held": cache.read_crops, crop_files.PATIENCE = held, 0.05
sys.stderr = Told()
link.send("ready")
link.recv()
cache.CropCache(folder).open(*given)
"""


class Child(NamedTuple):
    """A process, and the link on which it says how far it is and takes the word to go on."""

    process: ForkServerProcess
    link: Connection

    def go(self) -> None:
        self.link.send(None)

    def said(self) -> str:
        """What it says next: a moment, or some of what it prints on standard error."""
        assert self.link.poll(60)
        return str(self.link.recv())

    def rest(self) -> str:
        """All that it still says before it ends."""
        texts = []
        with suppress(EOFError):
            while True:
                texts.append(self.said())
        return "".join(texts)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes that open a cache when they are told to; none survives the test."""
    children = []
    context = copies()

    def begin(
        moment: str, samples: Sequence[FaceSample], folder: Path, sizes: Sequence[int] = (64, 70)
    ) -> Child:
        link, theirs = context.Pipe()
        given = (samples, hashes(samples), SPEC, sizes, "train")
        names = {"moment": moment, "link": theirs, "folder": folder, "given": given}
        child = Child(context.Process(target=exec, args=(CHILD, names)), link)
        child.process.start()
        children.append(child)
        theirs.close()  # so that the link ends with the process
        return child

    yield begin
    for child in children:
        child.kill()
        child.link.close()


LEFT = {  # by a process that was killed there
    "locked": [],
    "half": [".part", ".part"],
    "written": [".part", ".part"],
    "one of two": [".npy", ".part"],
}


def test_a_build_killed_at_any_moment_is_made_good_by_the_next(
    samples: list[FaceSample], tmp_path: Path, start: Start
) -> None:
    folders = {moment: tmp_path / moment / "cache" for moment in LEFT}
    children = {moment: start(moment, samples, folder) for moment, folder in folders.items()}
    for moment, child in children.items():
        assert child.said() == "ready"
        child.go()
        assert child.said() == "stopped"
        child.kill()
        assert child.process.exitcode == -signal.SIGKILL
        assert names(folders[moment]) == LEFT[moment]
        for size, crops in opened(folders[moment], samples, sizes=(64, 70)).items():
            check(crops, samples, size)
        assert names(folders[moment]) == [".npy", ".npy"]


def test_of_two_processes_one_builds_and_the_other_waits(
    samples: list[FaceSample], folder: Path, start: Start
) -> None:
    # In opposite orders: whoever waits for the other must not hold what the other waits for.
    children = [start("held", samples, folder, sizes) for sizes in ((64, 70), (70, 64))]
    assert [child.said() for child in children] == ["ready", "ready"]
    for child in children:
        child.go()
    first = {child.said(): child for child in children}
    builder = first.pop("building")
    ((waiting, waiter),) = first.items()
    builder.go()
    built, waited = builder.rest(), waiting + waiter.rest()
    for child in children:
        child.process.join()
    assert [child.process.exitcode for child in children] == [0, 0]
    assert built.startswith("train: 12 crops")
    assert "kept in" in built
    assert waited.endswith(".npy: waiting for the process that builds it\n")
    assert len(built.splitlines()) == len(waited.splitlines()) == 1
    for size, crops in opened(folder, samples, sizes=(64, 70)).items():
        check(crops, samples, size)
    assert names(folder) == [".npy", ".npy"]


@pytest.mark.slow
def test_builds_of_faces5_killed_at_random_moments_are_made_good(
    shared: Path, folder: Path, start: Start
) -> None:
    photos = read_folder(shared / "data/faces5/test").photos
    samples = gather_samples(photos, LabelScheme(), "faces5")
    for wait in np.random.default_rng(0).uniform(0, 0.4, 12):
        child = start("", samples, folder, (256, 280))
        assert child.said() == "ready"
        child.go()
        child.process.join(wait)
        child.kill()
        crops = opened(folder, samples, SPEC, (256, 280))
        assert crops[280].pixels[-1].shape == (280, 280, 3)
        assert names(folder) == [".npy", ".npy"]
        for path in folder.glob("*.npy"):
            path.unlink()
