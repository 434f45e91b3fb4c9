"""Cutting faces out of a picture: the same function in training and at use."""

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

    Averages pixels where no side grows (no aliasing), and interpolates bilinearly otherwise.

    Args:
        crop: h x w x 3, uint8.
        size: side of the result in pixels.

    Returns:
        size x size x 3, uint8.
    """
    import cv2

    shrinks = min(crop.shape[:2]) >= size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(crop, (size, size), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)
