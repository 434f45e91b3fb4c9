"""Heat maps: which parts of a crop raised the score of an answer (Grad-CAM, by captum)."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from emotion.errors import ConfigError
from emotion.training.checkpoints import CheckpointClassifier

BATCH = 8  # crops at a time


class GradCam:
    """Explains answers of a checkpoint's network by Grad-CAM (Selvaraju et al., ICCV 2017).

    The channels of the last feature map are added up, each weighed by the mean gradient of the
    class's logit over its pixels; what lowers the logit is left out.

    Args:
        classifier: whose answers are explained; its network is copied and not touched.

    Raises:
        ConfigError: captum is not installed.
    """

    def __init__(self, classifier: CheckpointClassifier) -> None:
        self._size, self._device = classifier.input.size, classifier.device
        self._network = deepcopy(classifier.network).requires_grad_(False)
        self._network.mirror = False  # the face as it is seen
        last = self._network.backbone.features[-1]
        # The gradient ends here, so the activations of all layers before it are not kept.
        last.requires_grad_(True)
        self._explainer = _captum()(self._network, last)

    def __call__(
        self, pixels: NDArray[np.uint8], classes: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Makes a heat map for each crop.

        Args:
            pixels: B x size x size x 3, uint8, RGB.
            classes: index of the class to explain for each, B, int64.

        Returns:
            B x size x size, float32; the greatest value of each is 1, or all are 0 where nothing
            in the crop raised the class's logit.
        """
        maps = [
            self._explain(pixels[start : start + BATCH], classes[start : start + BATCH])
            for start in range(0, len(pixels), BATCH)
        ]
        nothing = np.zeros((0, self._size, self._size), np.float32)
        return np.concatenate([nothing, *maps])

    def _explain(
        self, pixels: NDArray[np.uint8], classes: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        with torch.inference_mode(False), torch.enable_grad():
            batch = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
            targets = torch.from_numpy(np.ascontiguousarray(classes))
            coarse = self._explainer.attribute(
                batch.to(self._device), targets.to(self._device), relu_attributions=True
            )
        sides = (self._size, self._size)
        fine = interpolate(coarse.detach().float(), sides, mode="bilinear", align_corners=False)
        maps: NDArray[np.float32] = fine[:, 0].cpu().numpy()
        greatest = maps.max(axis=(1, 2), keepdims=True)
        np.divide(maps, greatest, out=maps, where=greatest > 0)
        return maps


def _captum() -> Any:
    try:
        from captum.attr import LayerGradCam
    except ImportError as error:
        raise ConfigError(
            "heat maps: captum is not installed, and Grad-CAM is taken from it: pip install"
            " 'emotion[heatmaps]', or ask for no heat maps"
        ) from error
    return LayerGradCam
