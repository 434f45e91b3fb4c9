"""The outermost layer of an ONNX file: what it says beside its graph, without the onnx package.

An ONNX file is a protobuf message: fields, each with a number and a type; the graph is one long
field that is stepped over.
"""

from collections.abc import Iterator
from typing import BinaryIO

METADATA = 14  # number of the field metadata_props, whose entries have 1: key, 2: value
LONGEST = 1 << 24  # bytes of an entry that is read
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf's types


class MessageError(ValueError):
    """No protobuf message, or one that is cut off."""


def metadata(stream: BinaryIO, size: int) -> dict[str, str]:
    """Reads the metadata of an ONNX file; of entries with one name the last counts.

    Args:
        stream: at the beginning of the file.
        size: of the file in bytes.

    Raises:
        MessageError: the file is cut off, or no protobuf message.
    """
    found: dict[str, str] = {}
    for number, length in _fields(stream, size):
        if number != METADATA:
            stream.seek(length, 1)
            continue
        end = stream.tell() + length
        texts = {field: _text(stream, size) for field, size in _fields(stream, end)}
        found[texts.get(1, "")] = texts.get(2, "")
    return found


def metadata_entry(key: str, value: str) -> bytes:
    """Gives an entry of the metadata, which may stand at the end of an ONNX file."""
    inner = b"".join(
        _tag(number) + _varint(len(text)) + text
        for number, text in ((1, key.encode()), (2, value.encode()))
    )
    return _tag(METADATA) + _varint(len(inner)) + inner


def _fields(stream: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Yields number and length of fields of bytes, the stream at their beginning; skips others."""
    while stream.tell() < end:
        tag = _read_varint(stream)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _read_varint(stream)
            continue
        if kind not in (_FIXED64, _BYTES, _FIXED32) or number == 0:
            raise MessageError(f"field {number} of type {kind}")
        length = _read_varint(stream) if kind == _BYTES else 8 if kind == _FIXED64 else 4
        if stream.tell() + length > end:
            raise MessageError("a field that is longer than the message")
        if kind == _BYTES:
            yield number, length
        else:
            stream.seek(length, 1)


def _text(stream: BinaryIO, length: int) -> str:
    if length > LONGEST:
        raise MessageError("a text of unlikely length")
    return stream.read(length).decode()


def _read_varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise MessageError("cut off")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise MessageError("a number that is too long")


def _tag(number: int) -> bytes:
    return _varint(number << 3 | _BYTES)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found + bytes([value]))
