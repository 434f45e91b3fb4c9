"""What goes wrong with pictures in use: blur, noise, darkness and so on, each at three strengths.

The kinds are a choice of those of Hendrycks and Dietterich, "Benchmarking neural network robustness
to common corruptions and perturbations", ICLR 2019, and rotation and occlusion. Strengths are
shares of the crop's side, or made at a fixed size, so that they look the same whatever size a
network takes. They were chosen by eye: at strength 3 most emotions can still be made out.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Crop = NDArray[np.uint8]

# Standard deviation of a Gaussian in shares of the side: a moving hand, a lens out of focus.
BLUR = (0.01, 0.02, 0.03)
# Standard deviation in shares of white, of grains that are a 128th of the side: a dim room.
NOISE = (0.06, 0.12, 0.24)
# Share of the light that is left; what lies between two values of 8 bits is lost.
DARK = (0.6, 0.35, 0.2)
# JPEG quality at 256 pixels, where a block is a 32nd of the side: sent on by messengers.
JPEG = (20, 10, 5)
# Degrees, to the one side or the other: a tilted head, a held phone.
ROTATION = (15, 30, 45)
# Side of a grey square as a share of the crop's, somewhere on the face: a hand, a microphone.
OCCLUSION = (0.2, 0.35, 0.5)
# Pixels that are left of each side: a face at the back of a group photo.
RESOLUTION = (48, 32, 24)

NOISE_SIDE, JPEG_SIDE = 128, 256  # pixels at which noise is drawn and JPEG compresses
GREY = 127  # of the occluding square: neither dark nor bright
INNER = 0.6  # the middle of the square lies in this middle share of each side, where the face is

# Strengths in words, by corruption; their order decides the draws.
CORRUPTIONS: dict[str, tuple[str, ...]] = {
    "blur": tuple(f"Gaussian of {share:.0%} of the side" for share in BLUR),
    "noise": tuple(f"Gaussian of {share:.0%} of white" for share in NOISE),
    "dark": tuple(f"{share:.0%} of the light" for share in DARK),
    "JPEG": tuple(f"quality {quality}" for quality in JPEG),
    "rotation": tuple(f"{degrees} degrees" for degrees in ROTATION),
    "occlusion": tuple(f"a square of {share:.0%} of the side" for share in OCCLUSION),
    "low resolution": tuple(f"{side} × {side} pixels" for side in RESOLUTION),
}


def corrupt(pixels: Crop, name: str, strength: int, index: int) -> Crop:
    """Corrupts one crop; what is drawn depends on (name, strength, index) alone.

    Args:
        pixels: size x size x 3, uint8, RGB; it is not written to.
        name: one of `CORRUPTIONS`.
        strength: 1, 2 or 3.
        index: of the face.

    Returns:
        size x size x 3, uint8, RGB, newly made.

    Raises:
        ValueError: there is no such corruption or strength.
    """
    if name not in CORRUPTIONS or strength not in (1, 2, 3):
        raise ValueError(
            f"expected one of {', '.join(CORRUPTIONS)} at 1 to 3, got {name}, {strength}"
        )
    rng = np.random.default_rng([list(CORRUPTIONS).index(name), strength, index])
    return np.ascontiguousarray(_FUNCTIONS[name](pixels, strength - 1, rng), np.uint8)


def _blur(pixels: Crop, level: int, _: np.random.Generator) -> Crop:
    sigma = BLUR[level] * len(pixels)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def _noise(pixels: Crop, level: int, rng: np.random.Generator) -> Crop:
    grains = rng.standard_normal((NOISE_SIDE, NOISE_SIDE, 3), np.float32)
    # Fewer pixels than grains average them, as a camera's do; more show each as a square.
    way = cv2.INTER_AREA if len(pixels) < NOISE_SIDE else cv2.INTER_NEAREST
    noise = np.asarray(cv2.resize(grains, pixels.shape[:2], interpolation=way))
    return _clipped(pixels + 255 * NOISE[level] * noise)


def _dark(pixels: Crop, level: int, _: np.random.Generator) -> Crop:
    return _clipped(pixels * DARK[level])


def _jpeg(pixels: Crop, level: int, _: np.random.Generator) -> Crop:
    size = len(pixels)
    bgr = cv2.cvtColor(_resized(pixels, JPEG_SIDE), cv2.COLOR_RGB2BGR)
    done, file = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG[level]])
    assert done, "a crop can be written as JPEG"
    decoded = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)
    return _resized(decoded[..., ::-1], size)


def _rotation(pixels: Crop, level: int, rng: np.random.Generator) -> Crop:
    size, degrees = len(pixels), ROTATION[level] * rng.choice((-1, 1))
    turn = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), float(degrees), 1)
    # Corners go on with the pixels at the rim: black ones would be a corruption of their own.
    return np.asarray(
        cv2.warpAffine(pixels, turn, (size, size), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _occlusion(pixels: Crop, level: int, rng: np.random.Generator) -> Crop:
    size, side = len(pixels), OCCLUSION[level] * len(pixels)
    middle = size * (0.5 + INNER * (rng.random(2) - 0.5))
    (top, left), (bottom, right) = (
        np.clip(np.rint(middle + sign * side / 2), 0, size).astype(int) for sign in (-1, 1)
    )
    covered = pixels.copy()
    covered[top:bottom, left:right] = GREY
    return covered


def _low_resolution(pixels: Crop, level: int, _: np.random.Generator) -> Crop:
    return _resized(_resized(pixels, RESOLUTION[level]), len(pixels))


def _resized(pixels: Crop, size: int) -> Crop:
    way = cv2.INTER_AREA if size < len(pixels) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=way), np.uint8)


def _clipped(values: NDArray[np.floating]) -> Crop:
    clipped: Crop = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return clipped


_FUNCTIONS: dict[str, Callable[[Crop, int, np.random.Generator], Crop]] = {
    "blur": _blur,
    "noise": _noise,
    "dark": _dark,
    "JPEG": _jpeg,
    "rotation": _rotation,
    "occlusion": _occlusion,
    "low resolution": _low_resolution,
}
