"""What a face does to show a label."""

from dataclasses import astuple

import numpy as np

from emotion.sketches.traits import Expression

# Each expression at its peak; where there are two, people show the one or the other.
PEAKS: dict[str, tuple[Expression, ...]] = {
    "neutral": (Expression(),),
    "anger": (
        Expression(
            inner_brow=-0.17,
            outer_brow=0.06,
            pinch=0.07,
            frown=1.0,
            upper_lid=0.085,
            lower_lid=0.05,
            droop=-0.055,
            mouth=0.33,
            corners=-0.085,
            lips=0.6,
        ),
        Expression(
            inner_brow=-0.17,
            outer_brow=0.06,
            pinch=0.07,
            frown=1.0,
            upper_lid=0.095,
            lower_lid=0.05,
            droop=-0.055,
            mouth=0.36,
            corners=-0.05,
            lips=0.75,
            opening=0.2,
            squareness=0.8,
            teeth=1.0,
            jaw=0.08,
            cheeks=0.15,
        ),
    ),
    "surprise": (
        Expression(
            inner_brow=0.23,
            outer_brow=0.21,
            forehead=1.0,
            upper_lid=0.215,
            lower_lid=0.125,
            mouth=0.23,
            lips=0.9,
            opening=0.42,
            squareness=0.4,
            teeth=0.15,
            jaw=0.2,
        ),
    ),
    "smile": (
        Expression(
            inner_brow=0.03,
            outer_brow=0.03,
            upper_lid=0.105,
            lower_lid=0.045,
            droop=0.01,
            mouth=0.50,
            corners=0.17,
            lips=0.8,
            opening=0.19,
            teeth=0.9,
            jaw=0.02,
            cheeks=1.0,
        ),
        Expression(
            inner_brow=0.03,
            outer_brow=0.03,
            upper_lid=0.105,
            lower_lid=0.05,
            droop=0.01,
            mouth=0.49,
            corners=0.16,
            lips=0.8,
            cheeks=0.9,
        ),
    ),
    "sad": (
        Expression(
            inner_brow=0.16,
            outer_brow=-0.09,
            pinch=0.03,
            frown=0.25,
            forehead=0.4,
            upper_lid=0.085,
            lower_lid=0.07,
            droop=0.06,
            mouth=0.33,
            corners=-0.15,
            lips=0.95,
        ),
    ),
}


def act(generator: np.random.Generator, label: str) -> Expression:
    """Draws an expression: between the relaxed face and one of the label's peaks, never exact.

    Args:
        generator: The only source of chance.
        label: One of PEAKS.
    """
    peak = PEAKS[label][generator.integers(len(PEAKS[label]))]
    intensity = generator.uniform(0.78, 1.12)
    relaxed, full = np.array(astuple(Expression())), np.array(astuple(peak))
    mixed = relaxed + intensity * (full - relaxed)
    mixed *= generator.uniform(0.92, 1.08, mixed.size)
    mixed += generator.uniform(-0.012, 0.012, mixed.size)
    return Expression(*(float(value) for value in mixed))
