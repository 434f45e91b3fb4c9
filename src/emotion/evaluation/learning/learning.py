"""Which epoch of a run was kept and why, and how it went on after that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from emotion.figures.curves import Curve
from emotion.training.selection import Mode, Selection, select_epoch

LOSS = "val/loss"
TRAIN_LOSS = "train/loss"


@dataclass(frozen=True)
class Losses:
    """Cross-entropy of one epoch, in nats; None where it was not measured or is no number."""

    epoch: int
    train: float | None
    val: float | None

    @property
    def gap(self) -> float | None:
        """How far validation loss lies above training loss."""
        return None if self.train is None or self.val is None else self.val - self.train


@dataclass(frozen=True)
class Learning:
    """How a run learnt.

    Attributes:
        selection: the epoch that was kept, by which score, and why.
        loss: the epoch with the lowest validation loss and from which on it never fell below that
            again; None where no validation loss is known.
        kept: losses of the epoch that was kept.
        lowest: losses of the epoch with the lowest validation loss; None as above.
        end: losses of the last epoch.
        evaluated: the epoch whose checkpoint is evaluated, where that is another; else None.
        finished: whether the run came to its end.
        notes: why training loss and validation loss are not quite the same measure.
        curves: losses, and the score of the selection where it is another one.
    """

    selection: Selection
    loss: Selection | None
    kept: Losses
    lowest: Losses | None
    end: Losses
    evaluated: int | None
    finished: bool
    notes: tuple[str, ...]
    curves: tuple[Curve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `metrics.json`."""
        return {
            "selection": self.selection.to_dict(),
            "loss": self.loss.to_dict() if self.loss else None,
            **{
                name: asdict(losses) | {"gap": losses.gap} if losses else None
                for name, losses in (
                    ("kept", self.kept),
                    ("lowest", self.lowest),
                    ("end", self.end),
                )
            },
            "evaluated": self.evaluated,
            "finished": self.finished,
            "notes": list(self.notes),
        }


def learning_of(
    columns: Mapping[str, Sequence[float]],
    monitor: str,
    mode: Mode,
    evaluated: int | None = None,
    finished: bool = True,
    notes: Sequence[str] = (),
) -> Learning:
    """Finds out how a run learnt.

    Args:
        columns: each metric over the epochs, by name; NaN where it is not known.
        monitor: the score by which the epoch was kept, one of them.
        mode: "min" where less of it is better, else "max".
        evaluated: the epoch whose checkpoint is evaluated; None for the one kept.
        finished: whether the run came to its end.
        notes: see `Learning`.

    Raises:
        ValueError: no epoch has that score.
    """
    selection = select_epoch(columns[monitor], monitor, mode)
    known = not all(math.isnan(value) for value in columns.get(LOSS, ()))
    loss = select_epoch(columns[LOSS], LOSS, "min") if known else None
    shown = [loss] if loss else []
    if monitor != LOSS:
        shown.append(selection)
    return Learning(
        selection=selection,
        loss=loss,
        kept=_losses(columns, selection.epoch),
        lowest=_losses(columns, loss.epoch) if loss else None,
        end=_losses(columns, selection.epochs),
        evaluated=None if evaluated == selection.epoch else evaluated,
        finished=finished,
        notes=tuple(notes),
        curves=tuple(_curve(columns, item) for item in shown),
    )


def _curve(columns: Mapping[str, Sequence[float]], item: Selection) -> Curve:
    return Curve(
        name=item.monitor.removeprefix("val/").replace("_", " "),
        train=columns.get(item.monitor.replace("val/", "train/"), ()),
        val=columns[item.monitor],
        no_better_from=item.no_better_from,
    )


def _losses(columns: Mapping[str, Sequence[float]], epoch: int) -> Losses:
    def value(name: str) -> float | None:
        column = columns.get(name, ())
        return column[epoch - 1] if column and math.isfinite(column[epoch - 1]) else None

    return Losses(epoch, value(TRAIN_LOSS), value(LOSS))
