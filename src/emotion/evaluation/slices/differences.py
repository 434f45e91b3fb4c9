"""A group of faces against all others: how much less often it is named rightly, if at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from emotion.evaluation.intervals import LEVEL, Draws, Interval, Score
from emotion.evaluation.metrics import divide


@dataclass(frozen=True)
class AgainstRest:
    """A group and its rest.

    Attributes:
        accuracy: of the group.
        rest: of all other faces.
        difference: accuracy less that of the rest.
        p: probability of such a difference, either way, where there is none.
    """

    accuracy: Interval
    rest: Interval
    difference: Interval
    p: float


def accuracy_of(draws: Draws, group: int, units: int) -> Interval:
    """Gives the accuracy of one group.

    Args:
        draws: of faces by group, and then of right answers by group: 2 x groups numbers.
        group: its number, with one face or more.
        units: that its faces are of.
    """
    found = draws.interval(_share(group, False), units)
    assert found is not None, "the group has a face"
    return found


def against_rest(draws: Draws, group: int, units: tuple[int, int]) -> AgainstRest:
    """Compares a group with all other faces, on the same draws.

    Where the draws of one side all agree, because it is always right or never, they say nothing of
    its error. There the two intervals are put together, each distance squared and added (Newcombe,
    Statistics in Medicine 17, 1998, method 10).

    Args:
        draws: see `accuracy_of`; of two groups or more.
        group: its number; it has a face, and so has the rest.
        units: that the faces of the group are of, and those of the rest.
    """
    own, rest = _share(group, False), _share(group, True)
    accuracy, others = draws.interval(own, units[0]), draws.interval(rest, units[1])
    assert accuracy is not None, "the group has a face"
    assert others is not None, "the rest has a face"
    if _agree(own(draws.drawn)) or _agree(rest(draws.drawn)):
        difference = square_and_add(accuracy, others)
    else:
        found = draws.interval(lambda sums: own(sums) - rest(sums), min(units), signed=True)
        assert found is not None, "both sides have a face"
        difference = found
    return AgainstRest(accuracy, others, difference, p_value(difference, min(units)))


def _share(group: int, others: bool) -> Score:
    """Gives the score that is the share of right answers in a group, or in all others."""

    def share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        faces, right = np.split(sums, 2, axis=-1)
        if others:
            return divide(
                right.sum(axis=-1) - right[..., group], faces.sum(axis=-1) - faces[..., group]
            )
        return divide(right[..., group], faces[..., group])

    return share


def _agree(drawn: NDArray[np.float64]) -> bool:
    known = drawn[~np.isnan(drawn)]
    return len(known) == 0 or bool((known == known[0]).all())


def square_and_add(a: Interval, b: Interval) -> Interval:
    """Gives the interval of a - b from those of two independent values."""
    value = a.value - b.value
    below = np.hypot(a.value - a.low, b.high - b.value)
    above = np.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, float(value - below), float(value + above))


def p_value(difference: Interval, units: int) -> float:
    """Gives the two-sided p of no difference, from the interval of one.

    As Altman and Bland, "How to obtain the P value from a confidence interval", BMJ 343 (2011),
    with Student's t in place of the normal distribution, and the half of the interval that faces
    0. It is below 0.05 exactly where the 95 % interval leaves out 0.

    Args:
        difference: with its 95 % interval.
        units: that it rests on; of one alone nothing follows, and p is 1.
    """
    value = abs(difference.value)
    towards = difference.high if difference.value < 0 else difference.low
    margin = abs(difference.value - towards)
    if units < 2 or value == 0 or margin == 0:
        return 1.0
    ends = t.ppf((1 + LEVEL) / 2, units - 1)
    return float(2 * t.sf(value / margin * ends, units - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p values for their number, so that one in twenty reports errs, not one in twenty p.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979); it needs no independence.
    """
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if len(values) else steps
    return [float(value) for value in adjusted]
