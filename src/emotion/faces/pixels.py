"""The pixels of annotated faces: each picture decoded once, each face cut out as at use."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from emotion.errors import DataError, PictureError, summarise
from emotion.faces.crops import resize_crop
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.samples import FaceSample
from emotion.threads import map_in_order


def read_crops(
    samples: Sequence[FaceSample], spec: InputSpec, sizes: Sequence[int]
) -> Iterator[list[NDArray[np.uint8]]]:
    """Reads face crops at one or more sizes, each picture once, on all cores.

    Args:
        samples: those of one picture stand together, as `gather_samples` leaves them; each box is
            at least partly inside its picture.
        spec: how a face is cut out; its own size is not looked at.
        sizes: sides of the crops in pixels.

    Yields:
        For each picture, for each size, the crops of its samples: n x size x size x 3, uint8, RGB;
        at `spec.size` they are what `spec.pixels` gives. At most two pictures a core are in memory.

    Raises:
        DataError: lists up to ten pictures that cannot be read and faces outside theirs, once all
            were read.
    """
    photos = [list(group) for _, group in groupby(samples, key=lambda sample: sample.image)]
    problems: list[str] = []

    def crops_of(photo: list[FaceSample]) -> list[NDArray[np.uint8]] | str:
        try:
            return _cut_out(photo, spec, sizes)
        except (PictureError, DataError) as error:
            return str(error)

    for result in map_in_order(crops_of, photos):
        if isinstance(result, str):
            problems.append(result)
        else:
            yield result
    if problems:
        raise DataError(summarise(problems))


def _cut_out(
    photo: Sequence[FaceSample], spec: InputSpec, sizes: Sequence[int]
) -> list[NDArray[np.uint8]]:
    image = read_image(photo[0].image)
    for sample in photo:
        require_inside(sample, image)
    faces = [spec.crop(image, sample.box) for sample in photo]
    return [np.stack([resize_crop(face, size) for face in faces]) for size in sizes]


def require_inside(sample: FaceSample, image: NDArray[np.uint8]) -> None:
    """Checks that the box of a face lies in its picture at least in part.

    Raises:
        DataError: it does not; names the line and the size of the picture.
    """
    height, width = image.shape[:2]
    # The margin is not asked: a face must not be taken from the border beside it.
    if sample.box.clipped(width, height) is None:
        xmin, ymin, xmax, ymax = sample.box.to_inclusive()
        raise DataError(
            f"{sample.annotation}:{sample.line}: the box {xmin},{ymin},{xmax},{ymax} lies outside"
            f" its picture of {width} x {height}; draw it again, or remove it"
        )
