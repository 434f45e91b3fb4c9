"""What is descended in training: cross-entropy, and what lets rare classes count."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from emotion.errors import ConfigError

CLASS_WEIGHTS = ("none", "balanced")
_LEAST_SHARE = 1e-6  # of a class without faces, whose logarithm would have no end


def balanced_weights(counts: Sequence[float]) -> Tensor:
    """Weighs classes so that all count alike: n / (classes * count), as sklearn's "balanced".

    The weights of n faces average 1, so the loss stays as large as without them.

    Args:
        counts: faces a class, in the order of the labels.

    Returns:
        A weight for each class, float32. A class without faces has 0, and is not among the classes
        that are divided by.
    """
    faces = torch.tensor(counts, dtype=torch.float64)
    occurring = faces > 0
    weights = torch.zeros_like(faces)
    weights[occurring] = faces.sum() / (occurring.sum() * faces[occurring])
    return weights.float()


class TrainedLoss(nn.Module):
    """Cross-entropy with class weights, label smoothing and logit adjustment; all off at first.

    Faces with logits z_i and classes y_i give

        sum_i w[y_i] CE(z_i + a, (1 - s) t_i + s/K)

    with weights w, adjustment a, smoothing s and K classes; t_i is onehot(y_i), or the shares of
    the votes where faces have such. It is a sum, for who trains to divide
    by the number of faces of the whole step: so neither devices nor accumulated batches change
    what a face counts, however unequal they are, and a device without faces has a loss of 0. Two
    things differ from what `torch.nn.CrossEntropyLoss(weight=w, label_smoothing=s)` does, on
    purpose:

    * That number of faces is divided by, where torch divides by the sum of their weights, which
      would depend on which faces meet on a device.
    * It weighs whole faces, where torch weighs each class that a smoothed target names. With torch
      a rare class of weight 26 takes the smoothing's share 26 times over, from every face: more
      than a face of a frequent class gives to its own class.

    The options do not count a class twice: the adjustment goes by the shares that the classes have
    once they are weighed, and is the same for all classes, thus without effect, beside "balanced".

    Args:
        classes: number of classes, K.
        class_weights: "none", or "balanced" for `balanced_weights`.
        label_smoothing: s, the share of the target given to all classes alike, 0 to 1.
        logit_adjustment: factor on the logarithm of each class's share, which is added to its logit
            (Menon et al., 2021, "Long-tail learning via logit adjustment"). 0 is off; after 1 the
            logits are those of classes that are equally frequent.

    Raises:
        ConfigError: a setting out of its range.
    """

    weights: Tensor
    adjustment: Tensor

    def __init__(
        self,
        classes: int,
        class_weights: Literal["none", "balanced"] = "none",
        label_smoothing: float = 0.0,
        logit_adjustment: float = 0.0,
    ) -> None:
        super().__init__()
        if class_weights not in CLASS_WEIGHTS:
            raise ConfigError(
                f"model.class_weights: expected none or balanced, got {class_weights}"
            )
        if isinstance(label_smoothing, bool | str | None) or not 0 <= label_smoothing <= 1:
            raise ConfigError(f"model.label_smoothing: expected 0 to 1, got {label_smoothing}")
        if isinstance(logit_adjustment, bool | str | None) or not abs(logit_adjustment) < math.inf:
            raise ConfigError(
                f"model.logit_adjustment: expected 0 (off) or a factor such as 1, got"
                f" {logit_adjustment}"
            )
        self.weighted = class_weights == "balanced"
        self.label_smoothing, self.logit_adjustment = label_smoothing, logit_adjustment
        # Not in the state dict, since they follow from the data, and only training wants them.
        self.register_buffer("weights", torch.ones(classes), persistent=False)
        self.register_buffer("adjustment", torch.zeros(classes), persistent=False)
        self.needs_counts = self.weighted or logit_adjustment != 0

    def set_class_counts(self, counts: Sequence[int]) -> None:
        """Tells how often each class is trained on in an epoch, in the order of the labels.

        That is its number of training faces, or, where a sampler draws them unevenly, what that
        draws; only their ratio counts.
        """
        seen = torch.tensor(counts, dtype=torch.float32)
        if self.weighted:
            self.weights.copy_(balanced_weights(counts))
            seen = seen * balanced_weights(counts)
        shares = seen / seen.sum()
        self.adjustment.copy_(self.logit_adjustment * shares.clamp_min(_LEAST_SHARE).log())
        self.needs_counts = False

    def forward(self, logits: Tensor, targets: Tensor, shares: Tensor | None = None) -> Tensor:
        """Gives the sum of the losses, a scalar.

        Args:
            logits: B x classes.
            targets: B class indices.
            shares: B x classes, rows summing to 1: what the faces are to be learnt as; None for
                their classes.
        """
        logits = logits + self.adjustment
        smoothing = self.label_smoothing
        learnt = targets if shares is None else shares
        if not self.weighted:
            return cross_entropy(logits, learnt, label_smoothing=smoothing, reduction="sum")
        losses = cross_entropy(logits, learnt, label_smoothing=smoothing, reduction="none")
        return (self.weights[targets] * losses).sum()
