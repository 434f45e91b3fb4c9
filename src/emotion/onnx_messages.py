"""What an ONNX file says beside its graph, without the onnx package.

An ONNX file is a protobuf message: fields, each with a number and a type. The graph is one long
field, which is stepped over; `emotion.onnx_tensors` looks into it.
"""

from collections.abc import Iterator
from typing import BinaryIO

METADATA = 14  # number of the field metadata_props, whose entries have 1: key, 2: value
LONGEST = 1 << 24  # bytes of an entry that is read
VARINT, _FIXED64, BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf's types


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
    for end in inner_messages(stream, size, METADATA):
        texts = {
            number: _text(stream, length)
            for number, kind, length in fields(stream, end)
            if kind == BYTES
        }
        found[texts.get(1, "")] = texts.get(2, "")
    return found


def inner_messages(stream: BinaryIO, end: int, wanted: int) -> Iterator[int]:
    """Yields the end of each message that is field `wanted`, the stream at its beginning.

    Args:
        stream: at the beginning of the outer message; afterwards at its end.
        end: of the outer message.
        wanted: number of the field.

    Raises:
        MessageError: the outer message is cut off, or none.
    """
    for number, kind, length in fields(stream, end):
        if kind == BYTES:
            after = stream.tell() + length
            if number == wanted:
                yield after
            stream.seek(after)


def fields(stream: BinaryIO, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields number, type and value of each field of a message.

    For `VARINT` the value is the number itself. For `BYTES` it is the length, and the stream stands
    at the field's beginning; whoever asks moves it to its end. Others are skipped.

    Args:
        stream: at the beginning of the message.
        end: of the message.

    Raises:
        MessageError: the message is cut off, or none.
    """
    while stream.tell() < end:
        tag = read_varint(stream)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            yield number, kind, read_varint(stream)
            continue
        if kind not in (_FIXED64, BYTES, _FIXED32) or number == 0:
            raise MessageError(f"field {number} of type {kind}")
        length = read_varint(stream) if kind == BYTES else 8 if kind == _FIXED64 else 4
        if stream.tell() + length > end:
            raise MessageError("a field that is longer than the message")
        if kind == BYTES:
            yield number, kind, length
        else:
            stream.seek(length, 1)


def metadata_entry(key: str, value: str) -> bytes:
    """Gives an entry of the metadata, which may stand at the end of an ONNX file."""
    inner = b"".join(
        _tag(number) + _varint(len(text)) + text
        for number, text in ((1, key.encode()), (2, value.encode()))
    )
    return _tag(METADATA) + _varint(len(inner)) + inner


def _text(stream: BinaryIO, length: int) -> str:
    if length > LONGEST:
        raise MessageError("a text of unlikely length")
    return stream.read(length).decode()


def read_varint(stream: BinaryIO) -> int:
    """Reads a number of any length, 7 bits a byte.

    Raises:
        MessageError: it is cut off, or has more than 70 bits.
    """
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
    return _varint(number << 3 | BYTES)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found + bytes([value]))
