"""One step is the same step on any devices, and a run that is broken off is the same run.

The runs here take `batch_norm=frozen` and no dropout where devices or accumulated batches differ:
live batch norm normalises by the faces that a device has at a time, and dropout draws for them, so
that with these a run is the same only on the same devices (`sync_batchnorm` is the way out on
GPUs). All else is computed in float64, in which other orders of adding differ by 1e-16: after a few
steps the weights agree to 1e-9, which leaves no room for a face that is weighed wrongly. The
metrics are computed in float32, and agree to 1e-6.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback
from tests.datasets import SAD, SMILE, add_photo
from tests.training.fitting import (
    COUNTS,
    OPTIMIZERS,
    Breaker,
    BrokenOffError,
    Row,
    calibrate,
    data_of,
    fitted,
    in_processes,
)
from torch import Tensor

from emotion.data.datamodule import FaceCropDataModule
from emotion.training.module import EmotionModule

SLOW = pytest.mark.slow
# What weighs faces, since that is where an unequal share would count wrongly.
STRICT = {
    "batch_norm": "frozen",
    "dropout": 0.0,
    "class_weights": "balanced",
    "label_smoothing": 0.1,
}


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
    in_processes(2, tmp_path, job | {"break": [path, 1, 1]})
    given, found = in_processes(2, tmp_path, job | {"continued": path})
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
    calibrate(module)
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
