"""What is measured in every epoch, by torchmetrics."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchmetrics import Metric


def accuracy(table: Tensor) -> Tensor:
    """Gives the share of samples that are named rightly, from a confusion matrix (true x named)."""
    return table.diagonal().sum() / table.sum()


def balanced_accuracy(table: Tensor) -> Tensor:
    """Gives the mean of the recalls of the classes that occur, as sklearn's of that name.

    torchmetrics' macro recall counts a class that was predicted but never occurred as 0.
    """
    support = table.sum(dim=1)
    occurring = support > 0
    return (table.diagonal()[occurring] / support[occurring]).mean()


def macro_f1(table: Tensor) -> Tensor:
    """Gives the mean of the F1 scores of the classes that occur or are named."""
    both = table.sum(dim=0) + table.sum(dim=1)
    known = both > 0
    return (2 * table.diagonal()[known] / both[known]).mean()


class TableScore(Metric):
    """A score of the confusion matrix of all batches on all devices.

    Args:
        classes: number of classes.
        score: gives a scalar for the matrix, int64, true classes x named classes.
    """

    full_state_update = False
    table: Tensor

    def __init__(self, classes: int, score: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.score = score
        empty = torch.zeros(classes, classes, dtype=torch.int64)
        self.add_state("table", empty, dist_reduce_fx="sum")

    def update(self, table: Tensor, loss: Tensor) -> None:
        """Adds the confusion matrix of a batch."""
        self.table += table

    def compute(self) -> Tensor:
        """Gives the score, a scalar."""
        return self.score(self.table)


class MeanLoss(Metric):
    """The mean of the losses of all samples in all batches on all devices."""

    full_state_update = False
    loss: Tensor
    samples: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("loss", torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, table: Tensor, loss: Tensor) -> None:
        """Adds the sum of the losses of a batch, and as many samples as are in its matrix."""
        self.loss += loss
        self.samples += table.sum()

    def compute(self) -> Tensor:
        """Gives the mean, a scalar."""
        return self.loss / self.samples


class StageMetrics(nn.Module):
    """Loss, accuracy, balanced accuracy, macro-F1 and the number of samples seen in one stage.

    All follow from two things that are found once a batch, the confusion matrix and the sum of the
    losses, without asking a GPU for an answer. Counts add up exactly: the scores of several devices
    are those of one.

    Args:
        classes: number of classes.
        stage: "train", "val" or "test"; the names begin with it.
    """

    def __init__(self, classes: int, stage: str) -> None:
        super().__init__()
        self.loss = MeanLoss()
        self.scores = nn.ModuleDict(
            {
                "accuracy": TableScore(classes, accuracy),
                "balanced_accuracy": TableScore(classes, balanced_accuracy),
                "macro_f1": TableScore(classes, macro_f1),
                "samples_seen": TableScore(classes, torch.sum),
            }
        )
        self.classes, self.stage = classes, stage

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Takes in a batch: logits B x classes, targets B; B may be 0.

        The loss is plain cross-entropy, the mean over samples.
        """
        logits = logits.detach().float()
        cells = targets * self.classes + logits.argmax(dim=1)
        # Not by bincount, for which the CPU would wait for the GPU, nor with a buffer of all cells:
        # a moving average of the weights averages buffers too and rounds whole numbers.
        every = torch.arange(self.classes**2, device=cells.device)
        table = (cells[:, None] == every).sum(dim=0).view(self.classes, self.classes)
        self.add(table, cross_entropy(logits, targets, reduction="sum"))

    def add(self, table: Tensor, loss: Tensor) -> None:
        """Adds what `totals` gave elsewhere: a confusion matrix and a sum of losses."""
        for metric in (self.loss, *self.scores.values()):
            metric.update(table, loss)  # type: ignore[operator]

    def totals(self) -> tuple[Tensor, Tensor]:
        """Gives what this device has seen: confusion matrix, int64, and sum of losses, scalar."""
        score = self.scores["accuracy"]
        assert isinstance(score, TableScore)
        return score.table, self.loss.loss

    def named(self) -> dict[str, Metric]:
        """Gives the metrics by the name under which they are logged."""
        metrics = {"loss": self.loss, **self.scores}
        return {f"{self.stage}/{name}": metric for name, metric in metrics.items()}  # type: ignore[misc]

    def reset(self) -> None:
        """Begins anew."""
        for metric in self.named().values():
            metric.reset()
