"""Applies relocations of debugging sections, which kernel modules need: they are not linked.

Only those that compilers emit there: a symbol's value plus an addend, in 4 or 8 bytes, on x86.
`.text` lies at 0, as its symbols do; other code is moved out of the way.
"""

import numpy as np

from xenprof.images.elf import ET_REL, SHT_REL, SHT_RELA, Elf

_ABSOLUTE = {1: 8, 10: 4, 11: 4}  # bytes of R_X86_64_64, _32, _32S
_ABSOLUTE_32 = {1: 4}  # R_386_32
_ELSEWHERE_64, _ELSEWHERE_32 = 1 << 62, 0xF0000000


def relocated(elf: Elf, name: bytes) -> memoryview:
    """Return the contents of a section with its relocations applied."""
    section = elf.section(name)
    data = elf.contents(section)
    if elf.kind != ET_REL or section is None or not len(data):
        return data
    index = elf.sections.index(section)
    for table in elf.sections:
        if table.kind in (SHT_RELA, SHT_REL) and table.info == index:
            rows = elf.contents(table)
            return _apply(elf, data, rows, has_addend=table.kind == SHT_RELA)
    return data


def _apply(elf: Elf, data: memoryview, raw: memoryview, *, has_addend: bool) -> memoryview:
    word = "u8" if elf.is_64 else "u4"
    fields = [("offset", elf.order + word), ("info", elf.order + word)]
    if has_addend:
        fields.append(("addend", elf.order + word))
    dtype = np.dtype(fields)
    rows = np.frombuffer(raw, dtype, len(raw) // dtype.itemsize)
    info = rows["info"].astype(np.uint64)
    bits = np.uint64(32 if elf.is_64 else 8)
    symbol, kind = info >> bits, info & ((np.uint64(1) << bits) - np.uint64(1))
    symbols, _ = elf.symbol_rows()
    out = np.frombuffer(data, np.uint8).copy()
    moved = np.zeros(1 << 16, np.uint64)
    for i, section in enumerate(elf.sections):
        if section.is_code and section.name != b".text":
            moved[i] = _ELSEWHERE_64 if elf.is_64 else _ELSEWHERE_32
    for number, size in (_ABSOLUTE if elf.is_64 else _ABSOLUTE_32).items():
        fits = (kind == number) & (symbol < len(symbols)) & (rows["offset"] < len(out))
        fits &= rows["offset"].astype(np.uint64) + np.uint64(size) <= len(out)
        at = rows["offset"][fits].astype(np.int64)
        target = symbols[symbol[fits].astype(np.int64)]
        value = target["value"].astype(np.uint64) + moved[target["shndx"]]
        places = [at + (i if elf.order == "<" else size - 1 - i) for i in range(size)]
        if has_addend:
            value += rows["addend"][fits].astype(np.uint64)
        else:
            for i, place in enumerate(places):
                value += out[place].astype(np.uint64) << np.uint64(8 * i)
        for i, place in enumerate(places):
            out[place] = (value >> np.uint64(8 * i)).astype(np.uint8)
    return memoryview(out.tobytes())
