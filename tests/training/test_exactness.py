"""One step is the same step on any devices, and a run that is broken off is the same run.

The runs here take `batch_norm=frozen` and no dropout where devices or accumulated batches differ:
live batch norm normalises by the faces that a device has at a time, and dropout draws for them, so
that with these a run is the same only on the same devices (`sync_batchnorm` is the way out on
GPUs). All else is computed in float64, in which other orders of adding differ by 1e-16: after a few
steps the weights agree to 1e-9, which leaves no room for a face that is weighed wrongly. The
metrics are computed in float32, and agree to 1e-6.

Run as a script with settings in JSON this file is one of several processes.
"""

import json
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from tests.datasets import SAD, SMILE, add_photo
from torch import Tensor

from emotion.data.datamodule import FaceCropDataModule
from emotion.experiments.configs import VERSION_BASE
from emotion.files import config_folder
from emotion.training.module import EmotionModule

SLOW = pytest.mark.slow
PROJECT = Path(__file__).parents[2]
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


def _calibrate(module: EmotionModule) -> None:
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
    _calibrate(module)
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


# The processes.

# What weighs faces, since that is where an unequal share would count wrongly.
STRICT = {
    "batch_norm": "frozen",
    "dropout": 0.0,
    "class_weights": "balanced",
    "label_smoothing": 0.1,
}


def in_processes(world: int, folder: Path, job: dict[str, Any]) -> tuple[dict[str, Tensor], Any]:
    """Runs `fitted` in several processes with gloo; gives the first one's answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = folder / f"answer{port}.pt"
    text = json.dumps(job | {"answer": str(answer)})
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(world)}
    own = {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "NODE_RANK": "0"}
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, text],
            env=os.environ | place | own | {"LOCAL_RANK": str(rank), "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        said = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert all(process.returncode == 0 for process in processes), "\n".join(said)[-6000:]
    weights, rows = torch.load(answer, weights_only=True)
    return weights, rows


def _one_process(job: dict[str, Any]) -> None:
    warnings.simplefilter("ignore")
    callbacks: list[Callback] = []
    if job.get("break"):
        path, epoch, batch = job["break"]
        callbacks.append(Breaker(Path(path), epoch, batch))
    continued = Path(job["continued"]) if job.get("continued") else None
    data = data_of(job["root"], *job["data"])
    try:
        found = fitted(data, job["options"], callbacks, continued, **job["trainer"])
    except BrokenOffError:
        found = ({}, {})
    if os.environ["RANK"] == "0":
        torch.save(found, job["answer"])


def faces(root: Path, number: int) -> str:
    for place in range(number):
        add_photo(root / "train", f"n{place:02d}", SAD if place % 3 == 0 else SMILE)
    return str(root)


def agree(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-9)


def rows_agree(first: dict[int, Row], second: dict[int, Row]) -> None:
    assert first.keys() == second.keys()
    for epoch, row in first.items():
        assert second[epoch] == pytest.approx(row, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("world", [2, 3])
def test_devices_and_accumulated_batches_change_neither_weights_nor_metrics(
    tmp_path: Path, world: int, optimizer: str
) -> None:
    # Steps of 12 and 1 faces, the last of fewer than there are devices; 5 faces to validate on.
    root, options = faces(tmp_path / "data", 18), STRICT | {"optimizer": optimizer}
    settings = ["data.batch_size=12", "data.train=13", "data.val=5"]
    weights, rows = fitted(data_of(root, *settings), options)
    assert [row["train/samples_seen"] for row in rows.values()] == [13, 13]
    for accumulated in (1, 2):
        trainer = {
            "strategy": "ddp", "devices": world, "accumulate_grad_batches": accumulated
        }  # fmt: skip
        job = {"root": root, "data": settings, "options": options, "trainer": trainer}
        given, found = in_processes(world, tmp_path, job)
        agree(given, weights)
        rows_agree(found, rows)
        assert [row["val/samples_seen"] for row in found.values()] == [5, 5]


@pytest.mark.slow
def test_fewer_faces_than_devices_are_trained_and_validated_on(tmp_path: Path) -> None:
    root, options = faces(tmp_path / "data", 4), STRICT | {"optimizer": "sgd"}
    settings = ["data.batch_size=12", "data.train=2", "data.val=2"]
    weights, rows = fitted(data_of(root, *settings), options)
    trainer = {"strategy": "ddp", "devices": 3}
    job = {"root": root, "data": settings, "options": options, "trainer": trainer}
    given, found = in_processes(3, tmp_path, job)
    agree(given, weights)
    rows_agree(found, rows)
    assert found[1]["train/samples_seen"] == 2
    assert found[1]["val/samples_seen"] == 2


@pytest.mark.slow
def test_features_that_are_frozen_at_first_are_so_on_two_devices(tmp_path: Path) -> None:
    root, settings = faces(tmp_path / "data", 18), ["data.batch_size=12", "data.val=5"]
    options = STRICT | {"optimizer": "adam", "freeze_epochs": 1, "backbone_lr": 0.5}
    weights, rows = fitted(data_of(root, *settings), options)
    trainer = {"strategy": "ddp_find_unused_parameters_true", "devices": 2}
    job = {"root": root, "data": settings, "options": options, "trainer": trainer}
    given, found = in_processes(2, tmp_path, job)
    agree(given, weights)
    rows_agree(found, rows)


@pytest.mark.slow
def test_a_run_on_two_devices_goes_on_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    root = faces(tmp_path / "data", 18)
    settings = ["data.batch_size=4", "data.train=13", "data.val=5"]
    # With dropout and live batch norm, on the same devices.
    options = {"optimizer": "adam", "mixup": 0.4, "ema": 0.5, "schedule": "plateau"}
    trainer = {"strategy": "ddp", "devices": 2}
    job: dict[str, Any] = {"root": root, "data": settings, "options": options, "trainer": trainer}
    weights, rows = in_processes(2, tmp_path, job)
    path = tmp_path / "broken.ckpt"
    in_processes(2, tmp_path, job | {"break": [str(path), 1, 1]})
    given, found = in_processes(2, tmp_path, job | {"continued": str(path)})
    assert all(torch.equal(given[name], weights[name]) for name in weights)
    # Only the sums of the losses of two devices are now added in another order.
    rows_agree(found, {1: rows[1]})
    assert found[1]["train/samples_seen"] == 13


# One process.

pytestmark = pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended")


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Ten photos of a face each; nobody writes into them."""
    return faces(tmp_path_factory.mktemp("faces") / "data", 10)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", pytest.param("adam", marks=SLOW)])
def test_four_accumulated_batches_are_one(ten: str, optimizer: str) -> None:
    settings = ["data.batch_size=4", *SMALL]
    options, once = STRICT | {"optimizer": optimizer}, partial(fitted, max_epochs=1)
    weights, rows = once(data_of(ten, *settings), options)
    given, found = once(data_of(ten, *settings), options, accumulate_grad_batches=4)
    agree(given, weights)
    rows_agree(found, rows)
    # Of which the first layer is the last that a gradient comes to.
    start = fitted(data_of(ten, *settings), options | {"optimizer": "still"}, max_epochs=1)[0]
    first = "network.backbone.features.0.0.weight"
    assert float((given[first] - start[first]).abs().max()) > 1e-5


@pytest.mark.slow
def test_a_step_that_a_limit_cuts_short_is_the_mean_of_what_is_left_of_it(ten: str) -> None:
    options: dict[str, Any] = STRICT | {"optimizer": "sgd"}
    # Of batches of 2, 2, 2 and 1: a step of 4 faces and one of 2.
    data = data_of(ten, "data.batch_size=4", *SMALL)
    given, rows = fitted(
        data, options, accumulate_grad_batches=2, limit_train_batches=3, max_epochs=1
    )
    assert rows[0]["train/samples_seen"] == 6
    agree(given, _by_hand(data_of(ten, "data.batch_size=2", *SMALL), options, [2, 1]))


def _by_hand(
    data: FaceCropDataModule, options: dict[str, Any], steps: Sequence[int]
) -> dict[str, Tensor]:
    """Steps over so many batches each, on all their faces at once, without Lightning."""
    torch.manual_seed(0)
    optimizer = OPTIMIZERS[options["optimizer"]]
    module = EmotionModule(data.input, None, seed=3, **(options | {"optimizer": optimizer}))
    module.set_class_counts(COUNTS)
    _calibrate(module)
    module.double()
    module.network.train()
    descent = optimizer(module.network.parameters())
    data.setup("fit")
    batches = iter(data.train_dataloader())
    for number in steps:
        parts = [next(batches) for _ in range(number)]
        pixels, targets = (torch.cat([part[name] for part in parts]) for name in parts[0])
        descent.zero_grad()
        (module.trained_loss(module(pixels), targets) / len(targets)).backward()
        descent.step()
    return dict(module.state_dict())


SMALL = ("data.train=7", "data.val=3")
# A score that never gets better lowers the rate after every epoch but the first.
CONTINUED = {
    "schedule": "plateau",
    "plateau_patience": 0,
    "monitor": "val/samples_seen",
    "dropout": 0.5,
    "mixup": 0.4,
    "ema": 0.5,
}
OTHERS = {"schedule": "cosine", "warmup_epochs": 1, "freeze_epochs": 1, "backbone_lr": 0.5}


@pytest.mark.parametrize(
    ("options", "breaks"),
    [
        pytest.param(CONTINUED, [(1, 1)], marks=SLOW),
        pytest.param(OTHERS, [(1, 1)], marks=SLOW),
        pytest.param(CONTINUED, [(0, 1), (0, None), (1, None), (2, 1)], marks=SLOW),
        pytest.param(OTHERS, [(0, 1), (0, None), (1, None), (2, 1)], marks=SLOW),
    ],
)
def test_a_run_that_was_broken_off_is_the_run_that_was_not(
    ten: str, tmp_path: Path, options: Any, breaks: Any
) -> None:
    chosen = options | {"optimizer": "adam"}

    def part(*callbacks: Callback, continued: Path | None = None) -> Any:
        data = data_of(ten, "data.batch_size=4", *SMALL)  # batches of 2, 2, 2 and 1
        more: dict[str, Any] = {"max_epochs": 3, "accumulate_grad_batches": 2}
        return fitted(
            data, chosen, callbacks, continued, double=False, gradient_clip_val=1.0, **more
        )

    weights, rows = part()
    path = None
    for number, (epoch, batch) in enumerate(breaks):
        breaker = Breaker(tmp_path / f"{number}.ckpt", epoch, batch)
        with pytest.raises(BrokenOffError):
            part(breaker, continued=path)
        path = breaker.path
    given, found = part(continued=path)
    assert found == {epoch: rows[epoch] for epoch in range(breaks[-1][0], 3)}
    assert all(torch.equal(given[name], weights[name]) for name in weights)
    if options["schedule"] == "plateau":
        assert rows[2]["rate"] == pytest.approx(0.1 * rows[0]["rate"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("epoch", "batch"), [(1, 0), (0, None), (1, None)])
def test_workers_go_on_where_the_run_was(
    ten: str, tmp_path: Path, epoch: int, batch: int | None
) -> None:
    settings, chosen = ["data.batch_size=2", *SMALL], {"optimizer": "sgd"}
    more: dict[str, Any] = {"double": False, "max_epochs": 3}
    weights, rows = fitted(data_of(ten, *settings), chosen, **more)
    breaker = Breaker(tmp_path / "broken.ckpt", epoch, batch)
    with pytest.raises(BrokenOffError):
        fitted(data_of(ten, *settings), chosen, [breaker], **more)
    workers = data_of(ten, *settings, "data.workers=1")
    given, found = fitted(workers, chosen, (), breaker.path, **more)
    assert found
    assert found == {number: rows[number] for number in found}
    assert all(torch.equal(given[name], weights[name]) for name in weights)


class Forgetful(FaceCropDataModule):
    """Counts a face that is not there."""

    def epoch_faces(self, part: str) -> int:
        return super().epoch_faces(part) + (part == self.part)

    part = "train"


@pytest.mark.parametrize(("part", "seen"), [("train", 7), ("val", 3)])
def test_an_epoch_that_has_not_seen_every_face_is_an_error(ten: str, part: str, seen: int) -> None:
    data = data_of(ten, "data.batch_size=4", *SMALL)
    data.__class__ = Forgetful
    data.part = part  # type: ignore[attr-defined]
    expected = f"epoch 1: {seen} samples of {part} were seen, expected {seen + 1}; its metrics"
    with pytest.raises(RuntimeError, match=expected):
        fitted(data, STRICT | {"optimizer": "sgd"}, max_epochs=1, double=False)


if __name__ == "__main__":
    _one_process(json.loads(sys.argv[1]))
