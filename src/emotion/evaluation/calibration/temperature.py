"""One number that makes a classifier's probabilities honest: the temperature.

Temperature scaling divides the logits by T before the softmax (Guo et al., "On calibration of
modern neural networks", ICML 2017). Above 1 it makes probabilities more modest, below 1 bolder; the
answers stay as they are. Logarithms of probabilities are logits but for a constant that the softmax
takes away, so probabilities are all that is needed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

LOWEST, HIGHEST = 0.05, 20.0  # between these a temperature is looked for
# A probability below is taken for it: the logarithm of nought is no number.
SMALLEST = float(np.finfo(np.float32).tiny)


def fit_temperature(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    """Finds the temperature with the lowest log loss.

    The loss is convex in 1/T, so that there is one minimum. Where every answer is right there is
    none, and the lowest temperature comes out: such faces cannot tell one.

    Args:
        probabilities: n x classes, float32, made with temperature 1; n is 1 or more.
        targets: true classes, n, int64.

    Returns:
        A number from 0.05 to 20; its loss on these faces is never above that of 1.
    """
    logits = _logits(probabilities)
    rows = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[rows, targets].mean())

    limits = (np.log(LOWEST), np.log(HIGHEST))
    found = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(min(0.0, float(found.x), key=loss)))


def apply_temperature(
    probabilities: NDArray[np.float32], temperature: float
) -> NDArray[np.float32]:
    """Gives the probabilities that logits divided by a temperature would have given.

    Args:
        probabilities: n x classes, float32, made with temperature 1.
        temperature: above 0.

    Returns:
        n x classes, float32, rows summing to 1; the answer of each row is the same as before.
    """
    if temperature == 1:
        return probabilities
    shares = np.exp(log_softmax(_logits(probabilities) / temperature, axis=1))
    scaled: NDArray[np.float32] = shares.astype(np.float32)
    top = probabilities.argmax(axis=1)
    # In float32 two classes may have become equal: the one that was ahead stays so by one bit.
    tied = np.flatnonzero(scaled.argmax(axis=1) != top)
    scaled[tied, top[tied]] = np.nextafter(scaled[tied].max(axis=1), np.float32(2))
    return scaled


def _logits(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
    return logits
