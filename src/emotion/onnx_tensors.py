"""The weights in an ONNX file, without the onnx package: what training needs to start from one."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from emotion.onnx_messages import (
    BYTES,
    VARINT,
    MessageError,
    fields,
    inner_messages,
    metadata,
    read_varint,
)

STORED = ".16"  # ends the name of a tensor that is stored in 16 bits
BATCH_NORM = "batch_norm"  # key of the metadata: what batch norm was before it was merged
# Numbers of fields: the graph in the file, its tensors, and a tensor's own.
GRAPH, TENSOR = 7, 5
SHAPE, TYPE, NAME, NUMBERS = 1, 2, 8, 9
TYPES = {1: np.float32, 7: np.int64, 10: np.float16}  # of ONNX's data types, those that are read


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Gives the tensors of a file by name, floats as float32; others than those are left out.

    Raises:
        MessageError: no ONNX file, or one that is cut off.
    """
    found: dict[str, NDArray[Any]] = {}
    with path.open("rb") as stream:
        for graph in inner_messages(stream, path.stat().st_size, GRAPH):
            for tensor in inner_messages(stream, graph, TENSOR):
                name, values = _tensor(stream, tensor)
                if values is not None:
                    found[name.removesuffix(STORED)] = values
    return found


def as_text(tensors: Mapping[str, NDArray[Any]]) -> str:
    """Gives tensors as a text for the metadata: numpy's .npz in base 64."""
    packed = BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **tensors)
    return b64encode(packed.getvalue()).decode()


def read_text(path: Path, key: str) -> dict[str, NDArray[Any]]:
    """Gives the tensors that `as_text` put under a key of the metadata.

    Raises:
        KeyError: there is no such key.
        ValueError: no ONNX file, one that is cut off, or another text.
    """
    with path.open("rb") as stream:
        text = metadata(stream, path.stat().st_size)[key]
    try:
        with np.load(BytesIO(b64decode(text)), allow_pickle=False) as packed:
            return dict(packed)
    except BadZipFile as error:
        raise MessageError(f"metadata {key}: {error}") from error


def _tensor(stream: BinaryIO, end: int) -> tuple[str, NDArray[Any] | None]:
    shape: list[int] = []
    kind, name, numbers = 0, "", b""
    for number, form, value in fields(stream, end):
        if form == VARINT:
            shape += [value] if number == SHAPE else []
            kind = value if number == TYPE else kind
        elif form == BYTES and number == SHAPE:
            shape += _packed(stream, stream.tell() + value)
        else:
            content = stream.read(value)
            name = content.decode() if number == NAME else name
            numbers = content if number == NUMBERS else numbers
    if kind not in TYPES:
        return name, None
    stored = np.dtype(TYPES[kind]).newbyteorder("<")
    try:
        values = np.frombuffer(numbers, stored).reshape(shape)
    except ValueError as error:
        raise MessageError(f"tensor {name}: {len(numbers)} bytes for {shape}") from error
    return name, values.astype(np.int64 if kind == 7 else np.float32)


def _packed(stream: BinaryIO, end: int) -> list[int]:
    values = []
    while stream.tell() < end:
        values.append(read_varint(stream))
    return values
