"""What is measured of validation and of no other part: F1 of each class, and calibration."""

import re
from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from emotion.training.metrics import StageMetrics

BINS = 15  # as in most papers since Guo et al. 2017, "On calibration of modern neural networks"


class CalibrationError(Metric):
    """The expected calibration error (ECE) of all batches on all devices, in equal-width bins.

    Faces are put by their confidence, the largest of their probabilities, into 15 bins of the same
    width, of which each holds its upper border: (0, 1/15], …, (14/15, 1]. The ECE is the mean over
    the bins, by their faces, of how far the share of right answers is from the mean confidence
    (Guo et al. 2017, equation 3). All are sums, so that those of several devices add up.
    """

    full_state_update = False
    count: Tensor
    right: Tensor
    confidence: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, kind in (("count", torch.int64), ("right", torch.int64)):
            self.add_state(name, torch.zeros(BINS, dtype=kind), dist_reduce_fx="sum")
        self.add_state("confidence", torch.zeros(BINS), dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Takes in a batch: logits B x classes, targets B; B may be 0."""
        confidence, answers = logits.detach().float().softmax(dim=1).max(dim=1)
        borders = torch.linspace(0, 1, BINS + 1, dtype=torch.float64)[1:-1].float()
        numbers = torch.bucketize(confidence, borders.to(confidence.device))
        # Not by bincount, which would make the CPU wait for the GPU.
        within = numbers[:, None] == torch.arange(BINS, device=numbers.device)
        self.count += within.sum(dim=0)
        self.right += (within & (answers == targets)[:, None]).sum(dim=0)
        self.confidence += (within * confidence[:, None]).sum(dim=0)

    def compute(self) -> Tensor:
        """Gives the ECE, a scalar from 0 to 1."""
        return (self.confidence - self.right).abs().sum() / self.count.sum()


class ValidationMetrics(StageMetrics):
    """What `StageMetrics` has, and `val/ece`; F1 of each class follows from the confusion matrix.

    Args:
        labels: class names in the order of the logits.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(len(labels), "val")
        self.calibration = CalibrationError()
        self.f1_names = f1_names(labels)

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Takes in a batch: logits B x classes, targets B; B may be 0."""
        super().update(logits, targets)
        self.calibration.update(logits, targets)

    def named(self) -> dict[str, Metric]:
        """Gives the metrics by the name under which they are logged."""
        return super().named() | {"val/ece": self.calibration}

    def of_classes(self, table: Tensor) -> dict[str, Tensor]:
        """Gives F1 of each class from the confusion matrix of all devices, see `class_f1`."""
        return class_f1(table, self.f1_names)


def class_f1(table: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Gives the F1 score of each class of which there is a face; the others have none to measure.

    Which classes these are depends on the truth alone, so it is the same in each epoch.

    Args:
        table: confusion matrix, int64, true classes x named classes.
        names: under which the scores are logged, in the order of the classes.
    """
    support, answered = table.sum(dim=1), table.sum(dim=0)
    scores = 2 * table.diagonal() / (support + answered)
    return {
        name: score
        for name, score, faces in zip(names, scores, support.tolist(), strict=True)
        if faces
    }


def f1_names(labels: Sequence[str]) -> list[str]:
    """Gives the names under which F1 scores are logged: `val/f1_smile`.

    What is no letter, digit, point or hyphen becomes "_", since a slash would begin a group of its
    own in TensorBoard; labels that are then alike get a number.
    """
    names: list[str] = []
    for label in labels:
        name = first = "val/f1_" + re.sub(r"[^\w.-]", "_", label)
        number = 2
        while name in names:
            name, number = f"{first}_{number}", number + 1
        names.append(name)
    return names
