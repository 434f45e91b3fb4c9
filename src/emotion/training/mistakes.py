"""The worst mistakes of a validation: the wrong answers that were given with most confidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes:
        pixels: the face as the network saw it, size x size x 3, uint8, RGB.
        truth: its class.
        answer: the class that was named.
        probability: that of the answer, 0 to 1.
    """

    pixels: NDArray[np.uint8]
    truth: int
    answer: int
    probability: float


class WorstMistakes:
    """Keeps the wrong answers with the highest probabilities, on the device where they came up.

    Nothing is asked of a GPU before `read`. Of equal probabilities any is kept.

    Args:
        kept: how many.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.faces = 0  # seen so far
        self._worst: dict[str, Tensor] | None = None

    def update(self, pixels: Tensor, targets: Tensor, logits: Tensor) -> None:
        """Takes in a batch: pixels B x 3 x size x size, uint8; targets B; logits B x classes."""
        probability, answer = logits.detach().float().softmax(dim=1).max(dim=1)
        # Below any probability, so that right answers are kept only while mistakes are few.
        score = probability.masked_fill(answer == targets, -1.0)
        batch = {"pixels": pixels, "truth": targets, "answer": answer, "score": score}
        # First the worst of the batch, so that few pictures are moved.
        worst = _highest(batch, self.kept)
        if self._worst is not None:
            both = {name: torch.cat([self._worst[name], worst[name]]) for name in worst}
            worst = _highest(both, self.kept)
        self._worst = worst
        self.faces += len(targets)

    def read(self) -> list[Mistake]:
        """Gives them, the most confident first; fewer than asked for if there are fewer."""
        if self._worst is None:
            return []
        found = {name: value.cpu().numpy() for name, value in self._worst.items()}
        return [
            Mistake(
                pixels.transpose(1, 2, 0), int(found["truth"][place]),
                int(found["answer"][place]), float(found["score"][place]),
            )
            for place, pixels in enumerate(found["pixels"])
            if found["score"][place] >= 0
        ]  # fmt: skip


def _highest(content: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    score = content["score"]
    places = score.topk(min(number, len(score))).indices
    return {name: value[places] for name, value in content.items()}


def caption(mistake: Mistake, labels: Sequence[str], room: int) -> str:
    """Gives "surprise → smile" and below it the probability.

    Args:
        mistake: it.
        labels: class names.
        room: letters of a line; names are cut off until they fit.
    """
    truth, answer = labels[mistake.truth], labels[mistake.answer]
    left = room - len(" → ")
    if len(truth) + len(answer) > left:
        half = left // 2
        first = max(half, left - len(answer))
        truth = _cut(truth, first)
        answer = _cut(answer, left - len(truth))
    return f"{truth} → {answer}\n{mistake.probability:.2f}"


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
