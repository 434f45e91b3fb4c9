"""The crop cache: each face cut out once, for every run, loading worker and device of a machine.

A cache file holds the crops of all samples of a data set at one size: two `.npy` arrays, one after
the other, that `numpy.load` reads from one open file.

    n x size x size x 3, uint8: the crops, RGB
    n, uint32: the CRC-32 of each crop, begun with that of the key

It is named by the key, a hash of whatever the pixels depend on, so a stale file is never opened. It
is written under a temporary name and renamed, so half a file is never opened; and its sums are
checked at each opening. That reads the file once, which is less work than one epoch. Training then
maps it into memory: all processes share the pages that the kernel keeps, however large the file.

The folder may be emptied whenever nothing trains.
"""

import hashlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from shutil import disk_usage
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from emotion.errors import EmotionError
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.inputs import InputSpec
from emotion.faces.pixels import read_crops
from emotion.faces.samples import FaceSample
from emotion.terminal import tracked
from emotion.threads import map_in_order

FORMAT = 1  # raised when `faces.images` decodes to other pixels, or the file is laid out otherwise
PATIENCE = 1.0  # seconds of waiting for another process before that is said
BLOCK = 8_000_000  # bytes that a thread checks at a time
WAY_OUT = "set data.cache to another folder, or data.cache=null to keep the crops in memory"


class CropRows:
    """Some crops of an array, in an order of their own; a crop is copied when it is asked for.

    Pickling one of a cache file sends the file's path, and not the pixels.

    Args:
        pixels: all crops, N x size x size x 3, uint8, RGB.
        rows: which of them, n, int64.
        path: the cache file, where `pixels` is mapped from one.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], rows: NDArray[np.int64], path: Path | None = None
    ) -> None:
        self._pixels, self._rows, self._path = pixels, rows, path

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Gives a copy of one crop: size x size x 3, uint8, RGB."""
        return np.array(self._pixels[self._rows[index]])

    def select(self, indices: Sequence[int] | NDArray[np.int64]) -> "CropRows":
        """Gives the crops at those indices, in their order; no pixel is copied."""
        return CropRows(self._pixels, self._rows[np.asarray(indices, dtype=np.int64)], self._path)

    def __reduce__(self) -> tuple[Callable[..., "CropRows"], tuple[Any, ...]]:
        if self._path is None:
            return CropRows, (self._pixels[self._rows], np.arange(len(self._rows)))
        return _map_rows, (self._path, self._pixels.shape, self._rows)


@dataclass(frozen=True)
class FaceCrops:
    """The crops of some faces and their classes.

    Attributes:
        pixels: `pixels[i]` is one crop, size x size x 3, uint8, RGB; all are one array of
            n x size x size x 3 where they are kept in memory.
        targets: n class indices, int64.
    """

    pixels: NDArray[np.uint8] | CropRows
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    def select(self, indices: Sequence[int] | NDArray[np.int64]) -> "FaceCrops":
        """Gives the faces at those indices, in their order, as one part of a data set.

        The pixels are not copied: the parts share one file, or one array.
        """
        rows = np.asarray(indices, dtype=np.int64)
        pixels = self.pixels
        chosen = pixels.select(rows) if isinstance(pixels, CropRows) else CropRows(pixels, rows)
        return FaceCrops(chosen, self.targets[rows])


class CropCache:
    """A folder of cache files, or the memory.

    Args:
        folder: made when something is built; None keeps crops in memory, for this process alone.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def open(
        self,
        samples: Sequence[FaceSample],
        picture_hashes: Mapping[Path, str],
        spec: InputSpec,
        sizes: Sequence[int],
        what: str,
    ) -> dict[int, FaceCrops]:
        """Gives the crops of all samples at each size, in the order of the samples.

        What is missing or damaged is built, each picture decoded once for all sizes. One process
        builds while the others wait for it.

        Args:
            samples: the faces, those of one picture together.
            picture_hashes: SHA-256 of the bytes of each sample's picture.
            spec: how a face is cut out.
            sizes: sides of the crops in pixels.
            what: names the samples in messages and on the progress bar.

        Raises:
            DataError: lists up to ten pictures that cannot be read and faces outside theirs.
            EmotionError: the folder cannot be used, or its disk is too small.
        """
        targets = np.array([sample.target for sample in samples], dtype=np.int64)
        if self.folder is None or not samples:  # a file of no bytes cannot be mapped
            arrays = _read_into_memory(samples, spec, sizes, what)
            return {size: FaceCrops(pixels, targets) for size, pixels in arrays.items()}
        files = [
            _CropFile(self.folder, _key(samples, picture_hashes, spec, size), len(samples), size)
            for size in dict.fromkeys(sizes)
        ]
        with _explained(self.folder):
            unusable = [file for file in files if not file.intact(what)]
            for file in unusable:
                if file.path.exists():
                    print(f"{file.path}: damaged or cut off; building it again", file=sys.stderr)
            if unusable:
                self.folder.mkdir(parents=True, exist_ok=True)
                _build_once(unusable, samples, spec, what)
        return {file.size: FaceCrops(file.rows(), targets) for file in files}


def _read_into_memory(
    samples: Sequence[FaceSample], spec: InputSpec, sizes: Sequence[int], what: str
) -> dict[int, NDArray[np.uint8]]:
    arrays = {size: np.empty((len(samples), size, size, 3), np.uint8) for size in sizes}
    filled = 0
    for crops in _read_with_progress(samples, spec, list(arrays), what):
        for array, some in zip(arrays.values(), crops, strict=True):
            array[filled : filled + len(some)] = some
        filled += len(crops[0])
    return arrays


def _read_with_progress(
    samples: Sequence[FaceSample], spec: InputSpec, sizes: Sequence[int], what: str
) -> Iterator[list[NDArray[np.uint8]]]:
    photos = len({sample.image for sample in samples})
    return tracked(read_crops(samples, spec, sizes), f"reading {what}", photos)


def _key(
    samples: Sequence[FaceSample], hashes: Mapping[Path, str], spec: InputSpec, size: int
) -> str:
    """Hashes whatever the crops depend on; labels and names of files are not among it."""
    import cv2
    import PIL

    boxes = [sample.box for sample in samples]
    places = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    hashed = [hashes[sample.image] for sample in samples]
    settings = (FORMAT, spec.margin, spec.square, size, cv2.__version__, PIL.__version__)
    digest = hashlib.sha256(json.dumps([settings, hashed, places]).encode())
    digest.update(_specimen(spec, size))
    return digest.hexdigest()


def _specimen(spec: InputSpec, size: int) -> bytes:
    """Cuts a small and a large face out of a made-up picture.

    Whoever changes the way of cutting or resizing, in this project or below it, changes the key.
    """
    picture = np.resize(np.arange(251, dtype=np.uint8), (2 * size + 1, 2 * size + 3, 3))
    boxes = (Box(1, 2, 30, 43), Box(0, 5, 2 * size, 2 * size))
    return b"".join(resize_crop(spec.crop(picture, box), size).tobytes() for box in boxes)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turns what the operating system refuses into an error that says the way out."""
    try:
        yield
    except (OSError, NotImplementedError) as error:  # the latter: a disk that knows no locks
        reason = getattr(error, "strerror", None) or error
        raise EmotionError(f"data.cache={folder}: cannot be used ({reason}); {WAY_OUT}") from error


def _build_once(
    files: Sequence["_CropFile"], samples: Sequence[FaceSample], spec: InputSpec, what: str
) -> None:
    """Builds the files, or finds them built once the process that holds them lets go."""
    with ExitStack() as stack:
        # In one order for all, so that no two processes wait for one another.
        for file in sorted(files, key=lambda file: file.path):
            stack.enter_context(file.locked())
        missing = [file for file in files if not file.intact(what)]
        if missing:
            _build(missing, samples, spec, what)


def _build(
    files: Sequence["_CropFile"], samples: Sequence[FaceSample], spec: InputSpec, what: str
) -> None:
    start = time.perf_counter()
    folder, need = files[0].path.parent, sum(file.length for file in files)
    for file in files:
        file.remove()
    free = disk_usage(folder).free
    if need > free:
        raise EmotionError(
            f"data.cache={folder}: {len(samples):,} crops need {need / 1e6:,.0f} MB and"
            f" {free / 1e6:,.0f} MB are free; {WAY_OUT}"
        )
    sizes = [file.size for file in files]
    with ExitStack() as stack:
        writers = [stack.enter_context(file.writing()) for file in files]
        for crops in _read_with_progress(samples, spec, sizes, what):
            for write, some in zip(writers, crops, strict=True):
                write(some)
    print(
        f"{what}: {len(samples):,} crops at {' and '.join(map(str, sizes))} pixels,"
        f" {need / 1e6:,.0f} MB in {time.perf_counter() - start:.1f} s, kept in {folder}",
        file=sys.stderr,
    )


class _CropFile:
    """The crops of some samples at one size, on disk, as the module says."""

    def __init__(self, folder: Path, key: str, count: int, size: int) -> None:
        self.path = folder.absolute() / f"crops-{size}-{key[:16]}.npy"
        self.size = size
        self._temporary = self.path.with_suffix(".part")
        self._shape = (count, size, size, 3)
        self._crop = 3 * size**2  # bytes
        self._head, self._middle = _header("|u1", self._shape), _header("<u4", (count,))
        self._end = len(self._head) + count * self._crop  # of the crops
        self.length = self._end + len(self._middle) + 4 * count  # bytes
        self._seed = zlib.crc32(key.encode())  # with it, the sums of another key do not fit

    def intact(self, what: str) -> bool:
        """Tells whether the file is there as it was built; reads all of it, on all cores."""
        try:
            return self.path.stat().st_size == self.length and self._sums_fit(what)
        except FileNotFoundError:  # also when another process removes a damaged one meanwhile
            return False

    def _sums_fit(self, what: str) -> bool:
        heads = self._bytes(0, len(self._head)), self._bytes(self._end, len(self._middle))
        if [head.tobytes() for head in heads] != [self._head, self._middle]:
            return False
        count, step = self._shape[0], max(1, BLOCK // self._crop)
        sums = self._bytes(self._end + len(self._middle), 4 * count).view("<u4")

        def fits(first: int) -> bool:
            last = min(first + step, count)
            start = len(self._head) + first * self._crop
            crops = self._bytes(start, (last - first) * self._crop).reshape(-1, self._crop)
            return np.array_equal(self._sums(crops), sums[first:last])

        starts = range(0, count, step)
        return all(tracked(map_in_order(fits, starts), f"checking {what}", len(starts)))

    def _bytes(self, start: int, length: int) -> NDArray[np.uint8]:
        # Not through a map: a disk's failure would end the process, and its pages count as ours.
        return np.fromfile(self.path, np.uint8, length, offset=start)

    def _sums(self, crops: NDArray[np.uint8]) -> list[int]:
        return [zlib.crc32(crop.data, self._seed) for crop in crops]

    def rows(self) -> CropRows:
        """Maps the file into memory."""
        return _map_rows(self.path, self._shape, np.arange(self._shape[0]))

    def remove(self) -> None:
        """Removes the file and what a killed process left of it."""
        self.path.unlink(missing_ok=True)
        self._temporary.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the file against other processes; the kernel lets go of it for a killed one."""
        lock = FileLock(self.path.with_suffix(".lock"))
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            print(f"{self.path}: waiting for the process that builds it", file=sys.stderr)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def writing(self) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
        """Gives a function that takes the crops, some at a time; the file appears once it is whole.

        Nobody else writes it while it is `locked`, so one temporary name is enough, and the next
        build knows it.
        """
        sums: list[int] = []
        try:
            with self._temporary.open("wb") as stream:

                def write(crops: NDArray[np.uint8]) -> None:
                    # Not through a map: a full disk would end the process instead of raising.
                    stream.write(crops.data)
                    sums.extend(self._sums(crops))

                stream.write(self._head)
                yield write
                assert len(sums) == self._shape[0], "every sample has its crop"
                stream.write(self._middle + np.array(sums, "<u4").tobytes())
                stream.flush()
                os.fsync(stream.fileno())
            self._temporary.replace(self.path)
        finally:
            self._temporary.unlink(missing_ok=True)


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    stream = BytesIO()
    description = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, description)
    return stream.getvalue()


def _map_rows(path: Path, shape: tuple[int, int, int, int], rows: NDArray[np.int64]) -> CropRows:
    try:
        pixels = np.memmap(path, np.uint8, "r", len(_header("|u1", shape)), shape)
    except OSError as error:
        raise EmotionError(
            f"{path}: cannot be opened ({error.strerror}); was data.cache emptied while in use?"
        ) from error
    return CropRows(pixels, rows, path)
