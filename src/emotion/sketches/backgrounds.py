"""What is behind people: a wall, a room, a park or a street."""

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.sketches.easel import Plane

# Height x width x 3, float32, RGB, about 0 to 255.
_Image = NDArray[np.float32]


def paint_background(generator: np.random.Generator, width: int, height: int) -> tuple[Plane, ...]:
    """Paints an out-of-focus background.

    Args:
        generator: The only source of chance.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        The red, green and blue plane, each height x width, float32, about 0 to 255.
    """
    # Painted small and enlarged: blur costs nothing that way.
    small = np.empty((height // 8, width // 8, 3), np.float32)
    _wash(generator, small)
    painters = (_hang_clouds, _furnish_room, _plant_park, _build_street)
    painters[int(generator.integers(len(painters)))](generator, small)
    blurred = cv2.GaussianBlur(small, (0, 0), generator.uniform(1.2, 3.5))
    planes = (cv2.resize(plane, (width, height)) for plane in cv2.split(blurred))
    return tuple(np.asarray(plane, np.float32) for plane in planes)


def _wash(generator: np.random.Generator, image: _Image) -> None:
    first, second = _hue(generator, 0.35), _hue(generator, 0.35)
    height, width = image.shape[:2]
    angle = generator.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-0.7, 0.7, width), np.linspace(-0.7, 0.7, height))
    blend = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    image[:] = first + (second - first) * blend


def _hue(generator: np.random.Generator, saturation: float) -> NDArray[np.float64]:
    value = generator.uniform(70, 215)
    return np.asarray(value * (1.0 - saturation * generator.random(3)))


def _hang_clouds(generator: np.random.Generator, image: _Image) -> None:
    """Mottles the wall like a photographer's backdrop."""
    height, width = image.shape[:2]
    coarse = generator.normal(0.0, 22.0, (6, 8)).astype(np.float32)
    image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]


def _furnish_room(generator: np.random.Generator, image: _Image) -> None:
    """Puts pictures, shelves and a window on the wall."""
    height, width = image.shape[:2]
    for _ in range(generator.integers(3, 8)):
        left, top = (int(value) for value in generator.uniform((-20, -10), (width, height * 0.7)))
        right = left + int(generator.integers(12, 50))
        bottom = top + int(generator.integers(8, 70))
        cv2.rectangle(image, (left, top), (right, bottom), _hue(generator, 0.6).tolist(), -1)


def _plant_park(generator: np.random.Generator, image: _Image) -> None:
    """Sets foliage under a bright sky, with the sun coming through as discs."""
    height, width = image.shape[:2]
    image *= np.array((0.82, 0.95, 0.72), np.float32)
    for _ in range(45):
        x, y = generator.integers((0, height // 5), (width, height))
        green = generator.uniform((50, 76, 38), (128, 158, 92)).tolist()
        cv2.circle(image, (int(x), int(y)), int(generator.integers(4, 16)), green, -1)
    _scatter_lights(generator, image, (250, 245, 190))


def _build_street(generator: np.random.Generator, image: _Image) -> None:
    """Lines up house fronts and the lights of a street."""
    height, width = image.shape[:2]
    left = 0
    while left < width:
        right = left + int(generator.integers(14, 46))
        top = int(generator.integers(0, height // 2))
        cv2.rectangle(image, (left, top), (right, height), _hue(generator, 0.4).tolist(), -1)
        left = right
    _scatter_lights(generator, image, (255, 205, 140))


def _scatter_lights(
    generator: np.random.Generator, image: _Image, colour: tuple[int, int, int]
) -> None:
    height, width = image.shape[:2]
    lights = np.zeros_like(image)
    for _ in range(generator.integers(6, 18)):
        x, y = generator.integers((0, 0), (width, height * 2 // 3))
        cv2.circle(lights, (int(x), int(y)), int(generator.integers(2, 7)), colour, -1)
    image += generator.uniform(0.2, 0.5) * lights
