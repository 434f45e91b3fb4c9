"""What every classifier of face crops can do, whatever it runs on."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emotion.faces.inputs import InputSpec


class Classifier(Protocol):
    """Names emotions.

    Attributes:
        input: how a face becomes an input, and the names of the classes.
    """

    @property
    def input(self) -> InputSpec:
        """The settings that the classifier was trained with."""
        ...

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Gives B x classes, rows summing to 1, for B x size x size x 3, uint8, RGB."""
        ...
