"""Writes x86-64 ELF images deterministically: the files that a domain's root holds.

The same arguments give the same bytes, so that domains can share equal images.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)  # 64 bits, little endian, System V
_EM_X86_64 = 62
_ET_EXEC, _ET_DYN = 2, 3
_PT_LOAD, _PT_NOTE, _PF_R, _PF_X = 1, 4, 4, 1
_SHT_PROGBITS, _SHT_SYMTAB, _SHT_STRTAB, _SHT_NOTE = 1, 2, 3, 7
_ALLOC_EXEC = 0x2 | 0x4
_STB_GLOBAL, _STT_FUNC = 1, 2
_NT_GNU_BUILD_ID = 3
_NOP, _RET = 0x90, 0xC3
_TEXT_INDEX = 1


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """A function: `address` is its virtual address, `size` in bytes."""

    name: str
    address: int
    size: int
    is_global: bool = True


@dataclass(frozen=True, slots=True)
class _Section:
    """A section to be written; `name` also becomes its entry in the string table."""

    name: str
    kind: int
    data: bytes
    align: int
    flags: int = 0
    address: int = 0
    link: int = 0
    info: int = 0
    entry_size: int = 0


def write_elf(
    symbols: Sequence[ElfSymbol],
    *,
    text_address: int,
    text_size: int,
    text_offset: int = 0x1000,
    executable: bool = True,
    build_id: bytes | None = None,
) -> bytes:
    """Return the bytes of an ELF64 image with `.text`, `.symtab` and `.strtab`.

    The file has `.text` (no-ops, each sized symbol ending in a return) at `text_offset`, which
    one PT_LOAD segment maps to `text_address`. `executable` False makes it a shared object.
    `build_id` becomes `.note.gnu.build-id`.

    Raises: ValueError if the headers do not fit before `text_offset` or a symbol lies outside.
    """
    text = _filler(symbols, text_address, text_size)
    names, table, first_global = _symbol_table(symbols)
    sections = [
        _Section(".text", _SHT_PROGBITS, text, 16, _ALLOC_EXEC, text_address),
        _Section(".symtab", _SHT_SYMTAB, table, 8, link=3, info=first_global, entry_size=24),
        _Section(".strtab", _SHT_STRTAB, names, 1),
    ]
    note = b"" if build_id is None else _build_id_note(build_id)
    if note:
        sections.append(_Section(".note.gnu.build-id", _SHT_NOTE, note, 4))
    section_names, name_offsets = _strings([*(s.name for s in sections), ".shstrtab"])
    sections.append(_Section(".shstrtab", _SHT_STRTAB, section_names, 1))

    segment_count = 2 if note else 1
    note_offset = _HEADER.size + segment_count * _SEGMENT.size
    if note_offset + len(note) > text_offset:
        raise ValueError(f"the headers need {note_offset + len(note)} bytes before .text")
    out = bytearray(text_offset)
    out += text
    rows = [_SECTION.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]
    for section, name_offset in zip(sections, name_offsets, strict=True):
        if section.name == ".text":
            offset = text_offset
        elif section.kind == _SHT_NOTE:
            offset = note_offset
        else:
            out += bytes(-len(out) % section.align)
            offset = len(out)
            out += section.data
        rows.append(
            _SECTION.pack(
                name_offset, section.kind, section.flags, section.address, offset,
                len(section.data), section.link, section.info, section.align, section.entry_size,
            )
        )  # fmt: skip
    out += bytes(-len(out) % 8)
    sections_offset = len(out)
    out += b"".join(rows)

    segments = _segments(text_address, text_size, text_offset, note_offset, len(note))
    out[: _HEADER.size] = _HEADER.pack(
        _IDENT, _ET_EXEC if executable else _ET_DYN, _EM_X86_64, 1, text_address, _HEADER.size,
        sections_offset, 0, _HEADER.size, _SEGMENT.size, segment_count, _SECTION.size, len(rows),
        len(rows) - 1,
    )  # fmt: skip
    out[_HEADER.size : note_offset] = segments
    out[note_offset : note_offset + len(note)] = note
    return bytes(out)


def _segments(
    text_address: int, text_size: int, text_offset: int, note_offset: int, note_size: int
) -> bytes:
    """Return the program headers: one PT_LOAD for `.text`, and a PT_NOTE if there is a note."""
    align = 0x1000  # the loader needs offset and address to be equal modulo the alignment
    while (text_address - text_offset) % align:
        align //= 2
    segments = _SEGMENT.pack(
        _PT_LOAD, _PF_R | _PF_X, text_offset, text_address, text_address, text_size, text_size,
        align,
    )  # fmt: skip
    if note_size:
        segments += _SEGMENT.pack(_PT_NOTE, _PF_R, note_offset, 0, 0, note_size, note_size, 4)
    return segments


def _filler(symbols: Sequence[ElfSymbol], text_address: int, text_size: int) -> bytes:
    """Return `text_size` bytes of code. Raises: ValueError for a symbol outside of it."""
    text = bytearray([_NOP]) * text_size
    for symbol in symbols:
        end = symbol.address + symbol.size - text_address
        if symbol.address < text_address or end > text_size:
            raise ValueError(f"symbol {symbol.name} at {symbol.address:#x} lies outside of .text")
        if symbol.size:
            text[end - 1] = _RET
    return bytes(text)


def _strings(names: Sequence[str]) -> tuple[bytes, list[int]]:
    """Return an ELF string table and the offset of each name in it."""
    table = bytearray(1)
    offsets = []
    for name in names:
        offsets.append(len(table))
        table += name.encode() + b"\0"
    return bytes(table), offsets


def _symbol_table(symbols: Sequence[ElfSymbol]) -> tuple[bytes, bytes, int]:
    """Return string table, symbol table and the index of the first global symbol.

    ELF needs local symbols first; otherwise the given order is kept.
    """
    ordered = sorted(symbols, key=lambda symbol: symbol.is_global)
    names, offsets = _strings([symbol.name for symbol in ordered])
    rows = [bytes(_SYMBOL.size)]
    rows += [
        _SYMBOL.pack(
            offset, (_STB_GLOBAL << 4 if symbol.is_global else 0) | _STT_FUNC, 0, _TEXT_INDEX,
            symbol.address, symbol.size,
        )
        for symbol, offset in zip(ordered, offsets, strict=True)
    ]  # fmt: skip
    first_global = 1 + sum(not symbol.is_global for symbol in ordered)
    return names, b"".join(rows), first_global


def _build_id_note(build_id: bytes) -> bytes:
    """Return the `GNU` note of the type build id. Source: binutils, NT_GNU_BUILD_ID."""
    padding = bytes(-len(build_id) % 4)
    return struct.pack("<III", 4, len(build_id), _NT_GNU_BUILD_ID) + b"GNU\0" + build_id + padding
