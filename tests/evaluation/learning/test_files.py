"""Run folders and CSV files, good and bad ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import DataError
from emotion.evaluation.learning.files import read_curves, read_learning
from emotion.evaluation.learning.part import describe_learning

EPOCHS = """epoch,seconds,learning_rate,train/loss,val/balanced_accuracy,val/loss
1,1,0.1,1.5,0.3,1.6
2,1,0.1,1.2,0.5,1.3
3,1,0.1,0.9,0.4,1.4
"""
CONFIG = """data: {augmentation: [{p: 1}]}
model: {mixup: 0.2, dropout: 0.0, ema: 0.99}
"""


def write_run(folder: Path, epochs: str = EPOCHS, **selection: Any) -> Path:
    given = {"monitor": "val/loss", "mode": "min", "epoch": 2, "finished": True}
    (folder / "epochs.csv").write_text(epochs)
    (folder / "selection.json").write_text(json.dumps(given | selection))
    (folder / "config.yaml").write_text(CONFIG)
    return folder


def test_a_run_folder_is_read(tmp_path: Path) -> None:
    found = read_learning(write_run(tmp_path, finished=False), evaluated=3)
    assert found is not None
    assert (found.selection.epoch, found.selection.epochs, found.evaluated) == (2, 3, 3)
    assert not found.finished
    assert (found.kept.train, found.kept.val) == (1.2, 1.3)
    assert "with averaged weights (ema)" in found.notes[0]
    assert "varied at random (augmentation) and mixed with one another (mixup)" in found.notes[1]
    assert "dropout" not in found.notes[1]


def test_empty_fields_are_no_numbers(tmp_path: Path) -> None:
    found = read_learning(write_run(tmp_path, EPOCHS.replace("1.5,0.3,1.6", ",,nan")))
    assert found is not None
    assert found.selection.epoch == 2


def test_a_lone_checkpoint_has_no_such_part(tmp_path: Path) -> None:
    assert read_learning(tmp_path) is None
    assert read_learning(tmp_path / "missing") is None


@pytest.mark.parametrize(
    "epochs",
    [
        "",
        "epoch\n",
        "\x00\n",
        EPOCHS.replace("0.5,1.3", "0.5,x"),
        EPOCHS.replace("3,1,0.1,0.9,0.4,1.4", "4,1,0.1,0.9,0.4,1.4"),
        EPOCHS.replace("val/loss", "val/other"),
        EPOCHS.replace("0.5,1.3", "0.5,1.5"),  # the kept epoch is another
        EPOCHS.replace("0.5,1.3", "0.5"),
    ],
)
def test_files_that_do_not_fit_are_no_part(tmp_path: Path, epochs: str) -> None:
    assert read_learning(write_run(tmp_path, epochs)) is None


@pytest.mark.parametrize("selection", [{"mode": "best"}, {"monitor": "val/x"}, {"epoch": None}])
def test_a_selection_that_does_not_fit_is_no_part(tmp_path: Path, selection: Any) -> None:
    assert read_learning(write_run(tmp_path, **selection)) is None


def test_without_a_readable_config_there_are_no_notes(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (run / "config.yaml").write_text("- 1\n")
    found = read_learning(run)
    assert found is not None
    assert found.notes == ()


def test_curves_of_tensorboard_and_plain_columns_are_the_same(tmp_path: Path) -> None:
    plain, exported = tmp_path / "plain.csv", tmp_path / "exported.csv"
    plain.write_text("3.0\n1.0\n2.0\n")
    exported.write_text("Wall time,Step,Value\n1.5,0,3.0\n1.6,1,1.0\n1.7,2,2.0\n")
    one, other = read_curves(plain, plain), read_curves(exported, exported)
    assert one == other
    assert (one.selection.epoch, one.selection.no_better_from) == (2, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one loss an epoch"),
        ("Wall time,Step\n1,2\n", "expected one loss an epoch"),
        ("Wall time,Step,Value\n1,2\n", "expected one loss an epoch"),
        ("1\nx\n", "expected one loss an epoch"),
        ("1\n2\n3\n", "one an epoch in each"),
        ("nan\nnan\n", "a number for one epoch at least"),
    ],
)
def test_curves_that_cannot_be_read_say_why(tmp_path: Path, text: str, message: str) -> None:
    train, val = tmp_path / "train.csv", tmp_path / "val.csv"
    train.write_text("1\n2\n")
    val.write_text(text)
    with pytest.raises(DataError, match=message):
        read_curves(train, val)
    with pytest.raises(DataError, match=r"missing\.csv: cannot be read"):
        read_curves(train, tmp_path / "missing.csv")


def test_the_original_kept_epoch_four_rightly(shared: Path) -> None:
    # Its authors: "Overfitting begins at 4epoch. So, I used the weight of 4epoch."
    folder = shared / "data" / "original"
    found = read_curves(folder / "train_loss.csv", folder / "val_loss.csv")
    text = " ".join(describe_learning(found))
    assert text.startswith("Epoch 4 of 100 was kept: the lowest val/loss, 0.841.")
    assert "From epoch 5 on validation loss never fell below that of epoch 4 again" in text
    assert "the network learnt its photos by heart" in text
