import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from emotion.errors import CheckpointError
from emotion.training.saving import Continuing, WholeCheckpointIO


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Lets no file of this process grow beyond so many bytes, as a full disk would not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_saved_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "last.ckpt"
    WholeCheckpointIO().save_checkpoint({"a": torch.arange(3)}, path)
    assert torch.load(path, weights_only=True)["a"].tolist() == [0, 1, 2]
    assert [found.name for found in path.parent.iterdir()] == ["last.ckpt"]


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    io = WholeCheckpointIO()
    io.save_checkpoint({"a": 1}, path)
    with files_up_to(100_000), pytest.raises(CheckpointError) as error:
        io.save_checkpoint({"a": torch.zeros(1_000_000)}, path)
    assert f"{path}: the checkpoint cannot be written (" in str(error.value)
    assert "is the disk full? The checkpoint that was there before is as it was" in str(error.value)
    assert torch.load(path, weights_only=True) == {"a": 1}
    assert [found.name for found in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file where a folder is wanted")
    path = tmp_path / "checkpoints" / "last.ckpt"
    with pytest.raises(CheckpointError, match=r"last\.ckpt: the checkpoint cannot be written \("):
        WholeCheckpointIO().save_checkpoint({"a": 1}, path)


def test_a_continued_run_follows_its_config_and_its_folder(tmp_path: Path) -> None:
    def keeper(folder: str) -> ModelCheckpoint:
        return ModelCheckpoint(dirpath=tmp_path / folder, monitor="val/loss")

    before, after = keeper("old"), keeper("new")
    before.best_model_path = before.kth_best_model_path = f"{before.dirpath}/epoch_004.ckpt"
    before.best_k_models = {before.best_model_path: torch.tensor(0.5)}
    patient = EarlyStopping("val/loss", patience=20)
    patient.wait_count = 3
    checkpoint = {
        "callbacks": {c.state_key: c.state_dict() for c in (before, patient)},
    }
    impatient = EarlyStopping("val/loss", patience=5)
    trainer = Trainer(
        callbacks=[after, impatient], logger=False, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    Continuing().on_load_checkpoint(trainer, LightningModule(), checkpoint)
    for callback in (after, impatient):
        callback.load_state_dict(checkpoint["callbacks"][callback.state_key])
    assert after.best_model_path == str(tmp_path / "new" / "epoch_004.ckpt")
    assert list(after.best_k_models) == [after.best_model_path]
    assert (impatient.patience, impatient.wait_count) == (5, 3)


def test_the_folder_is_not_saved_and_is_found_again(tmp_path: Path) -> None:
    def saved(name: str) -> tuple[Trainer, ModelCheckpoint, dict[str, Any]]:
        keeper = ModelCheckpoint(dirpath=tmp_path / name, monitor="val/loss")
        trainer = Trainer(
            callbacks=[keeper], logger=False, accelerator="cpu", enable_progress_bar=False,
            enable_model_summary=False, default_root_dir=tmp_path,
        )  # fmt: skip
        keeper.best_model_path = f"{keeper.dirpath}/epoch_004.ckpt"
        keeper.best_k_models = {keeper.best_model_path: torch.tensor(0.5)}
        checkpoint = {"callbacks": {keeper.state_key: keeper.state_dict()}}
        Continuing().on_save_checkpoint(trainer, LightningModule(), checkpoint)
        return trainer, keeper, checkpoint

    _, one, first = saved("one")
    trainer, two, second = saved("two")
    assert first == second
    assert str(tmp_path) not in str(first)
    assert one.best_model_path == str(tmp_path / "one" / "epoch_004.ckpt")  # itself as it was
    Continuing().on_load_checkpoint(trainer, LightningModule(), first)
    two.load_state_dict(first["callbacks"][two.state_key])
    assert two.best_model_path == str(tmp_path / "two" / "epoch_004.ckpt")
    assert list(two.best_k_models) == [two.best_model_path]
    assert two.kth_best_model_path == two.last_model_path == ""
