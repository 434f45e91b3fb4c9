"""What kind of model a file is, told by its content and not by its name."""

import struct
import zipfile
from pathlib import Path
from typing import Literal

from emotion.errors import CheckpointError
from emotion.inference.sealing import DAMAGE

FileKind = Literal["checkpoint", "onnx", "pt2", "safetensors"]

READ = "a checkpoint (*.ckpt), or an .onnx, .pt2 or .safetensors file that `emotion export` wrote"
_ZIP = b"PK\x03\x04"
_FIRST_OF_ONNX = 0x08  # the version of the format, field 1, which all tools write first


def kind_of(path: Path) -> FileKind:
    """Tells what a file is; whether it is whole, its reader finds out.

    Raises:
        CheckpointError: it is missing, or nothing that is read here.
    """
    if path.is_dir():
        raise CheckpointError(f"{path}: a folder; expected {READ}, or the folder of a run")
    try:
        with path.open("rb") as stream:
            head = stream.read(9)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file; expected {READ}") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from error
    if head.startswith(_ZIP):
        return _kind_of_archive(path)
    if len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < 1 << 32:
        return "safetensors"
    if len(head) > 1 and head[0] == _FIRST_OF_ONNX and head[1] < 0x80:
        return "onnx"
    raise CheckpointError(f"{path}: no model, or one that is damaged; expected {READ}")


def _kind_of_archive(path: Path) -> FileKind:
    """Tells a checkpoint from an exported program: both are zip archives."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
    except (OSError, *DAMAGE) as error:
        raise CheckpointError(
            f"{path}: a checkpoint or a .pt2 file that is cut off or damaged; expected {READ}"
        ) from error
    if "data.pkl" in names:
        return "checkpoint"
    if "archive_format" in names:
        return "pt2"
    raise CheckpointError(f"{path}: a zip archive, but no model; expected {READ}")
