"""The weights in an ONNX file, without the onnx package: what training needs to start from one.

An ONNX file is a protobuf message: its graph is field 7, and the graph's tensors are its fields 5,
each with its shape (1), type (2), name (8) and numbers (9).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STORED = ".16"  # ends the name of a tensor that is stored in 16 bits
BATCH_NORM = "batch_norm."  # begins the names of what batch norm was before it was merged
GRAPH, TENSOR = 7, 5  # numbers of fields
SHAPE, TYPE, NAME, NUMBERS = 1, 2, 8, 9
TYPES = {1: np.float32, 7: np.int64, 10: np.float16}  # of ONNX's data types, those that are read
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf's types of fields


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Gives the tensors of a file by name, floats as float32; others than those are left out.

    Raises:
        ValueError: no ONNX file, or one that is cut off.
    """
    found: dict[str, NDArray[Any]] = {}
    content = memoryview(path.read_bytes())
    for number, graph in _fields(content):
        if number != GRAPH or isinstance(graph, int):
            continue
        for field, tensor in _fields(graph):
            if field == TENSOR and not isinstance(tensor, int):
                name, values = _tensor(tensor)
                if values is not None:
                    found[name.removesuffix(STORED)] = values
    return found


def _tensor(message: memoryview) -> tuple[str, NDArray[Any] | None]:
    shape: list[int] = []
    kind, name, numbers = 0, "", b""
    for field, value in _fields(message):
        if field == SHAPE:
            shape += [value] if isinstance(value, int) else _packed(value)
        elif field == TYPE and isinstance(value, int):
            kind = value
        elif field == NAME and not isinstance(value, int):
            name = bytes(value).decode()
        elif field == NUMBERS and not isinstance(value, int):
            numbers = bytes(value)
    if kind not in TYPES:
        return name, None
    values = np.frombuffer(numbers, np.dtype(TYPES[kind]).newbyteorder("<")).reshape(shape)
    return name, values.astype(np.int64 if kind == 7 else np.float32)


def _packed(message: memoryview) -> list[int]:
    values, place = [], 0
    while place < len(message):
        value, place = _varint(message, place)
        values.append(value)
    return values


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields number and value of each field: an int, or bytes."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind not in (_FIXED64, _BYTES, _FIXED32) or number == 0:
            raise ValueError(f"field {number} of type {kind}")
        length = 8 if kind == _FIXED64 else 4
        if kind == _BYTES:
            length, place = _varint(message, place)
        if place + length > len(message):
            raise ValueError("a field that is longer than the message")
        yield number, message[place : place + length]
        place += length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("cut off")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number that is too long")
