"""Where a checkpoint is: the file itself, or the one that the folder of a run names."""

import json
from pathlib import Path

from emotion.errors import CheckpointError


def find_checkpoint(path: Path) -> Path:
    """Gives the checkpoint itself, or the one that a run folder's `selection.json` names.

    Raises:
        CheckpointError: the folder is no finished run.
    """
    if not path.is_dir():
        return path
    try:
        content = json.loads((path / "selection.json").read_text(encoding="utf-8"))
        checkpoint = path / str(content["checkpoint"])
        if not checkpoint.resolve().is_relative_to(path.resolve()):
            raise ValueError("its checkpoint lies outside the run folder")
        return checkpoint
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: a folder without a readable selection.json; expected a checkpoint (*.ckpt)"
            " or the folder of a finished run"
        ) from error


def run_folder(checkpoint: Path) -> Path:
    """Gives the run folder of a checkpoint, or the folder that a lone checkpoint lies in."""
    inside = checkpoint.parent
    return inside.parent if inside.name == "checkpoints" else inside
