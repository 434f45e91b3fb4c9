"""Why a face got its answer: what speaks for it in words, and where the network looked."""

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from emotion.demo.faces import Face
from emotion.demo.looks import FACE_SIDE, shrunk, to_jpeg
from emotion.inference.predictions import FacePrediction
from emotion.models import Model

if TYPE_CHECKING:
    from emotion.training.heat_maps import GradCam

NO_GRADIENTS = "Heat maps need a checkpoint (*.ckpt); an exported model has no gradients."


def why(face: FacePrediction) -> str:
    """Says in a sentence or two why the answer is what it is."""
    ranked = sorted(face.probabilities, key=lambda name: -face.probabilities[name])
    first = f"{face.emotion} with {face.probabilities[face.emotion]:.0%}"
    rest = "".join(f"; next is {name} with {face.probabilities[name]:.0%}" for name in ranked[1:2])
    if face.answer == face.emotion:
        return f"Most probable is {first}{rest}."
    return (
        f"Most probable is {first}{rest}. That is less than the {face.threshold:.0%} that an"
        " answer needs here, so it stays unsure."
    )


def circumstances(face: Face) -> list[str]:
    """Gives what a reader should know about how the face was found."""
    detection = face.prediction.detection
    box = detection.box
    told = [
        f"{box.width} x {box.height} pixels",
        f"detector's score {detection.score:.1f}",
    ]
    if detection.view:
        told.append(f"pose: {detection.view}")
    if face.truncated:
        told.append("cut off by the border")
    if face.time is not None:
        told.append(f"the surest of its frames, at {face.time:.1f} s")
    return told


@dataclass(frozen=True)
class Explainer:
    """Makes heat maps; may be called from several threads.

    One at a time: Grad-CAM listens at the layers of one network.
    """

    _made: dict[int, "GradCam"] = field(default_factory=dict)
    _one: Lock = field(default_factory=Lock)

    def heat_map(self, model: Model, face: Face) -> bytes:
        """Lays over the crop what raised the score of its most probable class.

        Args:
            model: a checkpoint that answered; see `can_explain`.
            face: what it answered.

        Returns:
            A JPEG file.

        Raises:
            ConfigError: captum is not installed.
        """
        from emotion.evaluation.gallery.pictures import blend

        number = list(face.prediction.probabilities).index(face.prediction.emotion)
        with self._one:
            grad_cam = self._grad_cam(model)
            (heat,) = grad_cam(face.pixels[None], np.array([number], np.int64))
        return to_jpeg(shrunk(blend(face.pixels, heat), FACE_SIDE))

    def _grad_cam(self, model: Model) -> "GradCam":
        from emotion.training.checkpoints import CheckpointClassifier
        from emotion.training.heat_maps import GradCam

        assert isinstance(model.classifier, CheckpointClassifier), "see can_explain"
        if id(model) not in self._made:
            self._made[id(model)] = GradCam(model.classifier)
        return self._made[id(model)]


def can_explain(model: Model) -> bool:
    """Tells whether a model has gradients: a checkpoint has, an exported file has none."""
    return model.info is None
