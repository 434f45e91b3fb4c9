"""What the report says about learning, and the picture in the documentation."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.evaluation.learning.files import read_curves
from emotion.evaluation.learning.learning import learning_of
from emotion.evaluation.learning.part import LearningPart, describe_learning, learning_figure
from emotion.figures.canvas import to_pixels
from emotion.pages.rendering import TEMPLATES, _environment

DOCUMENTED = Path(__file__).parents[3] / "docs" / "images" / "original-curves.png"
HEART = "learnt its photos by heart"


def text_of(train: Sequence[float], val: Sequence[float], **more: Sequence[float]) -> str:
    scores = {f"val/{name}": values for name, values in more.items()}
    columns = {"train/loss": train, "val/loss": val, **scores}
    monitor = next(iter(scores), "val/loss")
    mode = "max" if scores else "min"
    return " ".join(describe_learning(learning_of(columns, monitor, mode)))  # type: ignore[arg-type]


def test_learning_by_heart_is_called_that() -> None:
    text = text_of([1.0, 0.8, 0.5, 0.3, 0.1], [1.2, 0.9, 1.0, 1.1, 1.3])
    assert text.startswith("Epoch 2 of 5 was kept: the lowest val/loss, 0.900.")
    assert "on falling from 0.800 to 0.100: from there on the network " + HEART in text
    assert "In the kept epoch validation loss (0.900) lies 0.100 above" in text
    assert "In the last epoch validation loss (1.300) lies 1.200 above" in text


@pytest.mark.parametrize(
    ("train", "val", "said"),
    [
        ([1.0, 0.8, 0.5], [1.2, 0.9, 1.0], "that is 1 epoch only, and may be chance"),
        ([1.0, 0.80, 0.79, 0.78, 0.77], [1.2, 0.9, 0.91, 0.91, 0.91], "the difference is small"),
        ([1.0, 0.8, 0.8, 0.9, 0.8], [1.2, 0.9, 1.2, 1.2, 1.2], "did not fall further"),
        ([1.0, 0.8, 0.5, 0.3, 0.1], [1.2, 0.9, 1.0, 1.1, math.nan], "that of epoch 2 again."),
        ([1.0, 0.8, 0.5], [1.2, 1.0, 0.9], "That is the last epoch: training could have gone on"),
        ([1.0], [1.2], "Epoch 1 of 1 was kept"),
    ],
)
def test_no_more_is_claimed_than_the_curves_show(
    train: Sequence[float], val: Sequence[float], said: str
) -> None:
    text = text_of(train, val)
    assert said in text
    assert HEART not in text


def test_a_score_and_the_loss_are_both_told() -> None:
    text = text_of([1.0, 0.5, 0.3], [1.0, 0.8, 0.7], balanced_accuracy=[0.2, 0.5, 0.4])
    assert "Epoch 2 of 3 was kept: the highest val/balanced_accuracy, 0.500." in text
    assert "val/loss was lowest in epoch 3 (0.700)." in text
    assert "by the loss, training could have gone on" in text


def test_without_a_loss_that_is_said() -> None:
    found = learning_of({"val/accuracy": [0.2, 0.1]}, "val/accuracy", "max", finished=False)
    text = " ".join(describe_learning(found))
    assert "Validation loss was not measured" in text
    assert "stopped before its end" in text


def test_the_part_is_rendered_with_its_picture() -> None:
    columns = {"train/loss": [1.0, 0.5], "val/loss": [1.1, math.nan]}
    found = learning_of(columns, "val/loss", "min", evaluated=2, notes=["a <b> & c"])
    template = _environment().from_string(
        '{% from "report_learning.html" import learning %}{{ learning(part) }}'
    )
    page = template.render(part=LearningPart.of(found))
    assert (TEMPLATES / "report_learning.html").is_file()
    assert '<h2 id="learning">' in page
    assert 'src="data:image/png;base64,' in page
    assert "a &lt;b&gt; &amp; c" in page
    assert "not the one that the run kept" in page
    assert "nan" not in page.split("base64,")[0]
    assert to_pixels(learning_figure(found)).shape[1] <= 4.6 * 120


def test_the_documentation_shows_what_is_drawn(shared: Path) -> None:
    folder = shared / "data" / "original"
    found = read_curves(folder / "train_loss.csv", folder / "val_loss.csv")
    drawn = to_pixels(learning_figure(found)).astype(float)
    shown = np.asarray(Image.open(DOCUMENTED).convert("RGB"), dtype=float)
    assert shown.shape == drawn.shape
    assert np.abs(shown - drawn).mean() < 1  # of 255: another version may place a letter otherwise
