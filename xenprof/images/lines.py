"""Finds source lines of addresses in an image's debugging information (DWARF 2 to 5).

Only what is needed is read: `.debug_aranges` names the units that cover the addresses, and only
their line programs are run; without it, all are. Everything found is cached.

This is a reader of its own because a report must survive any file: pyelftools trusts counts (a
table of 2^60 empty entries) and sizes (sections of zeros). The tests compare the two.

Source: DWARF 5 sections 3.1.1, 6.1.2, 7.5.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from xenprof.images.elf import ET_REL, Elf
from xenprof.images.lineprogram import (
    Header,
    Location,
    Malformed,
    Reader,
    Strings,
    read_header,
    run,
    string_in,
    unit_end,
)
from xenprof.images.relocation import relocated

_STMT_LIST, _COMP_DIR = 0x10, 0x1B
_MOST_ATTRIBUTES = 40  # of one declaration; compilers write about ten
_MOST_DECLARATIONS = 10_000  # of one unit
_MOST_BYTES = 8_000_000  # of declarations in all
_NEAR = 16
"""How far from code without a line opreport looks for one. Source: bfd_support.cpp."""

_FIXED_FORMS = {
    0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16,  # data
    0x0C: 1, 0x19: 0,  # flags
    0x11: 1, 0x12: 2, 0x13: 4, 0x14: 8, 0x20: 8,  # references
    0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4, 0x29: 1, 0x2A: 2, 0x2B: 3, 0x2C: 4,  # strx, addrx
}  # fmt: skip
_OFFSET_FORMS = {0x0E, 0x1F, 0x17, 0x10, 0x1D, 0x1F20, 0x1F21}
_LEB_FORMS = {0x0F, 0x0D, 0x15, 0x1A, 0x1B, 0x22, 0x23, 0x1F01, 0x1F02}
_BLOCK_SIZES = {0x0A: 1, 0x03: 2, 0x04: 4}
_FORM_ADDRESS, _FORM_STRING, _FORM_IMPLICIT = 0x01, 0x08, 0x21
_BLOCK_FORMS = {0x09, 0x18}


@dataclass(slots=True)
class LineTable:
    """Finds the lines of one file's code."""

    elf: Elf
    _known: dict[int, Location] = field(default_factory=dict, init=False, repr=False)
    _asked: set[int] = field(default_factory=set, init=False, repr=False)
    _opened: tuple[memoryview, memoryview, Strings] | None = field(
        default=None, init=False, repr=False
    )
    _declarations: dict[tuple[int, int], list[tuple[int, int]]] = field(
        default_factory=dict, init=False, repr=False
    )
    _bytes_left: int = field(default=_MOST_BYTES, init=False, repr=False)

    def find(self, addresses: Iterable[int]) -> dict[int, Location]:
        """Return the line of each address that has one.

        Code to which the compiler gives no line (0) gets the first one in the 15 bytes after it.
        """
        wanted = set(addresses)
        self._look_up(wanted)
        bare = [a for a in wanted if a in self._known and not self._known[a].line]
        if bare:
            self._look_up({address + i for address in bare for i in range(1, _NEAR)})
            for address in bare:
                near = (self._known.get(address + i) for i in range(1, _NEAR))
                line = next((location for location in near if location and location.line), None)
                if line:
                    self._known[address] = line
        return {address: self._known[address] for address in wanted if address in self._known}

    def _look_up(self, addresses: set[int]) -> None:
        pending = sorted(addresses - self._asked)
        self._asked |= addresses
        if not pending:
            return
        lines, info, strings = self._sections()
        tried = set()
        try:
            for offset, directory in self._units_of(info, pending):
                if offset not in tried:
                    tried.add(offset)
                    self._run(lines, offset, directory, strings, pending)
        except Malformed:
            pass
        if not pending:
            return
        # No range covers these: run the other programs, in the file's order.
        directories: dict[int, bytes] | None = None
        for offset in _unit_offsets(lines, self.elf.order):
            if not pending:
                break
            if offset not in tried:
                if directories is None:
                    directories = dict(self._all_units(info))
                self._run(lines, offset, directories.get(offset, b""), strings, pending)

    def _sections(self) -> tuple[memoryview, memoryview, Strings]:
        if self._opened is None:
            elf = self.elf
            plain = elf.contents(elf.section(b".debug_str"))
            line = elf.contents(elf.section(b".debug_line_str"))
            self._opened = (
                relocated(elf, b".debug_line"),
                relocated(elf, b".debug_info"),
                Strings(plain, line),
            )
        return self._opened

    def _run(
        self,
        lines: memoryview,
        offset: int,
        directory: bytes,
        strings: Strings,
        pending: list[int],
    ) -> None:
        try:
            header: Header = read_header(lines, offset, self.elf.order, strings)
        except Malformed:
            return
        paths: dict[int, str] = {}
        for address, (file, line) in run(lines, header, self.elf.order, pending).items():
            if file not in paths:
                paths[file] = header.path(file, directory)
            if paths[file]:
                self._known[address] = Location(paths[file], line)

    def _units_of(self, info: memoryview, pending: list[int]) -> Iterator[tuple[int, bytes]]:
        """Yield line program and directory of the units that cover addresses."""
        if self.elf.kind == ET_REL:  # ranges are relative to sections there
            return
        ranges = self.elf.contents(self.elf.section(b".debug_aranges"))
        for unit in _covering(ranges, self.elf.order, list(pending)):
            found = self._top(info, unit)
            if found is not None:
                yield found

    def _all_units(self, info: memoryview) -> Iterator[tuple[int, bytes]]:
        for unit in _unit_offsets(info, self.elf.order):
            try:
                found = self._top(info, unit)
            except Malformed:
                continue
            if found is not None:
                yield found

    def _top(self, info: memoryview, at: int) -> tuple[int, bytes] | None:
        """Return line program and directory of the unit at `at`; None if it has no lines.

        Raises: Malformed.
        """
        elf, strings = self.elf, self._sections()[2]
        reader = Reader(info, at, elf.order)
        _, width = unit_end(reader)
        version = reader.number(2)
        if version >= 5:
            kind, size = reader.number(1), reader.number(1)
            table = reader.number(width)
            reader.at += {4: 8, 5: 8, 2: 8 + width, 6: 8 + width}.get(kind, 0)
        else:
            table, size = reader.number(width), reader.number(1)
        code = reader.leb()
        if (table, code) not in self._declarations:
            self._declarations[table, code] = self._declaration(table, code)
        lines, directory = None, b""
        for attribute, form in self._declarations[table, code]:
            value = _attribute(reader, form, (version, width, size), strings)
            if attribute == _STMT_LIST and isinstance(value, int):
                lines = value
            elif attribute == _COMP_DIR and isinstance(value, bytes):
                directory = value
        return None if lines is None else (lines, directory)

    def _declaration(self, at: int, code: int) -> list[tuple[int, int]]:
        """Return attributes and forms of an abbreviation. Raises: Malformed."""
        data = self.elf.contents(self.elf.section(b".debug_abbrev"))
        reader = Reader(data, at, self.elf.order)
        try:
            for _ in range(_MOST_DECLARATIONS if self._bytes_left > 0 else 0):
                number = reader.leb()
                reader.leb()  # tag
                reader.number(1)  # has children
                pairs = []
                for _ in range(_MOST_ATTRIBUTES):
                    attribute, form = reader.leb(), reader.leb()
                    if form == _FORM_IMPLICIT:
                        reader.leb()
                    if not attribute and not form:
                        break
                    pairs.append((attribute, form))
                if number == code:
                    return pairs
        finally:
            self._bytes_left -= reader.at - at
        raise Malformed


def _unit_offsets(data: memoryview, order: str) -> Iterator[int]:
    """Yield where each unit of a section starts."""
    reader = Reader(data, 0, order)
    while reader.at + 4 <= len(data):
        yield reader.at
        try:
            reader.at = unit_end(reader)[0]
        except Malformed:
            return


def _covering(ranges: memoryview, order: str, addresses: list[int]) -> list[int]:
    """Return the units in `.debug_aranges` that cover some of the ascending addresses."""
    units = []
    reader = Reader(ranges, 0, order)
    while reader.at + 12 <= len(ranges):
        set_start = reader.at
        end, width = unit_end(reader)
        end = min(end, len(ranges))
        reader.number(2)
        unit = reader.number(width)
        size, segment = reader.number(1), reader.number(1)
        if size in (4, 8) and not segment:
            first = set_start + -(-(reader.at - set_start) // (2 * size)) * 2 * size
            raw = ranges[first : first + max(end - first, 0) // (2 * size) * 2 * size]
            pairs = np.frombuffer(raw, f"{order}u{size}").reshape(-1, 2)
            for low, length in pairs.tolist():
                if bisect_left(addresses, low) < bisect_left(addresses, low + length):
                    units.append(unit)
                    break
        reader.at = max(end, reader.at)
    return units


def _attribute(
    reader: Reader, form: int, sizes: tuple[int, int, int], strings: Strings
) -> int | bytes | None:
    """Return a value; None if it does not matter here. Raises: Malformed for an unknown form."""
    version, width, size = sizes
    if form in _FIXED_FORMS:
        return reader.number(_FIXED_FORMS[form])
    if form in _OFFSET_FORMS or (form == 0x10 and version > 2):
        value = reader.number(width)
        if form == 0x0E:
            return string_in(strings.plain, value)
        return string_in(strings.line, value) if form == 0x1F else value
    if form == _FORM_ADDRESS:
        return reader.number(size)
    if form == _FORM_STRING:
        return reader.string()
    if form in _LEB_FORMS:
        return reader.leb()
    if form == _FORM_IMPLICIT:
        return None
    if form in _BLOCK_SIZES or form in _BLOCK_FORMS:
        length = reader.number(_BLOCK_SIZES[form]) if form in _BLOCK_SIZES else reader.leb()
        reader.at += length
        return None
    raise Malformed
