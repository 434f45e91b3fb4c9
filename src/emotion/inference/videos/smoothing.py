"""Averaging a face's probabilities over time, so that answers do not flicker."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

TIME_CONSTANT = 0.5  # seconds; an expression lasts about as long
# After so many time constants nothing is left of a value, to the last bit of a double.
GONE = 40


@dataclass(frozen=True)
class _State:
    values: Mapping[str, float]
    time: float


class Smoother:
    """Exponential averaging with a time constant in seconds, whatever the frame rate.

    A value counts for 1/e after one time constant; a change of expression is followed by 63 % after
    one and by 95 % after three.

    Args:
        constant: seconds; 0 leaves the values as they are.
    """

    def __init__(self, constant: float = TIME_CONSTANT) -> None:
        if not (math.isfinite(constant) and constant >= 0):
            raise ValueError(f"expected seconds, 0 or more, got {constant}")
        self._constant = constant
        self._states: dict[int, _State] = {}

    def smooth(self, number: int, raw: Mapping[str, float], time: float) -> dict[str, float]:
        """Gives the averaged probabilities of a face.

        Args:
            number: of the face.
            raw: class name -> its probability in this frame.
            time: of the frame, in seconds, not before that of the last one.

        Returns:
            The same classes in the same order; the sum is that of the raw ones.
        """
        if self._constant == 0:
            return dict(raw)
        self._forget(time)
        state = self._states.get(number, _State(raw, time))
        share = -math.expm1(-(time - state.time) / self._constant)
        values = {
            name: state.values[name] + share * (value - state.values[name])
            for name, value in raw.items()
        }
        self._states[number] = _State(values, time)
        return values

    def _forget(self, time: float) -> None:
        """Drops faces of which nothing would be left: a long video shows ever new ones."""
        oldest = time - GONE * self._constant
        gone = [number for number, state in self._states.items() if state.time < oldest]
        for number in gone:
            del self._states[number]
