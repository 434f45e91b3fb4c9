"""Checkpoints on disk: written in one step, without a word of where, so that runs can be moved."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from emotion.errors import CheckpointError, EmotionError
from emotion.files import replacing

FOLDER = "."  # stands for the folder that a checkpoint is in


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint under a temporary name in the same folder and renames it.

    Lightning's own writes to the system's temporary folder first and copies from there, so that a
    full disk or a kill may leave half a checkpoint in place of a good one.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Writes a checkpoint.

        Raises:
            CheckpointError: it cannot be written; what was there before is as it was.
        """
        path = Path(path)
        try:
            with replacing(path) as temporary, temporary.open("wb") as stream:
                # Given a path, torch writes that name into the file.
                torch.save(_with_one_object_a_string(checkpoint), stream)
        except (EmotionError, RuntimeError) as error:  # torch tells of a full disk by the latter
            text = str(error).removeprefix(f"{path}: ").splitlines()[0]
            raise CheckpointError(
                f"{path}: the checkpoint cannot be written ({text}); is the disk full? The"
                " checkpoint that was there before is as it was"
            ) from error


def _with_one_object_a_string(value: Any) -> Any:
    """Gives the same, but equal strings as one object.

    Pickle writes an object that it has met before as a reference, so that a run that was gone on
    with would give other bytes: half of its strings come from a file.
    """
    if type(value) is str:
        return sys.intern(value)
    if type(value) in (list, tuple):
        return type(value)(map(_with_one_object_a_string, value))
    if type(value) is dict:
        pairs = value.items()
        return {_with_one_object_a_string(k): _with_one_object_a_string(v) for k, v in pairs}
    return value


class Continuing(Callback):
    """Lets a continued run follow its config and folder, not those that the checkpoint remembers.

    Lightning's early stopping takes its old patience from the checkpoint, and the keeper of the
    best epoch forgets it where its folder has another name. So the folder's name is left out: the
    same run gives the same file wherever it is trained, and who shares it does not tell the name.
    """

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Takes the folder out of the paths that are saved."""
        for callback, state in _saved_states(trainer, checkpoint):
            if isinstance(callback, ModelCheckpoint):
                _move(state, str(callback.dirpath), FOLDER)

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Changes the saved states before the callbacks take them."""
        for callback, state in _saved_states(trainer, checkpoint):
            if isinstance(callback, ModelCheckpoint):
                _move(state, str(state["dirpath"]), str(callback.dirpath))
            if isinstance(callback, EarlyStopping):
                state["patience"] = callback.patience


def _saved_states(
    trainer: Trainer, checkpoint: dict[str, Any]
) -> Iterator[tuple[Callback, dict[str, Any]]]:
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        state = checkpoint["callbacks"].get(callback.state_key)
        if state is not None:
            yield callback, state


def _move(state: dict[str, Any], old: str, new: str) -> None:
    """Puts one folder in the place of another, in all paths that a keeper of checkpoints knows."""
    for name, value in state.items():
        if isinstance(value, str) and name != "monitor":
            state[name] = _moved(value, old, new)
    state["best_k_models"] = {_moved(k, old, new): v for k, v in state["best_k_models"].items()}


def _moved(path: str, old: str, new: str) -> str:
    return new + path.removeprefix(old) if path.startswith(old) else path
