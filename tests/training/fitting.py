"""Trainings of a few steps whose weights can be held against one another, here or in processes.

All is computed in float64, in which other orders of adding differ by 1e-16.
"""

import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from tests.processes import copies, free_port
from torch import Tensor

from emotion.data.datamodule import FaceCropDataModule
from emotion.experiments.configs import VERSION_BASE
from emotion.files import config_folder
from emotion.training.module import EmotionModule

COUNTS = [0, 0, 0, 9, 4]
OPTIMIZERS: dict[str, Any] = {
    "sgd": partial(torch.optim.SGD, lr=0.05, momentum=0.9),
    "still": partial(torch.optim.SGD, lr=0.0),
    "adam": partial(torch.optim.Adam, lr=1e-3),
}
Row = dict[str, float]


class BrokenOffError(Exception):
    """Breaks a run off."""


class Breaker(Checkpoint):
    """Writes a checkpoint after a batch, or after an epoch where that is None, and breaks off."""

    def __init__(self, path: Path, epoch: int, batch: int | None) -> None:
        self.path, self.epoch, self.batch = path, epoch, batch

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if (trainer.current_epoch, batch_idx) == (self.epoch, self.batch):
            self._break(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch == self.epoch and self.batch is None:
            self._break(trainer)

    def _break(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self.path)
        raise BrokenOffError


class Rows(Callback):
    """Keeps each epoch's metrics and learning rate."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self.rows[trainer.current_epoch] = metrics | {"rate": rate}


def data_of(root: str, *overrides: str) -> FaceCropDataModule:
    settings = [f"data.root={root}", "run_dir=.", "data.cache=null", "input.size=64", *overrides]
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        config = compose("train", settings)
    module: FaceCropDataModule = instantiate(config.data, _convert_="all")
    return module


def calibrate(module: EmotionModule) -> None:
    """Gives batch norm statistics, without which random layers of a frozen network let nothing by.

    What they pass on would vanish, and only the last bias would learn.
    """
    network, kind = module.network, module.network.batch_norm
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in norms:
        layer.momentum = 1.0
    network.batch_norm = "live"
    noise = torch.randint(0, 256, (8, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.train()(noise)
    for layer in norms:
        layer.momentum = 0.1
    network.batch_norm = kind


def fitted(
    data: FaceCropDataModule,
    options: dict[str, Any],
    callbacks: Sequence[Callback] = (),
    continued: Path | None = None,
    double: bool = True,
    **trainer: Any,
) -> tuple[dict[str, Tensor], dict[int, Row]]:
    """Trains, in float64 or else in float32, and gives the weights and each epoch's metrics."""
    rows = Rows()
    torch.manual_seed(0)
    chosen = options | {"optimizer": OPTIMIZERS[options["optimizer"]]}
    module = EmotionModule(data.input, None, seed=3, **chosen)
    module.set_class_counts(COUNTS)
    calibrate(module)
    if double:
        module.double()
    settings: dict[str, Any] = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "devices": 1,
        "num_sanity_val_steps": 0,
    }
    quiet: dict[str, Any] = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    made = Trainer(
        **(settings | quiet | trainer),
        callbacks=[rows, *callbacks],
        use_distributed_sampler=False,
        enable_checkpointing=any(isinstance(callback, Checkpoint) for callback in callbacks),
    )
    path = None if continued is None else str(continued)
    made.fit(module, data, ckpt_path=path, weights_only=True)
    return {name: value.clone() for name, value in module.state_dict().items()}, rows.rows


SECONDS = 240  # that a training may take on a busy machine


def in_processes(world: int, folder: Path, job: dict[str, Any]) -> tuple[dict[str, Tensor], Any]:
    """Runs `fitted` in several processes with gloo; gives the first one's answer.

    Args:
        world: how many processes.
        folder: where the answer is written.
        job: `root` and `data` of `data_of`; `options`, `trainer` and `continued` of `fitted`; and
            in `break` what `Breaker` wants.
    """
    port = free_port()
    answer = folder / f"answer{port}.pt"
    same = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(world)}
    places = [same | {"NODE_RANK": "0", "LOCAL_RANK": str(n), "RANK": str(n)} for n in range(world)]
    with copies().Pool(world) as pool:  # which ends those that wait for one that failed
        ends = pool.imap_unordered(partial(_one_process, job, answer), places)
        for _ in places:
            ends.next(SECONDS)
    weights, rows = torch.load(answer, weights_only=True)
    return weights, rows


def _one_process(job: dict[str, Any], answer: Path, place: dict[str, str]) -> None:
    os.environ.update(place)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    callbacks = [Breaker(*job["break"])] if "break" in job else []
    data = data_of(job["root"], *job["data"])
    try:
        found = fitted(data, job["options"], callbacks, job.get("continued"), **job["trainer"])
    except BrokenOffError:
        found = ({}, {})
    if place["RANK"] == "0":
        torch.save(found, answer)
