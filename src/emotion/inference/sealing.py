"""Whether an exported file is as it was written: read before any library opens the file.

Each file carries 64 hexadecimal digits: the SHA-256 of all its bytes, with 64 zeros in the place of
the digits. An ONNX file is a protobuf message, and messages may be put one behind another, so that
its last bytes are one more entry of its metadata. A .pt2 file is a zip archive and has them in its
comment, and a safetensors file in its header.

It tells damage, and changes by people who did not mean to hide them. It is no signature: whoever
wants to can seal a changed file again.
"""

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from emotion.errors import CheckpointError
from emotion.inference.model_info import KEY, ModelInfo
from emotion.onnx_messages import metadata, metadata_entry

Kind = Literal["onnx", "pt2", "safetensors"]

SEAL = "emotion_sha256"  # name of the digits, whatever the format
DIGITS = 64
PLACEHOLDER = b"0" * DIGITS
BLOCK = 1 << 18  # bytes read at a time, so that a large file is never in memory
LONGEST_TEXT = 1 << 24  # bytes of a header, or of metadata; those of MobileNet-v2 have 40,000
# What the readers of archives and JSON raise where other bytes are in the place of the expected.
DAMAGE = (
    *(ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError),
    *(struct.error, zlib.error, zipfile.BadZipFile),
)
EXPORT_AGAIN = "export the checkpoint again: emotion export"

_ONNX_SUFFIX = metadata_entry(SEAL, PLACEHOLDER.decode())[:-DIGITS]
_ZIP_COMMENT = f"{SEAL}=".encode()
_HEADER_FIELD = f'"{SEAL}":"'.encode()


def seal(path: Path, kind: Kind) -> None:
    """Writes the digits into a file that has none yet.

    A safetensors file has to have 64 zeros under `SEAL` in its metadata.

    Raises:
        ValueError: there is no place for them.
    """
    if kind == "onnx":
        with path.open("ab") as stream:
            stream.write(_ONNX_SUFFIX + PLACEHOLDER)
    elif kind == "pt2":
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = _ZIP_COMMENT + PLACEHOLDER
    place = _place(path, kind)
    if place is None:
        raise ValueError(f"{path}: has no place for {SEAL}")
    digits = _digest(path, place)
    with path.open("r+b") as stream:
        stream.seek(place)
        stream.write(digits)


def read_sealed(path: Path, kind: Kind) -> ModelInfo:
    """Checks that a file is as it was written, and tells what it says of itself.

    The file is read once, in small blocks.

    Raises:
        CheckpointError: it is missing, cut off, damaged, was changed, was made by another tool or
            by a later version.
    """
    try:
        place = _place(path, kind)
        if place is None:
            raise _without_seal(path, kind)
        with path.open("rb") as stream:
            stream.seek(place)
            stored = stream.read(DIGITS)
        if stored != _digest(path, place):
            raise CheckpointError(
                f"{path}: is not as it was written: it was damaged or changed since; {EXPORT_AGAIN}"
            )
        text = _metadata(path, kind).get(KEY)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from error
    except CheckpointError:
        raise
    except DAMAGE as error:
        raise CheckpointError(f"{path}: is cut off or damaged; {EXPORT_AGAIN}") from error
    if text is None:
        raise CheckpointError(f"{path}: is sealed, but says nothing of itself; {EXPORT_AGAIN}")
    return ModelInfo.from_json(text, str(path))


def _without_seal(path: Path, kind: Kind) -> CheckpointError:
    """Tells why there may be no seal; raises what reading raises where the file is cut off."""
    known = _metadata(path, kind)
    if KEY in known or SEAL in known:
        return CheckpointError(
            f"{path}: its seal is missing: the file is cut off, or was changed; {EXPORT_AGAIN}"
        )
    return CheckpointError(
        f"{path}: was made by another tool: it does not say how faces are cut out and what its"
        " classes are; expected a file that `emotion export` wrote"
    )


def _place(path: Path, kind: Kind) -> int | None:
    """Gives the offset of the digits, or None where there are none."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if kind == "safetensors":
            found = _header(stream, size).find(_HEADER_FIELD)
            return None if found < 0 else 8 + found + len(_HEADER_FIELD)
        before = _ONNX_SUFFIX if kind == "onnx" else _ZIP_COMMENT
        place = size - DIGITS
        if place < len(before):
            return None
        stream.seek(place - len(before))
        return place if stream.read(len(before)) == before else None


def _digest(path: Path, place: int) -> bytes:
    """Gives the digits of a file with zeros at `place`."""
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        for block in _blocks(stream, place):
            hasher.update(block)
        hasher.update(PLACEHOLDER)
        stream.seek(place + DIGITS)
        for block in _blocks(stream, path.stat().st_size):
            hasher.update(block)
    return hasher.hexdigest().encode()


def _blocks(stream: BinaryIO, end: int) -> Iterator[bytes]:
    while (left := end - stream.tell()) > 0:
        block = stream.read(min(left, BLOCK))
        if not block:
            return
        yield block


def _metadata(path: Path, kind: Kind) -> Mapping[str, str]:
    """Gives the texts that a file has beside its network."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if kind == "onnx":
            return metadata(stream, size)
        if kind == "pt2":
            return _texts_of_archive(stream)
        entries = json.loads(_header(stream, size)).get("__metadata__", {})
        return {str(name): str(value) for name, value in dict(entries).items()}


def _texts_of_archive(stream: BinaryIO) -> dict[str, str]:
    with zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.endswith(f"/extra/{KEY}.json")]
        if names and archive.getinfo(names[0]).file_size > LONGEST_TEXT:
            raise ValueError("a text of unlikely length")
        return {KEY: archive.read(names[0]).decode()} if names else {}


def _header(stream: BinaryIO, size: int) -> bytes:
    """Gives the header of a safetensors file, which is JSON."""
    (length,) = struct.unpack("<Q", stream.read(8))
    if length > min(size - 8, LONGEST_TEXT):
        raise ValueError("a header longer than the file")
    header = stream.read(length)
    ends = [
        entry["data_offsets"][1]
        for name, entry in dict(json.loads(header)).items()
        if name != "__metadata__"
    ]
    if size != 8 + length + max(ends, default=0):
        raise ValueError("tensors that end elsewhere than the file")
    return header
