"""What an exported file says of itself, gathered from a checkpoint and its run."""

import hashlib
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from emotion.data.assignment import part_of
from emotion.data.split_file import read_split
from emotion.errors import EmotionError
from emotion.evaluation.leaks import hash_file
from emotion.evaluation.subjects import SPLIT
from emotion.inference.checkpoint_files import run_folder
from emotion.inference.model_info import ModelInfo
from emotion.training.checkpoints import Checkpoint
from emotion.training.network import ARCHITECTURE

NOT_STATED = (
    "not stated: ask whoever trained it; the data that it was trained on may restrict its use"
)
ALWAYS = ("emotion", "torch", "torchvision", "numpy")  # packages whose versions are kept


def gather_information(
    checkpoint: Checkpoint, licence: str = NOT_STATED, packages: Sequence[str] = ()
) -> ModelInfo:
    """Gathers what a file of this checkpoint says of itself.

    Args:
        checkpoint: as it was read.
        licence: of the weights, in words.
        packages: those that write the format, beside torch.
    """
    return ModelInfo(
        input=checkpoint.input,
        temperature=checkpoint.temperature,
        threshold=checkpoint.threshold,
        architecture=ARCHITECTURE,
        epoch=checkpoint.epoch,
        checkpoint_sha256=hash_file(checkpoint.path),
        data_sha256=hash_training_data(checkpoint.path),
        licence=licence,
        versions={"python": platform.python_version()}
        | {name: metadata.version(name) for name in (*ALWAYS, *packages)},
    )


def hash_training_data(checkpoint: Path) -> str | None:
    """Gives a hash of the photos, with their annotations, that a checkpoint was trained on.

    It is the SHA-256 of the hashes that the run's `split.json` has for its training part, sorted,
    a line each: the same for the same files, whatever their names.

    Returns:
        64 hexadecimal digits; None where no run folder with a readable split is around it.
    """
    try:
        split = read_split(run_folder(checkpoint) / SPLIT)
    except EmotionError:
        return None
    fold = split.how.get("fold")
    number = fold if isinstance(fold, int) else 1
    lines = sorted(e.sha256 for e in split.entries.values() if part_of(e, number) == "train")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
