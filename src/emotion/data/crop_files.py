"""Crops on disk: a file that is whole or not there, and its rows mapped into memory.

The file holds two `.npy` arrays, one after the other, that `numpy.load` reads from one open file.

    n x size x size x 3, uint8: the crops, RGB
    n, uint32: the CRC-32 of each crop, begun with that of the key

It is written under a temporary name and renamed, so half a file is never opened; and its sums are
checked at each opening. That reads the file once, which is less work than one epoch. Training then
maps it into memory: all processes share the pages that the kernel keeps, however large the file.
"""

import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from emotion.errors import EmotionError
from emotion.terminal import tracked
from emotion.threads import map_in_order

PATIENCE = 1.0  # seconds of waiting for another process before that is said
BLOCK = 8_000_000  # bytes that a thread checks at a time


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


class CropFile:
    """The crops of some samples at one size, on disk, as the module says.

    Args:
        folder: where the file stands, or will.
        key: hash of whatever the crops depend on.
        count: how many crops.
        size: side of a crop in pixels.

    Attributes:
        path: the file, absolute.
        size: side of a crop in pixels.
        length: bytes of the whole file.
    """

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
        """Tells whether the file is there as it was built; reads all of it, on all cores.

        Args:
            what: names the samples on the progress bar.

        Raises:
            OSError: the file is there and cannot be read.
        """
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
        """Maps the file into memory.

        Raises:
            EmotionError: the file is gone, or cannot be read.
        """
        return _map_rows(self.path, self._shape, np.arange(self._shape[0]))

    def remove(self) -> None:
        """Removes the file and what a killed process left of it."""
        self.path.unlink(missing_ok=True)
        self._temporary.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the file against other processes; the kernel lets go of it for a killed one.

        Raises:
            OSError: the folder cannot be written to.
            NotImplementedError: its disk knows no locks.
        """
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
