"""Reads what the dynamic linker would: relocations by address, and the entries of PLTs."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from xenprof.images.elf import SHT_REL, SHT_RELA, Elf, Section
from xenprof.images.symbols import string_at

_SHT_DYNSYM = 11
_SHT_VERSYM, _SHT_VERNEED, _SHT_VERDEF = 0x6FFFFFFF, 0x6FFFFFFE, 0x6FFFFFFD
_MOST_VERSIONS = 4096
_ENDBR = (b"\xf3\x0f\x1e\xfa", b"\xf3\x0f\x1e\xfb")
_PLTS = (b".plt", b".plt.sec", b".plt.bnd", b".plt.got")


@dataclass(frozen=True, slots=True)
class DynamicNames:
    """Names of the linker's symbols by the address that gets theirs.

    `versioned` are with the version, and the offset from a symbol that is in the image itself.
    """

    plain: Mapping[int, str]
    versioned: Mapping[int, str]


def dynamic_names(elf: Elf) -> DynamicNames:
    """Return the symbols that the image's dynamic relocations name."""
    plain: dict[int, str] = {}
    versioned: dict[int, str] = {}
    for section in elf.sections:
        is_dynamic = section.kind in (SHT_REL, SHT_RELA) and section.link < len(elf.sections)
        if not is_dynamic or elf.sections[section.link].kind != _SHT_DYNSYM:
            continue
        names = _names(elf, elf.sections[section.link])
        for address, index in _relocations(elf, section):
            if 0 < index < len(names):
                name, version, value = names[index]
                plain[address] = name
                offset = f"{address - value:+#x}" if value is not None and address != value else ""
                versioned[address] = f"{name}{version}{offset}"
    return DynamicNames(plain, versioned)


def _relocations(elf: Elf, section: Section) -> list[tuple[int, int]]:
    """Return the address and the symbol's index of each relocation."""
    words = 3 if section.kind == SHT_RELA else 2
    raw = elf.contents(section)
    word = np.dtype(f"{elf.order}u{8 if elf.is_64 else 4}")
    count = len(raw) // (words * word.itemsize)
    rows = np.frombuffer(raw, word, count * words).reshape(count, words)
    shift = 32 if elf.is_64 else 8
    return [(int(row[0]), int(row[1]) >> shift) for row in rows]


def _names(elf: Elf, dynsym: Section) -> list[tuple[str, str, int | None]]:
    """Return name, version (with @), and value of each dynamic symbol: None if it is imported."""
    strings = elf.contents(elf.sections[dynsym.link]) if dynsym.link < len(elf.sections) else b""
    table = memoryview(bytes(strings))
    rows = elf.rows_of(dynsym)
    needed, defined = _needed_versions(elf, table), _own_versions(elf, table)
    numbers = next((elf.contents(s) for s in elf.sections if s.kind == _SHT_VERSYM), None)
    found = []
    for i, row in enumerate(rows):
        is_own, version = bool(row["shndx"]), ""
        if numbers is not None and 2 * i + 2 <= len(numbers):
            (number,) = struct.unpack_from(f"{elf.order}H", numbers, 2 * i)
            index = number & 0x7FFF
            named = "Base" if index == 1 else needed.get(index) or defined.get(index, "")
            is_default = is_own and not number & 0x8000 and index not in needed
            version = f"{'@@' if is_default else '@'}{named}" if named else ""
        name = string_at(table, int(row["name"])).decode(errors="surrogateescape")
        found.append((name, version, int(row["value"]) if is_own else None))
    return found


def _own_versions(elf: Elf, strings: memoryview) -> dict[int, str]:
    """Return the names of the versions that the image defines, by number."""
    found: dict[int, str] = {}
    raw = elf.contents(next((s for s in elf.sections if s.kind == _SHT_VERDEF), None))
    row = struct.Struct(f"{elf.order}HHHHIII")
    at = 0
    while at + row.size <= len(raw) and len(found) < _MOST_VERSIONS:
        _, _, number, _, _, inner, step = row.unpack_from(raw, at)
        if at + inner + 4 <= len(raw):
            (name,) = struct.unpack_from(f"{elf.order}I", raw, at + inner)
            found[number & 0x7FFF] = string_at(strings, name).decode(errors="surrogateescape")
        if not step:
            break
        at += step
    return found


def _needed_versions(elf: Elf, strings: memoryview) -> dict[int, str]:
    """Return the names of the versions that the image needs, by number."""
    found: dict[int, str] = {}
    section = next((s for s in elf.sections if s.kind == _SHT_VERNEED), None)
    raw = elf.contents(section)
    need, entry = struct.Struct(f"{elf.order}HHIII"), struct.Struct(f"{elf.order}IHHII")
    at = 0
    while at + need.size <= len(raw) and len(found) < _MOST_VERSIONS:
        _, count, _, inner, step = need.unpack_from(raw, at)
        place = at + inner
        for _ in range(min(count, _MOST_VERSIONS - len(found))):
            if place + entry.size > len(raw):
                break
            _, _, number, name, onward = entry.unpack_from(raw, place)
            found[number & 0x7FFF] = string_at(strings, name).decode(errors="surrogateescape")
            place += onward
        if not step:
            break
        at += step
    return found


def plt_entries(elf: Elf, names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Yield the address and the name of each PLT entry of x86 that jumps through a named word."""
    got = elf.section(b".got.plt") or elf.section(b".got")
    base = got.address if got is not None else 0
    for section in elf.sections:
        if section.name not in _PLTS or not section.is_code:
            continue
        code = bytes(elf.contents(section))
        has_short = section.name == b".plt.got" and not code.startswith(_ENDBR)
        size = 8 if has_short else 16
        for at in range(0, len(code) - size + 1, size):
            jump = at + (4 if code[at : at + 4] in _ENDBR else 0)
            jump += code[jump] == 0xF2  # bnd
            opcode = code[jump : jump + 2]
            if opcode not in (b"\xff\x25", b"\xff\xa3"):
                continue
            (offset,) = struct.unpack_from("<i", code.ljust(len(code) + 4, b"\0"), jump + 2)
            if elf.is_64:
                word = section.address + jump + 6 + offset
            else:
                word = offset & 0xFFFFFFFF if opcode == b"\xff\x25" else base + offset
            if word in names:
                yield section.address + at, f"{names[word]}@plt"
