import signal
from pathlib import Path

import pytest
import torch
from tests.conftest import train_tiny
from tests.training.comparison import assert_same_run

from emotion.errors import EmotionError
from emotion.experiments.outcome import RunResult
from emotion.experiments.records import read_record
from emotion.training.stopping import StoppedError

SIGNAL = "+callbacks.signal._target_=tests.experiments.interference.SignalAt"
SPOIL = "+callbacks.spoil._target_=tests.experiments.interference.SpoilWeights"


def signal_at(number: int, epoch: int, batch: int, stage: str = "train") -> list[str]:
    key = "+callbacks.signal"
    return [SIGNAL, f"{key}.number={number}", f"{key}.epoch={epoch}", f"{key}.batch={batch}",
            f"{key}.stage={stage}"]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "epoch", "batch", "stage", "where"),
    [
        (signal.SIGTERM, 2, 1, "train", "SIGTERM in epoch 2 after step 3"),
        pytest.param(
            *(signal.SIGINT, 1, 1, "train", "SIGINT in epoch 1 after step 1"),
            marks=pytest.mark.slow,
        ),
        pytest.param(  # its last step: the epoch is finished
            *(signal.SIGTERM, 1, 2, "train", "SIGTERM after epoch 1"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(signal.SIGINT, 1, 1, "val", "SIGINT after epoch 1"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_signal_saves_the_run_which_then_goes_on_to_the_same_end(
    sample_root: Path,
    run_result: RunResult,
    tmp_path: Path,
    number: int,
    epoch: int,
    batch: int,
    stage: str,
    where: str,
) -> None:
    before = signal.getsignal(number)
    with pytest.raises(StoppedError, match=f"^{where}$") as stop:
        train_tiny(sample_root, tmp_path / "run", *signal_at(number, epoch, batch, stage))
    assert stop.value.number == number
    assert signal.getsignal(number) == before
    record = read_record(tmp_path / "run")
    assert record is not None
    assert (record.status, record.reason) == ("stopped", where)
    again = train_tiny(sample_root, tmp_path / "run", "resume=auto")
    assert_same_run(again, run_result)
    record = read_record(tmp_path / "run")
    assert record is not None
    assert (record.status, record.resumed, record.reason) == ("finished", 1, None)


@pytest.mark.slow
def test_accumulated_batches_are_not_torn_apart(sample_root: Path, tmp_path: Path) -> None:
    half = ["trainer.accumulate_grad_batches=2", "trainer.limit_train_batches=4"]
    whole = train_tiny(sample_root, tmp_path / "whole", *half)
    with pytest.raises(StoppedError, match="SIGTERM in epoch 1 after step 1"):
        train_tiny(sample_root, tmp_path / "run", *half, *signal_at(signal.SIGTERM, 1, 1))
    assert_same_run(train_tiny(sample_root, tmp_path / "run", *half, "resume=auto"), whole)


@pytest.mark.slow
def test_a_signal_in_the_last_epoch_is_the_end_of_the_training(
    sample_root: Path, run_result: RunResult, tmp_path: Path
) -> None:
    late = signal_at(signal.SIGTERM, 2, 1, "val")
    assert_same_run(train_tiny(sample_root, tmp_path / "run", *late), run_result)


def test_a_loss_that_is_no_number_stops_before_anything_of_it_is_saved(
    sample_root: Path, tmp_path: Path
) -> None:
    spoiled = [SPOIL, "+callbacks.spoil.epoch=2"]
    expected = r"the training loss is nan in epoch 2, step 3; try a lower model\.optimizer\.lr"
    with pytest.raises(EmotionError, match=expected):
        train_tiny(sample_root, tmp_path / "run", *spoiled)
    saved = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["epoch"] == 0
    weights = saved["state_dict"].values()
    assert all(value.isfinite().all() for value in weights if value.is_floating_point())
    record = read_record(tmp_path / "run")
    assert record is not None
    assert record.status == "failed"
    assert str(record.reason).startswith("the training loss is nan")
