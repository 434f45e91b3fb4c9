"""What is measured in every epoch, by torchmetrics."""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchmetrics import MeanMetric, Metric, MetricCollection, SumMetric
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)


class BalancedAccuracy(MulticlassConfusionMatrix):
    """Mean of the recalls of the classes that occur, as sklearn's `balanced_accuracy_score`.

    torchmetrics' macro recall counts a class that was predicted but never occurred as 0.
    """

    def compute(self) -> Tensor:
        """Gives a scalar, 0 to 1."""
        table = super().compute()
        support = table.sum(dim=1)
        occurring = support > 0
        return (table.diagonal()[occurring] / support[occurring]).mean()


class StageMetrics(nn.Module):
    """Loss, accuracy, balanced accuracy, macro-F1 and the number of samples of one stage.

    Args:
        classes: number of classes.
        stage: "train", "val" or "test"; the names begin with it.
    """

    def __init__(self, classes: int, stage: str) -> None:
        super().__init__()
        self.scores = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "balanced_accuracy": BalancedAccuracy(classes),
                "macro_f1": MulticlassF1Score(classes, average="macro"),
            },
            prefix=f"{stage}/",
            # The three keep different states; grouping would compare them at the first batch.
            compute_groups=False,
        )
        self.loss = MeanMetric()
        self.samples = SumMetric()
        self.stage = stage

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Takes in a batch: logits B x classes, targets B; a batch without samples changes nothing.

        The loss is plain cross-entropy, the mean over samples.
        """
        if len(targets) == 0:
            return
        logits = logits.detach().float()
        self.scores.update(logits, targets)
        self.loss.update(cross_entropy(logits, targets), weight=len(targets))
        self.samples.update(len(targets))

    def named(self) -> dict[str, Metric]:
        """Gives the metrics by the name under which they are logged."""
        scores = dict(self.scores.items())
        own = {f"{self.stage}/loss": self.loss, f"{self.stage}/samples": self.samples}
        return scores | own
