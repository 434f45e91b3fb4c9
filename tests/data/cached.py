"""A small crop cache for tests: noise with faces in it, its crops, and what ought to be there."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emotion.data.cache import CropCache, FaceCrops
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.samples import FaceSample

SPEC = InputSpec(size=64, margin=0.1, square=True)


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
