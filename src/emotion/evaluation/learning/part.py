"""The report's part on learning: what happened, in sentences, and the curves."""

from dataclasses import dataclass
from typing import Self

from matplotlib.figure import Figure

from emotion.evaluation.learning.learning import LOSS, Learning
from emotion.figures.canvas import to_pixels
from emotion.figures.curves import draw_curves
from emotion.pages.texts import counted
from emotion.pages.thumbnails import data_uri

WIDTH = 4.6  # inches: a page shows figures as wide as a phone
# Later epochs without a lower validation loss, and how much further it has to lie above training
# loss in the end (as a share of its lowest value), before learning by heart is spoken of.
ENOUGH, CLEAR = 3, 0.1


@dataclass(frozen=True)
class LearningPart:
    """What `report_learning.html` shows.

    Attributes:
        learning: the figures.
        sentences: what happened.
        curves: the curves as a `data:` address.
    """

    learning: Learning
    sentences: list[str]
    curves: str

    @classmethod
    def of(cls, learning: Learning) -> Self:
        """Draws the curves."""
        picture = data_uri(to_pixels(learning_figure(learning)), "png")
        return cls(learning, describe_learning(learning), picture)


def learning_figure(learning: Learning) -> Figure:
    """Draws the curves, no wider than a phone shows them, with the kept epoch marked."""
    chosen = learning.selection
    which = "lowest" if chosen.mode == "min" else "highest"
    return draw_curves(learning.curves, chosen.epoch, f"{which} {chosen.monitor}", WIDTH)


def describe_learning(learning: Learning) -> list[str]:
    """Says what happened in sentences, which claim no more than the curves show."""
    found = [_kept(learning)]
    if learning.evaluated is not None:
        found.append(
            f"The checkpoint evaluated here is that of epoch {learning.evaluated}, not the one"
            " that the run kept."
        )
    if learning.selection.epoch == learning.selection.epochs:
        found.append("That is the last epoch: training could have gone on.")
    return [*found, *_told_by_loss(learning), *_gaps(learning)]


def _kept(learning: Learning) -> str:
    chosen = learning.selection
    which = "lowest" if chosen.mode == "min" else "highest"
    text = (
        f"Epoch {chosen.epoch} of {chosen.epochs} was kept: the {which} {chosen.monitor},"
        f" {chosen.score:.3f}."
    )
    if not learning.finished:
        text += " The run was stopped before its end; what more epochs would have given is open."
    return text


def _told_by_loss(learning: Learning) -> list[str]:
    """Tells when validation loss was lowest, and what came after."""
    loss, lowest, end = learning.loss, learning.lowest, learning.end
    if loss is None or lowest is None:
        return ["Validation loss was not measured, so the curves do not tell about overfitting."]
    own = loss.monitor == learning.selection.monitor
    where = "" if own else f"{LOSS} was lowest in epoch {loss.epoch} ({loss.score:.3f}). "
    if loss.no_better_from is None:
        last = "" if own else "That is the last epoch: by the loss, training could have gone on."
        return [where + last] if where + last else []
    text = f"{where}From epoch {loss.no_better_from} on validation loss never fell below"
    text += f" that of epoch {loss.epoch} again" if own else " that again"
    if lowest.train is None or lowest.gap is None or end.train is None or end.gap is None:
        return [text + "."]
    if end.train >= lowest.train:
        return [f"{text}, and training loss did not fall further."]
    text += f", while training loss went on falling from {lowest.train:.3f} to {end.train:.3f}"
    after = loss.epochs - loss.epoch
    if after < ENOUGH:
        return [f"{text}; that is {counted(after, 'epoch')} only, and may be chance."]
    if end.gap - lowest.gap < CLEAR * loss.score:
        return [f"{text}; the difference is small."]
    return [f"{text}: from there on the network learnt its photos by heart."]


def _gaps(learning: Learning) -> list[str]:
    """Tells how far apart the losses are at the kept epoch and at the end."""
    found = []
    places = [(learning.kept, "In the kept epoch"), (learning.end, "In the last epoch")]
    for losses, where in places[: 1 if learning.kept.epoch == learning.end.epoch else 2]:
        if losses.gap is not None:
            side = "above" if losses.gap >= 0 else "below"
            found.append(
                f"{where} validation loss ({losses.val:.3f}) lies {abs(losses.gap):.3f} {side}"
                f" training loss ({losses.train:.3f})."
            )
    return found
