"""Reads protobuf's wire format: messages of numbers, strings and messages."""

from collections.abc import Iterator

from xenprof.errors import XenprofError

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_VARINT_BYTES = 10
_WORD = (1 << 64) - 1


class BadMessage(XenprofError):
    """Bytes that are not a message."""


class Fields:
    """The fields of a message by number, in order of appearance."""

    def __init__(self, found: dict[int, list[int | bytes]]) -> None:
        self._found = found

    def number(self, field: int) -> int:
        """Return the last number of a field; 0 if there is none. Raises: BadMessage."""
        values = self._found.get(field)
        if not values:
            return 0
        if not isinstance(values[-1], int):
            raise BadMessage(f"field {field} is no number")
        return values[-1]

    def packed(self, field: int) -> Iterator[int]:
        """Yield the numbers of a field, packed or not. Raises: BadMessage."""
        for value in self._found.get(field, ()):
            if isinstance(value, int):
                yield value
            else:
                yield from numbers(value)

    def texts(self, field: int) -> Iterator[bytes]:
        """Yield the byte strings of a field. Raises: BadMessage."""
        for value in self._found.get(field, ()):
            if isinstance(value, int):
                raise BadMessage(f"field {field} is a number")
            yield value

    def messages(self, field: int) -> "Iterator[Fields]":
        """Yield the messages of a field. Raises: BadMessage."""
        return map(fields, self.texts(field))


def fields(data: bytes) -> Fields:
    """Return the fields of a message. Raises: BadMessage."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        field, kind = key >> 3, key & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            value, at = _taken(data, at, size)
        elif kind in (_EIGHT, _FOUR):
            value, at = _taken(data, at, 8 if kind == _EIGHT else 4)
        else:
            raise BadMessage(f"a field of the unknown kind {kind}")
        if not field:
            raise BadMessage("a field without a number")
        found.setdefault(field, []).append(value)
    return Fields(found)


def numbers(data: bytes) -> Iterator[int]:
    """Yield packed numbers. Raises: BadMessage."""
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def signed(value: int) -> int:
    """Return a 64-bit number as a signed one."""
    return value - (1 << 64) if value >> 63 else value


def _taken(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if size > len(data) - at:
        raise BadMessage("it ends in the middle")
    return data[at : at + size], at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_VARINT_BYTES):
        if at + index >= len(data):
            raise BadMessage("it ends in the middle")
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & _WORD, at + index + 1
    raise BadMessage("a number of more than 64 bits")
