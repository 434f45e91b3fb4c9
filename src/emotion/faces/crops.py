"""Cutting faces out of a picture: the same function in training and at use."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.faces.boxes import Box


def crop_face(
    image: NDArray[np.uint8], box: Box, margin: float = 0.0, square: bool = False
) -> NDArray[np.uint8]:
    """Cuts a face out of a picture, clipped at the picture's border.

    Args:
        image: H x W x 3, uint8, RGB.
        box: half-open, at least partly inside the picture.
        margin: share of the box's width added left and right, and of its height above and below.
        square: widen the shorter side first, around the same centre.

    Returns:
        A view of h x w x 3, uint8, RGB; not square where the border cut it.

    Raises:
        ValueError: the box lies outside the picture.
    """
    wanted = box.squared() if square else box
    inside = wanted.grown(margin).clipped(image.shape[1], image.shape[0])
    if inside is None:
        raise ValueError(f"{box} lies outside a picture of {image.shape[1]} x {image.shape[0]}")
    return image[inside.top : inside.bottom, inside.left : inside.right]


def resize_crop(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resizes a crop to a square; the aspect is not kept, as in the original.

    Averages pixels where no side grows (no aliasing), and interpolates bilinearly otherwise: what
    OpenCV calls INTER_AREA and INTER_LINEAR, to a grey level. In numpy, since loading OpenCV for it
    would cost whoever predicts a photo more memory than the network does.

    Args:
        crop: h x w x 3, or h x w, uint8.
        size: side of the result in pixels.

    Returns:
        size x size x 3, or size x size, uint8.
    """
    height, width = crop.shape[:2]
    taps = _covered if min(height, width) >= size else _neighbours
    rows = _weighted(crop, *taps(height, size))
    columns = _weighted(rows.swapaxes(0, 1), *taps(width, size))
    return np.rint(columns.swapaxes(0, 1)).astype(np.uint8, order="C")


Taps = tuple[NDArray[np.intp], NDArray[np.float32]]  # size x K: pixels and their weights, sum 1


@lru_cache(maxsize=512)  # faces of a video, or of a folder, have similar sizes
def _covered(length: int, size: int) -> Taps:
    """Gives the pixels that each of the wider new pixels covers, and how much of each."""
    edges = np.arange(size + 1) * (length / size)
    first = np.floor(edges[:-1] + 1e-9).astype(np.intp)
    pixels = first[:, None] + np.arange(int(np.ceil(length / size)) + 1)
    ends = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    weights = ends.clip(min=0)
    weights /= weights.sum(axis=1, keepdims=True)
    used = int((weights > 1e-7).any(axis=0).nonzero()[0].max()) + 1
    return pixels[:, :used].clip(max=length - 1), weights[:, :used].astype(np.float32)


@lru_cache(maxsize=512)
def _neighbours(length: int, size: int) -> Taps:
    """Gives the two pixels between whose centres each new centre lies, and how near they are."""
    centres = (np.arange(size) + 0.5) * (length / size) - 0.5
    left = np.floor(centres)
    share = centres - left
    pixels = np.stack([left, left + 1], axis=1).astype(np.intp).clip(0, length - 1)
    return pixels, np.stack([1 - share, share], axis=1).astype(np.float32)


def _weighted(
    values: NDArray[Any], pixels: NDArray[np.intp], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Adds up weighted rows: gives size x w x … for h x w x …."""
    shaped = weights.reshape(*weights.shape, *[1] * (values.ndim - 1))
    total = values[pixels[:, 0]] * shaped[:, 0]
    for k in range(1, pixels.shape[1]):
        total += values[pixels[:, k]] * shaped[:, k]
    return total
