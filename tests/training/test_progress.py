from types import SimpleNamespace
from typing import Any

import pytest
import torch

from emotion.training.progress import RunProgress


def trainer(epoch: int, loss: float) -> Any:
    metrics = {"val/loss": torch.tensor(loss), "train/loss": torch.tensor(1.0)}
    return SimpleNamespace(
        max_epochs=3,
        num_training_batches=4,
        current_epoch=epoch,
        callback_metrics=metrics,
    )


def run(losses: list[float], mode: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    progress, module = RunProgress("val/loss", mode), SimpleNamespace()
    progress.on_train_start(trainer(0, 0.0), module)  # type: ignore[arg-type]
    for epoch, loss in enumerate(losses):
        progress.on_train_epoch_start(trainer(epoch, loss), module)
        progress.on_train_batch_end()
        progress.on_train_epoch_end(trainer(epoch, loss), module)  # type: ignore[arg-type]
    progress.teardown(trainer(2, 0.0), module, "fit")  # type: ignore[arg-type]
    return capsys.readouterr().err.splitlines()


def test_an_epoch_is_a_line_and_the_best_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run([0.5, 0.7, float("nan")], "min", capsys)
    assert lines[0] == "epoch   1/3  train/loss 1.0000  val/loss 0.5000  best so far"
    assert lines[1] == "epoch   2/3  train/loss 1.0000  val/loss 0.7000"
    assert lines[2] == "epoch   3/3  train/loss 1.0000  val/loss nan"


def test_more_is_better_where_the_mode_is_max(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run([0.5, 0.7, 0.7], "max", capsys)
    assert ["best" in line for line in lines] == [True, True, False]


def test_a_continued_run_knows_the_best_so_far(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = RunProgress("val/loss", "min"), RunProgress("val/loss", "min")
    first.best = 0.5
    second.load_state_dict(first.state_dict())
    second.on_train_start(trainer(1, 0.0), SimpleNamespace())  # type: ignore[arg-type]
    second.on_train_epoch_end(trainer(1, 0.6), SimpleNamespace())  # type: ignore[arg-type]
    second.teardown(trainer(1, 0.0), SimpleNamespace(), "fit")  # type: ignore[arg-type]
    assert "best so far" not in capsys.readouterr().err


def test_the_other_devices_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = RunProgress("val/loss", "min")
    progress.disable()
    progress.on_train_start(trainer(0, 0.0), SimpleNamespace())  # type: ignore[arg-type]
    progress.on_train_epoch_end(trainer(0, 0.5), SimpleNamespace())  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""
