import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from emotion.files import config_folder
from emotion.training.history import History
from emotion.training.selection import select_epoch

# The first 20 of the original's 100 validation losses, rounded (its published val_loss.csv).
ORIGINAL_START = (
    1.8824, 1.3831, 1.1476, 0.8406, 0.9479, 0.8598, 0.9979, 0.9806, 1.1889, 1.6131,
    1.5408, 1.7232, 1.2915, 1.1672, 1.4000, 1.4838, 1.4308, 1.3631, 1.1093, 1.6586,
)  # fmt: skip


def test_the_lowest_loss_is_kept() -> None:
    selection = select_epoch(ORIGINAL_START, "val/loss", "min")
    assert (selection.epoch, selection.score) == (4, 0.8406)
    assert selection.no_better_from == 5
    assert selection.rule == "the lowest val/loss of 20 epochs; of equal ones the earliest"


def test_no_overfitting_where_the_last_epoch_is_best() -> None:
    assert select_epoch([3.0, 2.0, 1.0], "val/loss", "min").no_better_from is None


def test_nan_is_never_best() -> None:
    assert select_epoch([float("nan"), 2.0], "val/loss", "min").epoch == 2
    with pytest.raises(ValueError, match="expected a val/loss for one epoch at least"):
        select_epoch([float("nan")], "val/loss", "min")


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.sampled_from(["min", "max"]))
def test_the_earliest_of_the_best_is_kept(scores: list[float], mode: Any) -> None:
    best = min(scores) if mode == "min" else max(scores)
    assert select_epoch(scores, "score", mode).epoch == scores.index(best) + 1


class Replay(LightningModule):
    """Logs given validation losses, an epoch each."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.losses = losses
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Any, batch_index: int) -> torch.Tensor:
        return (self.weight * 0).sum()

    def validation_step(self, batch: Any, batch_index: int) -> None:
        self.log("val/loss", self.losses[self.current_epoch])

    def on_validation_epoch_end(self) -> None:
        self.log("epoch", float(self.current_epoch + 1))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def replay(losses: list[float], patience: int, folder: Path) -> tuple[Trainer, ModelCheckpoint]:
    """Feeds losses to the callbacks that conf/callbacks/default.yaml describes."""
    monitor = {"name": "val/loss", "mode": "min", "patience": patience}
    config = OmegaConf.create({"monitor": monitor, "run_dir": str(folder)})
    config.callbacks = OmegaConf.load(config_folder() / "callbacks" / "default.yaml")
    nodes = OmegaConf.to_container(config, resolve=True)
    assert isinstance(nodes, dict)
    chosen = {name: dict(nodes["callbacks"][name]) for name in ("best", "last", "early_stopping")}
    for node in chosen.values():
        node.pop("_target_")
    best = ModelCheckpoint(**chosen["best"])
    stopping = EarlyStopping(**chosen["early_stopping"])
    history = History(str(folder / "epochs.csv"))
    trainer = Trainer(
        max_epochs=len(losses),
        callbacks=[best, ModelCheckpoint(**chosen["last"]), stopping, history],
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loader: Any = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(1, 1)))
    trainer.fit(Replay(losses), loader, loader)
    assert history.column("val/loss") == pytest.approx(losses[: trainer.current_epoch])
    return trainer, best


def test_the_callbacks_keep_epoch_4_of_the_original_and_stop_at_4_plus_patience(
    tmp_path: Path,
) -> None:
    trainer, best = replay(list(ORIGINAL_START), 10, tmp_path)
    assert trainer.current_epoch == 4 + 10
    assert Path(best.best_model_path).name == "epoch_004.ckpt"
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == [
        "epoch_004.ckpt",
        "last.ckpt",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("patience", [5, 100])
def test_the_callbacks_replay_the_originals_own_100_epochs(
    shared: Path, tmp_path: Path, patience: int
) -> None:
    with (shared / "data" / "original" / "val_loss.csv").open() as file:
        losses = [float(row[0]) for row in csv.reader(file)]
    trainer, best = replay(losses, patience, tmp_path)
    assert trainer.current_epoch == min(4 + patience, 100)
    assert Path(best.best_model_path).name == "epoch_004.ckpt"
    selection = select_epoch(losses, "val/loss", "min")
    assert (selection.epoch, selection.no_better_from) == (4, 5)
    assert selection.score == pytest.approx(0.8406, abs=5e-5)
