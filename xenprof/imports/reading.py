"""Reads files of other tools within bounds, however large or compressed they are."""

import codecs
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from xenprof.imports.errors import InputError

LARGEST_BYTES = 1 << 28  # judgement: an hour of perf at 1 kHz with deep stacks
_RATIO = 200  # judgement: real profiles shrink to a third ... a fortieth
_RATIO_FROM = 1 << 24
_CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
_WITH_HEADER = 31
_STDIN_MTIME = 946_684_800  # images made of names need a fixed mtime: 2000-01-01


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_input(path: str, largest: int = LARGEST_BYTES) -> bytes:
    """Return the contents of a file (`-`: standard input), unpacked if it is gzip.

    Raises: InputError (cannot be read, too large, damaged, expands without end).
    """
    name = shown_name(path)
    try:
        if path == "-":
            return _read(sys.stdin.buffer, name, largest)
        if stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116 - the path may be no path at all
            raise InputError(path, "is a directory")
        with Path(path).open("rb") as file:
            return _read(file, name, largest)
    except OSError as error:
        raise InputError(name, error.strerror or str(error)) from None
    except ValueError:  # the path has a NUL
        raise InputError(path.replace("\0", "?"), "no such file") from None


def shown_name(path: str) -> str:
    """Return the name of an input in messages."""
    return "standard input" if path == "-" else path


def modified(path: str) -> int:
    """Return when a file was last changed, in Unix seconds."""
    try:
        return _STDIN_MTIME if path == "-" else int(Path(path).stat().st_mtime)
    except OSError:
        return _STDIN_MTIME


def read_bounded(file: _Readable, path: str, largest: int = LARGEST_BYTES) -> bytes:
    """Return all that is in an open file; `path` is for messages.

    Raises: InputError (too large), and what reading raises.
    """
    data = bytearray()
    while chunk := file.read(_CHUNK):
        data += chunk
        if len(data) > largest:
            raise InputError(path, f"larger than {largest >> 20} MiB")
    return bytes(data)


def _read(file: _Readable, path: str, largest: int) -> bytes:
    data = read_bounded(file, path, largest)
    return _unpacked(data, path, largest) if data[:2] == GZIP_MAGIC else data


def _unpacked(packed: bytes, path: str, largest: int) -> bytes:
    out = bytearray()
    rest = packed
    while rest:  # the members, one after the other
        unpacker = zlib.decompressobj(_WITH_HEADER)
        while not unpacker.eof:
            try:
                out += unpacker.decompress(rest, _CHUNK)
            except zlib.error:
                raise InputError(path, "damaged: its gzip data do not fit") from None
            if not unpacker.eof and not unpacker.unconsumed_tail:
                raise InputError(path, "truncated: its gzip data have no end")
            rest = unpacker.unconsumed_tail
            if len(out) > largest:
                raise InputError(path, f"larger than {largest >> 20} MiB when unpacked")
            if len(out) > _RATIO_FROM and len(out) > _RATIO * len(packed):
                raise InputError(
                    path, f"unpacks to more than {_RATIO} times its size: not a profile"
                )
        rest = unpacker.unused_data.lstrip(b"\0")
    return bytes(out)


def lines(data: bytes, path: str, longest: int) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text and their numbers; the last one needs no end.

    The text may begin with a mark of UTF-8 or UTF-16 (PowerShell's `>` writes the latter).

    Raises: InputError (too long, neither UTF-8 nor marked as UTF-16, binary).
    """
    data = _utf8(data, path)
    start, number = 0, 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start)
        if end < 0:
            end = len(data)
        if end - start > longest:
            raise InputError(path, f"line {number}: longer than {longest} bytes")
        line = data[start:end]
        if b"\0" in line:
            raise InputError(path, f"line {number}: binary data, text is wanted")
        try:
            yield number, line.decode().removesuffix("\r")
        except UnicodeDecodeError:
            raise InputError(path, f"line {number}: not UTF-8") from None
        start = end + 1


def _utf8(data: bytes, path: str) -> bytes:
    """Return a text as UTF-8 without a byte order mark."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InputError(path, "UTF-32; UTF-8 is wanted")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise InputError(path, "marked as UTF-16, but it is not") from None
    return data.removeprefix(codecs.BOM_UTF8)


def shown(text: str) -> str:
    """Return the beginning of a line for a message."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
