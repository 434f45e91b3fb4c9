"""What a visitor of the page drops, and a desk whose answers are known from it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from tests.stand_ins import BlockDetector, BrightnessClassifier, block

from emotion.demo.answering import Answerer
from emotion.demo.desk import Desk
from emotion.demo.limits import Limits
from emotion.demo.photos import Photo
from emotion.models import Model

SIZE = (240, 160)  # width and height of a scene


def scene(*levels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draws faces of these classes beside one another, on black."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for place, level in enumerate(levels):
        image[30:94, 8 + 76 * place : 72 + 76 * place] = block(level)
    return image


def photo(name: str = "a.png", *levels: int) -> Photo:
    """Gives a photo with faces of these classes."""
    stream = io.BytesIO()
    Image.fromarray(scene(*levels)).save(stream, "PNG")
    return Photo(name, stream.getvalue())


def film_of(path: Path, name: str, *levels: int, frames: int = 10) -> Photo:
    """Gives a video, ten frames a second, in which faces of these classes stand still."""
    from tests.films import film

    return Photo(name, film(path, [scene(*levels)] * frames, fps=10).read_bytes())


def model(name: str = "blocks.onnx", threshold: float | None = None) -> Model:
    """Gives a model that is sure of each face with 60%."""
    from tests.exports import LICENCE

    from emotion.inference.model_info import ModelInfo

    classifier = BrightnessClassifier()
    info = ModelInfo(classifier.input, 1.0, threshold, "blocks", 1, "0" * 64, None, LICENCE)
    return Model(Path(name), classifier, threshold, 1.0, info)


def answerer(*models: Model, limits: Limits | None = None) -> Answerer:
    """Gives an answerer for models, or for one without a threshold."""
    given = models or (model(),)
    return Answerer(given, limits or Limits(), detector=lambda upsample: BlockDetector())


def desk(*models: Model, limits: Limits | None = None) -> Desk:
    """Gives a desk for models, or for one without a threshold."""
    made = answerer(*models, limits=limits)
    return Desk(made, [each.path.name for each in made.models])
