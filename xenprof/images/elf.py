"""Reads the sections of ELF files, of both sizes and byte orders.

Nothing in a file is trusted: offsets and sizes are cut to what the file has,
and compressed sections are not inflated beyond a few times its size. Contents are views into the
mapped file where possible: a kernel with debug information has 100 MB, and one is needed.
"""

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xenprof.errors import ImageError

SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_REL = 2, 4, 8, 9
ET_REL = 1
_SHT_NOTE = 7
_NT_GNU_BUILD_ID = 3
_SHF_ALLOC, _SHF_EXECINSTR, _SHF_COMPRESSED = 0x2, 0x4, 0x800
_COMPRESS_ZLIB = 1
_INFLATION_LIMIT = 2  # times the size of the file
_CRC_BLOCK = 1 << 20
_EMPTY = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Section:
    """A section header; `kind` is its type, on which the meaning of `link` and `info` depends."""

    name: bytes
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int

    @property
    def is_code(self) -> bool:
        """Return whether symbols in it count."""
        wanted = _SHF_ALLOC | _SHF_EXECINSTR
        return self.flags & wanted == wanted


@dataclass(frozen=True, slots=True)
class Elf:
    """The used parts of an ELF file; `order` is "<" or ">", `kind` its e_type."""

    data: mmap.mmap = field(repr=False)
    order: str
    is_64: bool
    kind: int
    sections: tuple[Section, ...]

    def section(self, name: bytes) -> Section | None:
        """Return the first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    @property
    def has_debug_info(self) -> bool:
        """Return whether it has a section of debugging information, as BFD sees it."""
        prefixes = (b".debug", b".zdebug", b".stab", b".gnu.linkonce.wi.")
        return any(section.name.startswith(prefixes) for section in self.sections)

    def contents(self, section: Section | None) -> memoryview:
        """Return the bytes of a section that the file really has, inflated if compressed."""
        if section is None or section.kind == SHT_NOBITS:
            return _EMPTY
        raw = memoryview(self.data)[section.offset : section.offset + section.size]
        if not section.flags & _SHF_COMPRESSED:
            return raw
        head = struct.Struct(f"{self.order}I4xQQ" if self.is_64 else f"{self.order}III")
        if len(raw) < head.size:
            return _EMPTY
        kind, size, _ = head.unpack_from(raw)
        if kind != _COMPRESS_ZLIB or not 0 < size <= _INFLATION_LIMIT * len(self.data):
            return _EMPTY
        try:
            return memoryview(zlib.decompressobj().decompress(raw[head.size :], size))
        except zlib.error:
            return _EMPTY

    def symbol_rows(self) -> tuple[npt.NDArray[np.void], memoryview]:
        """Return the rows of .symtab (fields name, info, shndx, value, size) and its strings."""
        for section in self.sections:
            if section.kind == SHT_SYMTAB and section.link < len(self.sections):
                return self.rows_of(section), self.contents(self.sections[section.link])
        return self.rows_of(None), _EMPTY

    def rows_of(self, table: Section | None) -> npt.NDArray[np.void]:
        """Return the rows of a symbol table, with the fields of `symbol_rows`."""
        rows, dtype = self.contents(table), _symbol_dtype(self.order, self.is_64)
        return np.frombuffer(rows, dtype, len(rows) // dtype.itemsize)

    @property
    def build_id(self) -> bytes:
        """Return the build id in its notes; empty if there is none."""
        for section in self.sections:
            if section.kind == _SHT_NOTE:
                notes = self.contents(section)
                at = 0
                while at + 12 <= len(notes):
                    name_size, size, kind = struct.unpack_from(f"{self.order}III", notes, at)
                    start = at + 12 + (name_size + 3) // 4 * 4
                    if kind == _NT_GNU_BUILD_ID and bytes(notes[at + 12 : at + 16]) == b"GNU\0":
                        return bytes(notes[start : start + size])
                    at = start + (size + 3) // 4 * 4
        return b""

    @property
    def debug_link(self) -> tuple[str, int] | None:
        """Return name and CRC-32 of the file that holds its debugging information."""
        link = bytes(self.contents(self.section(b".gnu_debuglink")))
        name, end, _ = link.partition(b"\0")
        at = (len(name) + 4) // 4 * 4
        if not end or not name or b"/" in name or at + 4 > len(link):
            return None
        (crc,) = struct.unpack_from(f"{self.order}I", link, at)
        return name.decode(errors="surrogateescape"), crc

    def crc32(self) -> int:
        """Return the checksum of the whole file."""
        crc = 0
        for at in range(0, len(self.data), _CRC_BLOCK):
            crc = zlib.crc32(self.data[at : at + _CRC_BLOCK], crc)
        return crc


def read_elf(path: Path, shown: str = "") -> Elf:
    """Return the ELF file at `path`, called `shown` in messages. Raises: ImageError."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise ImageError(shown or str(path)) from error
    if len(data) < 52 or data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise ImageError(shown or str(path))
    order, is_64 = "<>"[data[5] - 1], data[4] == 2
    try:
        (kind,) = struct.unpack_from(f"{order}H", data, 16)
        return Elf(data, order, is_64, kind, tuple(_sections(data, order, is_64)))
    except (struct.error, IndexError) as error:
        raise ImageError(shown or str(path)) from error


def _sections(data: mmap.mmap, order: str, is_64: bool) -> Iterator[Section]:
    """Yield the section headers. Raises: struct.error, IndexError for a damaged file."""
    if is_64:
        (table,) = struct.unpack_from(f"{order}Q", data, 40)
        width, count, names_index = struct.unpack_from(f"{order}HHH", data, 58)
        row = struct.Struct(f"{order}IIQQQQII")
    else:
        (table,) = struct.unpack_from(f"{order}I", data, 32)
        width, count, names_index = struct.unpack_from(f"{order}HHH", data, 46)
        row = struct.Struct(f"{order}IIIIIIII")
    if count and table + row.size + width * (count - 1) > len(data):
        raise IndexError
    raw = [row.unpack_from(data, table + width * i) for i in range(count)]
    if not raw:
        return
    at, size = raw[names_index][4:6]
    strings_end = min(at + size, len(data))
    for name, kind, flags, address, offset, size, link, info in raw:
        start = min(at + name, strings_end)
        end = data.find(b"\0", start, min(start + 256, strings_end))
        yield Section(data[start:end], kind, flags, address, offset, size, link, info)


def _symbol_dtype(order: str, is_64: bool) -> np.dtype[np.void]:
    """Return the layout of a symbol table's row."""
    names = ["name", "info", "shndx", "value", "size"]
    if is_64:
        formats, offsets, size = ["u4", "u1", "u2", "u8", "u8"], [0, 4, 6, 8, 16], 24
    else:
        formats, offsets, size = ["u4", "u1", "u2", "u4", "u4"], [0, 12, 14, 4, 8], 16
    return np.dtype(
        {
            "names": names,
            "formats": [order + f for f in formats],
            "offsets": offsets,
            "itemsize": size,
        }
    )
