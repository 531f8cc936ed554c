"""Runs line programs, the tables of `.debug_line` (DWARF 2 to 5), for a few addresses.

A program is run as a stream: only the answers are kept, so a table of any size takes no
memory. Every step consumes at least one byte, so a damaged one ends.

Source: DWARF 5 section 6.2; which of several rows at one address counts: BFD's dwarf2.c (the
last one).
"""

import struct
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

from xenprof.errors import XenprofError

_LNCT_PATH, _LNCT_DIRECTORY = 1, 2
_FORM_SIZES = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}  # data1, 2, 4, 8, 16
_FORM_STRING, _FORM_UDATA, _FORM_BLOCK = 0x08, 0x0F, 0x09
_FORM_STRP, _FORM_LINE_STRP = 0x0E, 0x1F
_LEB_BITS = 70


class Location(NamedTuple):
    """A line of source; `file` is the path that the compiler was given."""

    file: str
    line: int


class Malformed(XenprofError):
    """Debugging information that cannot be read any further."""


@dataclass(slots=True)
class Reader:
    """Reads numbers and strings from a section, forward. Raises: Malformed at its end."""

    data: bytes | memoryview
    at: int
    order: str

    def number(self, size: int) -> int:
        """Return an unsigned number of `size` bytes."""
        raw = self.data[self.at : self.at + size]
        if len(raw) < size:
            raise Malformed
        self.at += size
        return int.from_bytes(raw, "little" if self.order == "<" else "big")

    def leb(self) -> int:
        """Return an unsigned LEB128 number; bits beyond 70 are dropped."""
        value = shift = 0
        while True:
            byte = self.number(1)
            if shift < _LEB_BITS:
                value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def string(self) -> bytes:
        """Return the string that ends with a zero."""
        found = string_in(self.data, self.at)
        self.at += len(found) + 1
        if self.at > len(self.data):
            raise Malformed
        return found


def string_in(data: bytes | memoryview, at: int) -> bytes:
    """Return the zero-terminated string at an offset, at most 4096 bytes of it."""
    head, end, _ = bytes(data[at : at + 64]).partition(b"\0")
    return head if end else bytes(data[at : at + 4096]).partition(b"\0")[0]


@dataclass(frozen=True, slots=True)
class Strings:
    """The sections that strings are in: `.debug_str` and `.debug_line_str`."""

    plain: memoryview
    line: memoryview


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a line program: its parameters, and its tables of directories and files.

    The program is at [start, end) of the section; `unit_end` is where the next one begins.
    """

    version: int
    start: int
    end: int
    minimum_length: int
    line_base: int
    line_range: int
    opcode_base: int
    lengths: tuple[int, ...]
    directories: tuple[bytes, ...]
    files: tuple[tuple[bytes, int], ...]  # name, index of its directory

    def path(self, number: int, directory: bytes) -> str:
        """Return the path of a file; `directory` is where the compiler ran."""
        index = number if self.version >= 5 else number - 1
        if not 0 <= index < len(self.files):
            return ""
        name, where = self.files[index]
        parts = [directory]
        if self.version >= 5:
            if where < len(self.directories):
                parts = [self.directories[0], self.directories[where]]
        elif 0 < where <= len(self.directories):
            parts.append(self.directories[where - 1])
        parts.append(name)
        for i in range(len(parts) - 1, -1, -1):
            if parts[i].startswith(b"/"):
                parts = parts[i:]
                break
        parts = [part for i, part in enumerate(parts) if part and (not i or part != parts[i - 1])]
        return b"/".join(parts).decode(errors="surrogateescape")


def unit_end(reader: Reader) -> tuple[int, int]:
    """Return the end of the unit that starts here, and the size of its offsets (4 or 8)."""
    length, size = reader.number(4), 4
    if length == 0xFFFFFFFF:
        length, size = reader.number(8), 8
    return reader.at + length, size


def read_header(data: memoryview, at: int, order: str, strings: Strings) -> Header:
    """Return the header of the line program at an offset. Raises: Malformed."""
    reader = Reader(data, at, order)
    end, width = unit_end(reader)
    end = min(end, len(data))
    reader.data = data[:end]
    version = reader.number(2)
    if not 2 <= version <= 5:
        raise Malformed
    if version >= 5:
        reader.number(2)  # sizes of addresses and segments
    length = reader.number(width)
    start = reader.at + length
    minimum_length = reader.number(1)
    if version >= 4:
        reader.number(1)  # operations per instruction, for VLIW machines
    reader.number(1)  # is_stmt of the first row
    line_base = struct.unpack("b", bytes([reader.number(1)]))[0]
    line_range, opcode_base = reader.number(1), reader.number(1)
    lengths = tuple(reader.number(1) for _ in range(opcode_base - 1))
    if version >= 5:
        directories = tuple(name for name, _ in _entries(reader, width, strings))
        files = tuple(_entries(reader, width, strings))
    else:
        directories, files = _old_tables(reader)
    return Header(
        version, min(start, end), end, minimum_length, line_base, line_range, opcode_base, lengths,
        directories, files,
    )  # fmt: skip


def _old_tables(reader: Reader) -> tuple[tuple[bytes, ...], tuple[tuple[bytes, int], ...]]:
    directories, files = [], []
    while name := reader.string():
        directories.append(name)
    while name := reader.string():
        where = reader.leb()
        reader.leb()  # time
        reader.leb()  # length
        files.append((name, where))
    return tuple(directories), tuple(files)


def _entries(reader: Reader, width: int, strings: Strings) -> list[tuple[bytes, int]]:
    """Return path and directory of each entry of a DWARF 5 table."""
    formats = [(reader.leb(), reader.leb()) for _ in range(reader.number(1))]
    count = reader.leb()
    found: list[tuple[bytes, int]] = []
    for _ in range(count):
        before = reader.at
        name, where = b"", 0
        for kind, form in formats:
            value = _form(reader, form, width, strings)
            if kind == _LNCT_PATH and isinstance(value, bytes):
                name = value
            elif kind == _LNCT_DIRECTORY and isinstance(value, int):
                where = value
        if reader.at == before:  # empty entries could be repeated without end
            raise Malformed
        found.append((name, where))
    return found


def _form(reader: Reader, form: int, width: int, strings: Strings) -> bytes | int:
    """Return a value of a DWARF 5 table. Raises: Malformed for a form not used there."""
    if form in _FORM_SIZES:
        return reader.number(_FORM_SIZES[form])
    if form == _FORM_UDATA:
        return reader.leb()
    if form == _FORM_STRING:
        return reader.string()
    if form == _FORM_LINE_STRP:
        return string_in(strings.line, reader.number(width))
    if form == _FORM_STRP:
        return string_in(strings.plain, reader.number(width))
    if form == _FORM_BLOCK:
        reader.at += reader.leb()
        return 0
    raise Malformed


def run(
    data: memoryview, header: Header, order: str, pending: list[int]
) -> dict[int, tuple[int, int]]:
    """Return file number and line of each of the ascending addresses `pending` that it covers.

    These are taken out of `pending`.
    """
    found: dict[int, tuple[int, int]] = {}
    if not header.line_range:
        return found
    reader = Reader(bytes(data[header.start : header.end]), 0, order)
    try:
        while reader.at < len(reader.data) and pending:
            _run_sequence(reader, header, pending, found)
    except Malformed:
        pass  # what was found before is kept
    return found


def _run_sequence(
    reader: Reader, header: Header, pending: list[int], found: dict[int, tuple[int, int]]
) -> None:
    """Run to the end of the next sequence."""
    address, file, line = 0, 1, 1
    before = -1  # the address of the previous row, whose file and line are `row`
    row = (0, 0)
    data = reader.data
    size = len(data)
    base, lowest, span = header.opcode_base, header.line_base, header.line_range
    step = header.minimum_length
    constant = (255 - base) // span * step
    while reader.at < size:
        opcode = data[reader.at]
        reader.at += 1
        is_end = False
        if opcode >= base:
            opcode -= base
            address += opcode // span * step
            line += lowest + opcode % span
        elif opcode == 0:
            length = reader.leb()
            after = reader.at + length
            kind = data[reader.at] if length and reader.at < size else 0
            if kind == 2:
                reader.at += 1
                address = reader.number(min(length - 1, 8))
            is_end = kind == 1
            reader.at = after
            if not is_end:
                continue
        elif opcode != 1:
            if opcode == 2:
                address += reader.leb() * step
            elif opcode == 3:
                start = reader.at
                line += reader.leb()
                bits = 7 * (reader.at - start)
                if data[reader.at - 1] & 0x40 and bits <= _LEB_BITS:
                    line -= 1 << bits
            elif opcode == 4:
                file = reader.leb()
            elif opcode == 8:
                address += constant
            elif opcode == 9:
                address += reader.number(2)
            else:
                for _ in range(header.lengths[opcode - 1]):
                    reader.leb()
            continue
        if address > before >= 0:
            first = bisect_left(pending, before)
            last = bisect_left(pending, address, first)
            if first != last:
                found.update(dict.fromkeys(pending[first:last], row))
                del pending[first:last]
        if is_end:
            return
        before, row = address, (file, line)
