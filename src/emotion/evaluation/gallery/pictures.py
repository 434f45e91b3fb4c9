"""Pictures of single faces for a page: the photo with its box, and a heat map over the crop.

Photos are opened a second time, only those that are shown. One that is no longer there, or no
longer the same, is a reason in place of a picture.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emotion.errors import PictureError
from emotion.faces.boxes import Box
from emotion.pages.thumbnails import data_uri, thumbnail

# Characters that a picture adds to a page at most; nearly all photos need fewer at full size.
PHOTO_WEIGHT, HEAT_WEIGHT = 36_000, 14_000
HEAT_SIDE = 160  # pixels, at most
SMALLEST_SIDE = 48  # pixels; smaller would show nothing
OPACITY = 0.7  # of the heat map where it is 1
# Five colours of matplotlib's "inferno", 0 to 1: brighter is more, also for the colour-blind.
COLOURS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
# Weights of red, green and blue in brightness (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class FacePicture:
    """A picture in a page.

    Attributes:
        uri: `data:` address, or "" where there is none.
        width: in pixels.
        height: likewise.
        notes: what the reader must know to understand it; where there is no picture, why.
    """

    uri: str
    width: int = 0
    height: int = 0
    notes: tuple[str, ...] = ()


def not_shown(error: PictureError | OSError) -> FacePicture:
    """Says why a picture cannot be shown."""
    if isinstance(error, PictureError):
        return FacePicture("", notes=(error.reason,))
    return FacePicture("", notes=(error.strerror or "cannot be opened",))


def photo_with_box(image: NDArray[np.uint8], box: Box) -> FacePicture:
    """Makes a photo small and draws the box.

    Args:
        image: H x W x 3, uint8, RGB.
        box: of the face.
    """
    height, width = image.shape[:2]
    if box.clipped(width, height) is None:
        return FacePicture("", notes=("its box lies outside: the picture has changed",))
    small = thumbnail(image, [("", (box.left, box.top, box.right, box.bottom))])
    notes = {
        "hatched: outside the picture": small.padded,
        f"a part of {width:,} × {height:,} pixels": small.zoomed,
    }
    told = tuple(note for note, holds in notes.items() if holds)
    return _bounded(small.image, PHOTO_WEIGHT, told)


def heat_over_crop(crop: NDArray[np.uint8], heat: NDArray[np.float32]) -> FacePicture:
    """Lays a heat map over a crop.

    Args:
        crop: size x size x 3, uint8, RGB.
        heat: size x size, float32, 0 to 1.
    """
    notes = () if heat.any() else ("nothing in the crop raised this score",)
    blended = blend(crop, heat)
    if len(blended) > HEAT_SIDE:
        blended = _resized(blended, HEAT_SIDE / len(blended))
    return _bounded(blended, HEAT_WEIGHT, notes)


def blend(crop: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours a crop, which becomes grey, where a heat map is above 0.

    Args:
        crop: size x size x 3, uint8, RGB.
        heat: size x size, float32, 0 to 1.

    Returns:
        size x size x 3, uint8, RGB.
    """
    grey = (crop @ np.array(LUMA))[..., None]
    stops = np.linspace(0, 1, len(COLOURS))
    colour = np.stack([np.interp(heat, stops, channel) for channel in np.array(COLOURS).T], axis=-1)
    share = OPACITY * heat[..., None]
    blended: NDArray[np.uint8] = np.rint(grey * (1 - share) + colour * share).astype(np.uint8)
    return blended


def _bounded(image: NDArray[np.uint8], weight: int, notes: tuple[str, ...]) -> FacePicture:
    """Writes a picture, smaller where it would weigh too much."""
    uri = data_uri(image)
    while len(uri) > weight and max(image.shape[:2]) > SMALLEST_SIDE:
        image = _resized(image, 0.8)
        uri = data_uri(image)
    return FacePicture(uri, image.shape[1], image.shape[0], notes)


def _resized(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def name_within(path: Path, root: Path) -> str:
    """Gives a file's path below a folder, as a POSIX path; its name alone where it lies outside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
