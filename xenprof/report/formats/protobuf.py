"""Writes protobuf's wire format: messages of numbers, strings and messages."""

from collections.abc import Iterable

_VARINT, _BYTES = 0, 2


def varint(value: int) -> bytes:
    """Return a number as base-128 digits; a negative one as its 64-bit complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """Return a field that holds a number; nothing for 0, which a missing field stands for."""
    return varint(field << 3 | _VARINT) + varint(value) if value else b""


def piece(field: int, data: bytes) -> bytes:
    """Return a field that holds a string or a message."""
    return varint(field << 3 | _BYTES) + varint(len(data)) + data


def packed(field: int, values: Iterable[int]) -> bytes:
    """Return a field that holds a list of numbers; nothing for an empty one."""
    data = b"".join(map(varint, values))
    return piece(field, data) if data else b""
