"""Which epoch is kept, and from where on the score no longer got better.

Epochs are counted from 1, as in the original's "checkpoint of epoch 4".
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Mode = Literal["min", "max"]


@dataclass(frozen=True)
class Selection:
    """The epoch that is kept of a run.

    Attributes:
        monitor: name of the score.
        mode: "min" where less is better, else "max".
        epoch: the epoch kept, the first with the best score.
        score: its score.
        epochs: how many epochs were trained.
        no_better_from: the epoch from which on the score was never better than the best before it;
            None where the last epoch is the best. With validation loss: where overfitting began.
    """

    monitor: str
    mode: Mode
    epoch: int
    score: float
    epochs: int
    no_better_from: int | None

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        which = "lowest" if self.mode == "min" else "highest"
        return f"the {which} {self.monitor} of {self.epochs} epochs; of equal ones the earliest"

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `selection.json`."""
        return asdict(self) | {"rule": self.rule}


def select_epoch(scores: Sequence[float], monitor: str, mode: Mode) -> Selection:
    """Chooses the epoch with the best score, of equal ones the earliest.

    Args:
        scores: the score of each epoch, in order; NaN is never best.
        monitor: name of the score.
        mode: "min" or "max".

    Raises:
        ValueError: there is no epoch with a score.
    """
    usable = [(i, s) for i, s in enumerate(scores, 1) if not math.isnan(s)]
    if not usable:
        raise ValueError(f"expected a {monitor} for one epoch at least, got {list(scores)}")
    sign = 1 if mode == "min" else -1
    epoch, score = min(usable, key=lambda pair: (sign * pair[1], pair[0]))
    later = epoch + 1 if epoch < len(scores) else None
    return Selection(monitor, mode, epoch, score, len(scores), later)
