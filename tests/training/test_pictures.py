import io
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from emotion.experiments.outcome import RunResult


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0})
    accumulator.Reload()
    return accumulator


def test_tensorboard_has_curves_pictures_and_the_learning_rate(run_result: RunResult) -> None:
    tags = events(run_result.folder).Tags()
    scalars = set(tags["scalars"])
    for stage in ("train", "val"):
        for name in ("loss", "accuracy", "balanced_accuracy", "macro_f1"):
            assert f"{stage}/{name}" in scalars
    assert any("learning_rate" in tag or tag.startswith("lr") for tag in scalars)
    assert set(tags["images"]) == {"train/batch", "val/confusion"}


def test_the_pictures_show_something(run_result: RunResult) -> None:
    accumulator = events(run_result.folder)
    for tag, count in (("train/batch", 2), ("val/confusion", 2)):
        images = accumulator.Images(tag)
        assert len(images) == count
        pixels = np.asarray(Image.open(io.BytesIO(images[-1].encoded_image_string)))
        assert pixels.shape[2] == 3
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
