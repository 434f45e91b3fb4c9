import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from emotion.errors import ConfigError
from emotion.experiments.outcome import RunResult
from emotion.faces.inputs import InputSpec
from emotion.figures.canvas import to_pixels
from emotion.figures.grids import draw_grid
from emotion.training import pictures
from emotion.training.pictures import TensorBoardPictures

LABELS = ("neutral", "smile")


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0})
    accumulator.Reload()
    return accumulator


def pixels_of(event: Any) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))


def test_tensorboard_has_curves_pictures_and_the_learning_rate(run_result: RunResult) -> None:
    tags = events(run_result.folder / "tensorboard").Tags()
    scalars = set(tags["scalars"])
    for stage in ("train", "val"):
        for name in ("loss", "accuracy", "balanced_accuracy", "macro_f1"):
            assert f"{stage}/{name}" in scalars
    assert any("learning_rate" in tag or tag.startswith("lr") for tag in scalars)
    assert set(tags["images"]) == {"train/batch", "val/confusion", "val/worst_mistakes"}


def test_calibration_and_f1_of_validation_are_in_tensorboard_the_table_and_metrics(
    run_result: RunResult,
) -> None:
    scalars = set(events(run_result.folder / "tensorboard").Tags()["scalars"])
    header = (run_result.folder / "epochs.csv").read_text().splitlines()[0].split(",")
    found = {name for name in run_result.metrics if name.startswith("val/f1_")}
    assert found
    assert found <= {f"val/f1_{label}" for label in InputSpec().labels}
    for names in (scalars, header):
        assert {name for name in names if name.startswith("val/f1_")} == found
        assert "val/ece" in names
    for name in found | {"val/ece"}:
        assert 0 <= run_result.metrics[name] <= 1


def test_the_pictures_show_something(run_result: RunResult) -> None:
    accumulator = events(run_result.folder / "tensorboard")
    for tag in ("train/batch", "val/confusion", "val/worst_mistakes"):
        images = accumulator.Images(tag)
        assert len(images) == 2
        pixels = pixels_of(images[-1])
        assert pixels.shape[2] == 3
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


class Told(LightningModule):
    """Answers what the batch says, and learns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.input = InputSpec(labels=LABELS)
        self.confusion = torch.tensor([[3, 1], [0, 4]])

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        return self.weight * 0

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        self.log("val/loss", 1.0, batch_size=4)
        return batch["logits"]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def told_batches(margins: list[float]) -> list[dict[str, Tensor]]:
    """One face a margin, all neutral; face n is a grey of 10 n; above 0 it is named smile."""
    greys = 10 * torch.arange(len(margins), dtype=torch.uint8)
    content = {
        "pixels": greys[:, None, None, None].expand(-1, 3, 8, 8).contiguous(),
        "targets": torch.zeros(len(margins), dtype=torch.int64),
        "logits": torch.tensor([[0.0, margin] for margin in margins]),
    }
    starts = range(0, len(margins), 4)
    return [{name: value[at : at + 4] for name, value in content.items()} for at in starts]


def told_fit(folder: Path, margins: list[float], shown: Any, **changes: Any) -> EventAccumulator:
    settings: dict[str, Any] = {"max_epochs": 1, "num_sanity_val_steps": 0}
    quiet = ("enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    changes["callbacks"] = [shown, *changes.pop("callbacks", [])]
    trainer = Trainer(
        **(settings | dict.fromkeys(quiet, False) | changes),
        accelerator="cpu",
        log_every_n_steps=1,
        logger=TensorBoardLogger(folder, name="", version=""),
    )
    batches: Any = torch.utils.data.DataLoader(told_batches(margins), batch_size=None)  # type: ignore[arg-type]
    trainer.fit(Told(), batches, batches)
    return events(folder)


def test_the_worst_mistakes_of_all_batches_stand_in_order(tmp_path: Path) -> None:
    margins = [-3.0, 0.5, -1.0, 2.0, 4.0, -0.1, 1.0, 3.0, 0.2]
    found = told_fit(tmp_path, margins, TensorBoardPictures(mistakes=4))
    pixels = pixels_of(found.Images("val/worst_mistakes")[0])
    assert [int(pixels[150, 90 + 180 * place, 0]) for place in range(4)] == [40, 70, 30, 60]
    assert pixels.shape[1] == 4 * 180


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(
    ("epochs", "shown"), [(1, [1]), (4, [1, 3, 4]), (7, [1, 3, 6, 7]), (6, [1, 3, 6])]
)
def test_the_first_every_so_many_and_the_last_epoch_are_drawn(
    tmp_path: Path, epochs: int, shown: list[int]
) -> None:
    drawn = TensorBoardPictures(confusion_epochs=3, mistakes_epochs=3, batch_epochs=0)
    found = told_fit(tmp_path, [1.0, -1.0], drawn, max_epochs=epochs)
    assert set(found.Tags()["images"]) == {"val/confusion", "val/worst_mistakes"}
    for tag in found.Tags()["images"]:
        assert [event.step for event in found.Images(tag)] == shown  # of one step each


@pytest.mark.usefixtures("blank")
def test_the_last_epoch_is_drawn_where_it_came_early(tmp_path: Path) -> None:
    stop = EarlyStopping("val/loss", patience=3)
    drawn = TensorBoardPictures(confusion_epochs=2, mistakes_epochs=3)
    found = told_fit(tmp_path, [1.0, -1.0], drawn, max_epochs=50, callbacks=[stop])
    assert [event.step for event in found.Images("val/confusion")] == [1, 2, 4]
    assert [event.step for event in found.Images("val/worst_mistakes")] == [1, 3, 4]


def test_each_picture_can_be_left_out(tmp_path: Path) -> None:
    drawn = TensorBoardPictures(batch_epochs=0, confusion_epochs=0, mistakes_epochs=0)
    assert told_fit(tmp_path, [1.0, -1.0], drawn, max_epochs=2).Tags()["images"] == []


def test_the_sanity_check_leaves_nothing(tmp_path: Path) -> None:
    drawn = TensorBoardPictures(mistakes=8)
    once = told_fit(tmp_path / "a", [1.0, 2.0, -1.0], drawn, num_sanity_val_steps=-1)
    images = once.Images("val/worst_mistakes")
    assert [event.step for event in once.Images("val/confusion")] == [1]
    assert [event.step for event in images] == [1]
    without = told_fit(tmp_path / "b", [1.0, 2.0, -1.0], TensorBoardPictures(mistakes=8))
    expected = without.Images("val/worst_mistakes")[0]
    assert images[0].encoded_image_string == expected.encoded_image_string


def titles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Gives the titles to come, and how much of the sheet's width each takes."""
    seen: list[tuple[str, float]] = []

    def listened(*arguments: Any) -> Any:
        figure = draw_grid(*arguments)
        to_pixels(figure)
        box = next(t for t in figure.texts if t.get_text() == figure.get_suptitle())
        width = box.get_window_extent().width / figure.bbox.width
        seen.append((figure.get_suptitle(), width))
        return figure

    monkeypatch.setattr(pictures, "draw_grid", listened)
    return seen


@pytest.mark.parametrize(("margins", "what"), [([1.0], "worst mistakes"), ([-1.0], "no mistake")])
def test_a_title_names_the_epoch_and_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, margins: list[float], what: str
) -> None:
    seen = titles(monkeypatch)
    told_fit(tmp_path, margins, TensorBoardPictures(batch_epochs=0))
    ((title, width),) = seen
    assert title.startswith(what)
    assert title.endswith("validation, epoch 1")
    assert width < 0.9


def test_of_several_devices_the_title_says_how_many_faces_the_first_one_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = titles(monkeypatch)
    monkeypatch.setattr(Trainer, "world_size", 2)
    told_fit(tmp_path, [1.0, 2.0, -1.0, 3.0, -1.0], TensorBoardPictures(batch_epochs=0))
    ((title, width),) = seen
    assert title.endswith("\nof 5 faces seen by the first device")
    assert width < 0.9


@pytest.mark.parametrize(
    "setting",
    [{"batch_epochs": -1}, {"faces": 0}, {"confusion_epochs": True}, {"mistakes_epochs": 2.5}],
)
def test_a_number_that_is_none_is_refused(setting: dict[str, Any]) -> None:
    (name,) = setting
    with pytest.raises(ConfigError, match=f"callbacks.pictures.{name}: expected a whole number"):
        TensorBoardPictures(**setting)
