"""Draws the original project's loss curves for the documentation.

Their two CSV files are not part of this project; where they are at hand:

    python docs/original_curves.py train_loss.csv val_loss.csv docs/images/original-curves.png
"""

import sys
from pathlib import Path

from emotion.evaluation.learning.files import read_curves
from emotion.evaluation.learning.part import describe_learning, learning_figure
from emotion.figures.canvas import save_figure


def main(train: str, val: str, picture: str) -> None:
    """Draws the curves and prints what the report says about them."""
    learning = read_curves(Path(train), Path(val))
    save_figure(learning_figure(learning), Path(picture))
    print("\n".join(describe_learning(learning)))


if __name__ == "__main__":
    main(*sys.argv[1:])
