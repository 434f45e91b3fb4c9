"""What a network takes and gives: the contract between training and use.

An `InputSpec` says how a face in a picture becomes the network's input, and what its logits mean.
It is made from the config once, when training starts, and travels in the checkpoint; whoever
evaluates or predicts takes it from there and never from today's config.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emotion.errors import CheckpointError, ConfigError
from emotion.faces.boxes import Box
from emotion.faces.crops import crop_face, resize_crop
from emotion.faces.labels import EMOTIONS, check_names

# Mean and standard deviation of ImageNet's RGB values, 0 to 1, as torchvision's weights expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Below this, MobileNet-v2 (stride 32) is left with one pixel a channel, which batch norm refuses.
SMALLEST = 64
LARGEST = 1024  # far beyond any face; a crop of it is 3 MB


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) and math.isfinite(value) for value in values)


@dataclass(frozen=True)
class InputSpec:
    """How a face becomes an input of size x size x 3, uint8, RGB, and what the logits stand for.

    Attributes:
        labels: class names in the order of the logits.
        size: side of the network's input in pixels, a multiple of 32.
        margin: share of the box added on each side before cutting.
        square: widen the box to a square before cutting.
        mean: RGB mean that the network subtracts, 0 to 1.
        std: RGB standard deviation that it divides by, 0 to 1.
        mirror: answer with the mean logits of a face and its mirror image, at twice the time.
    """

    labels: tuple[str, ...] = EMOTIONS
    size: int = 256
    margin: float = 0.0
    square: bool = False
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    mirror: bool = False

    def __post_init__(self) -> None:
        given: object = self.labels
        if isinstance(given, str):  # would become one class a letter
            raise ConfigError(f"input.labels: expected a list of names, got {self.labels!r}")
        for name in ("labels", "mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_names(self.labels)
        if type(self.size) is not int or self.size % 32 or not SMALLEST <= self.size <= LARGEST:
            raise ConfigError(
                f"input.size: expected a multiple of 32, {SMALLEST} to {LARGEST}, got {self.size}"
            )
        if not _are_numbers(self.margin) or not 0 <= self.margin <= 2:
            raise ConfigError(f"input.margin: expected a share from 0 to 2, got {self.margin}")
        if type(self.mirror) is not bool:
            raise ConfigError(f"input.mirror: expected true or false, got {self.mirror}")
        three = len(self.mean) == len(self.std) == 3
        if not three or not _are_numbers(*self.mean, *self.std) or min(self.std) <= 0:
            raise ConfigError(
                "input.mean, input.std: expected three numbers each, std above 0,"
                f" got {self.mean} and {self.std}"
            )

    def crop(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
        """Cuts a face out of an H x W x 3, uint8, RGB picture, at the picture's own resolution."""
        return crop_face(image, box, self.margin, self.square)

    def pixels(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
        """Gives a face as the network sees it: size x size x 3, uint8, RGB."""
        return resize_crop(self.crop(image, box), self.size)

    def to_dict(self) -> dict[str, Any]:
        """Gives plain lists and numbers, for a checkpoint."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], place: str) -> Self:
        """Reads what `to_dict` gave.

        Args:
            content: the mapping.
            place: where it was found, for the error.

        Raises:
            CheckpointError: fields are missing, unknown or out of range.
        """
        expected = {field.name for field in fields(cls)}
        settings = {"mirror": False} | dict(content)  # which the first files did not know
        if set(settings) != expected:
            raise CheckpointError(
                f"{place}: the input settings have {sorted(content)}, expected {sorted(expected)};"
                " it may come from another version of emotion"
            )
        try:
            return cls(**settings)
        except (ConfigError, TypeError) as error:
            raise CheckpointError(f"{place}: {error}") from error
