"""The crop cache: each face cut out once, for every run, loading worker and device of a machine.

It is a folder of files, as `emotion.data.crop_files` writes them: each holds the crops of all
samples of a data set at one size. A file is named by its key, a hash of whatever the pixels depend
on, so a stale one is never opened; one that is missing or damaged is built.

The folder may be emptied whenever nothing trains.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

import numpy as np
from numpy.typing import NDArray

from emotion.data.crop_files import CropFile, CropRows
from emotion.errors import EmotionError
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.inputs import InputSpec
from emotion.faces.pixels import read_crops
from emotion.faces.samples import FaceSample
from emotion.terminal import tracked

FORMAT = 1  # raised when `faces.images` decodes, or `crop_files` lays out, in another way
WAY_OUT = "set data.cache to another folder, or data.cache=null to keep the crops in memory"


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
            CropFile(self.folder, _key(samples, picture_hashes, spec, size), len(samples), size)
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
    files: Sequence[CropFile], samples: Sequence[FaceSample], spec: InputSpec, what: str
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
    files: Sequence[CropFile], samples: Sequence[FaceSample], spec: InputSpec, what: str
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
