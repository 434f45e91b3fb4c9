"""Faces with a known emotion: what training learns from and evaluation counts."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError, DataError, PictureError, summarise
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.threads import map_in_order

OUTSIDE = ("error", "clip")


@dataclass(frozen=True)
class FaceSample:
    """One annotated face.

    Attributes:
        image: the picture.
        annotation: the XML file.
        line: line of its `<object>` there.
        box: where the face is, as annotated.
        target: class index.
    """

    image: Path
    annotation: Path
    line: int
    box: Box
    target: int


def gather_samples(
    photos: Sequence[AnnotatedPhoto], scheme: LabelScheme, keep_difficult: bool, place: str
) -> list[FaceSample]:
    """Lists every face of the photos, in their order, with its class.

    Args:
        photos: as `read_photos` gives them.
        scheme: class names, and what other names stand for.
        keep_difficult: keep faces that the annotator marked `<difficult>1`.
        place: names the data set in errors.

    Raises:
        DataError: lists every unknown label; or no face is left.
    """
    scheme.require_known((face.label for photo in photos for face in photo.faces), place)
    samples = []
    for photo in photos:
        for face in photo.faces:
            target = scheme.class_of(face.label)
            if target is not None and (keep_difficult or not face.difficult):
                samples.append(
                    FaceSample(photo.image, photo.annotation, face.line, face.box, target)
                )
    if not samples:
        raise DataError(f"{place}: no face with a label of {', '.join(scheme.names)}")
    return samples


def count_classes(samples: Sequence[FaceSample], labels: Sequence[str]) -> dict[str, int]:
    """Counts the faces of each class, in the order of the labels."""
    counts = Counter(sample.target for sample in samples)
    return {label: counts[index] for index, label in enumerate(labels)}


def list_counts(counts: dict[str, int]) -> str:
    """Gives class counts as a line of text: "neutral 3, anger 1"."""
    return ", ".join(f"{label} {count}" for label, count in counts.items())


def file_hashes(samples: Sequence[FaceSample]) -> dict[str, str]:
    """Gives the SHA-256 of each sample's picture and XML file together, by the XML file's name."""
    pairs = sorted({(sample.annotation, sample.image) for sample in samples})
    return {
        annotation.name: hashlib.sha256(annotation.read_bytes() + image.read_bytes()).hexdigest()
        for annotation, image in pairs
    }


def read_pixels(
    samples: Sequence[FaceSample], spec: InputSpec, size: int, outside: str = "error"
) -> Iterator[NDArray[np.uint8]]:
    """Reads the face crops, each picture once, on all cores.

    Args:
        samples: those of one picture stand together, as `gather_samples` leaves them.
        spec: how a face is cut out.
        size: side of each crop in pixels.
        outside: "error", or "clip" for boxes that are partly outside their picture.

    Yields:
        For each picture the crops of its samples: n x size x size x 3, uint8, RGB. At most a few
        pictures are in memory at a time.

    Raises:
        DataError: lists up to ten unreadable pictures or boxes outside, once all were read.
    """
    if outside not in OUTSIDE:
        raise ConfigError(f"data.outside: expected error or clip, got {outside!r}")
    photos = [list(group) for _, group in groupby(samples, key=lambda sample: sample.image)]
    problems: list[str] = []

    def crops_of(photo: list[FaceSample]) -> NDArray[np.uint8] | str:
        try:
            image = read_image(photo[0].image)
            boxes = [_box_inside(sample, image, outside) for sample in photo]
        except (PictureError, DataError) as error:
            return str(error)
        return np.stack([resize_crop(spec.crop(image, box), size) for box in boxes])

    for result in map_in_order(crops_of, photos):
        if isinstance(result, str):
            problems.append(result)
        else:
            yield result
    if problems:
        raise DataError(summarise(problems))


def _box_inside(sample: FaceSample, image: NDArray[np.uint8], outside: str) -> Box:
    height, width = image.shape[:2]
    inside = sample.box.clipped(width, height)
    if inside is None or (inside != sample.box and outside == "error"):
        xmin, ymin, xmax, ymax = sample.box.to_inclusive()
        way_out = "" if inside is None else ", or set data.outside=clip"
        raise DataError(
            f"{sample.annotation}:{sample.line}: the box {xmin},{ymin},{xmax},{ymax} is not inside"
            f" its picture of {width} x {height}; mend it{way_out}"
        )
    return inside
