"""How the learning rate moves: warm-up, then constant, along a cosine, or down at each plateau."""

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from emotion.errors import ConfigError

SCHEDULES = ("constant", "cosine", "plateau")
MODES = ("min", "max")


class Plateau:
    """A factor that falls whenever a score has not become better for long.

    As torch's `ReduceLROnPlateau` with a threshold of 0. Lightning steps that one only after it
    has written the epoch's checkpoint, which a continued run would feel; this one goes into it.

    Args:
        mode: "min" if a lower score is better, "max" if a higher one is.
        factor: what the factor is multiplied by each time, above 0 and below 1.
        patience: epochs without a better score that are borne; the next lowers the factor.

    Attributes:
        factor: the factor at present, 1 at first.

    Raises:
        ConfigError: a setting out of its range.
    """

    def __init__(self, mode: str, factor: float, patience: int) -> None:
        if mode not in MODES:
            raise ConfigError(f"model.mode: expected min or max, got {mode}")
        if isinstance(factor, bool | str | None) or not 0 < factor < 1:
            raise ConfigError(
                f"model.plateau_factor: expected above 0 and below 1, such as 0.1; got {factor}"
            )
        if type(patience) is not int or patience < 0:
            raise ConfigError(
                f"model.plateau_patience: expected a whole number from 0, got {patience}"
            )
        self._sign = 1 if mode == "min" else -1
        self._fall, self._patience = factor, patience
        self.factor = 1.0
        self._best = math.inf
        self._waited = 0

    def step(self, score: float) -> None:
        """Takes in the score of an epoch; one that is no number is no better."""
        if self._sign * score < self._best:
            self._best, self._waited = self._sign * score, 0
        else:
            self._waited += 1
        if self._waited > self._patience:
            self.factor *= self._fall
            self._waited = 0

    def state_dict(self) -> dict[str, float]:
        """Gives what a continued run needs, as plain data."""
        return {"factor": self.factor, "best": self._best, "waited": self._waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from there."""
        self.factor, self._best = float(state_dict["factor"]), float(state_dict["best"])
        self._waited = int(state_dict["waited"])


class RateSchedule:
    """The factor on the learning rate at each step.

    Args:
        shape: "constant", "cosine" down to 0 at the last step, or "plateau", see `Plateau`.
        warmup_epochs: epochs over which the rate first rises from 0, 0 or more.
        plateau: lowers the rate if the shape is "plateau".

    Raises:
        ConfigError: a setting out of its range.
    """

    def __init__(self, shape: str, warmup_epochs: float, plateau: Plateau) -> None:
        if shape not in SCHEDULES:
            raise ConfigError(
                f"model.schedule: expected constant, cosine or plateau, got {shape!r}"
            )
        if isinstance(warmup_epochs, bool | str | None) or not 0 <= warmup_epochs < math.inf:
            raise ConfigError(f"model.warmup_epochs: expected 0 or more, got {warmup_epochs}")
        self.shape, self.warmup_epochs, self.plateau = shape, warmup_epochs, plateau

    def factor(self, step: int, warmup: int, total: int) -> float:
        """Gives the factor at one step.

        Args:
            step: of the optimiser, from 0.
            warmup: steps of warm-up.
            total: all steps.
        """
        scale = self.plateau.factor if self.shape == "plateau" else 1.0
        if step < warmup:
            return scale * (step + 1) / (warmup + 1)
        if self.shape != "cosine":
            return scale
        done = min((step - warmup) / max(total - warmup, 1), 1.0)
        return 0.5 * (1 + math.cos(math.pi * done))

    def scheduler(self, optimizer: Optimizer, total: int, epochs: int) -> LambdaLR:
        """Makes the scheduler, which moves at every step.

        Args:
            optimizer: whose rates are multiplied.
            total: all steps.
            epochs: in which they are taken.
        """
        warmup = round(self.warmup_epochs * total / epochs)
        return LambdaLR(optimizer, lambda step: self.factor(step, warmup, total))

    def end_epoch(self, scheduler: LambdaLR, score: float) -> None:
        """Takes in the score of an epoch, and gives the next step the rate that follows from it."""
        if self.shape != "plateau":
            return
        self.plateau.step(score)
        groups = scheduler.optimizer.param_groups
        for group, rate, factor in zip(
            groups, scheduler.base_lrs, scheduler.lr_lambdas, strict=True
        ):
            group["lr"] = rate * factor(scheduler.last_epoch)
