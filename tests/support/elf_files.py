"""Makes ELF files of any size and byte order, with symbols that write_elf cannot make."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

ALLOC_EXEC = 0x6
LOCAL, GLOBAL, WEAK = 0, 1, 2
NOTYPE, FUNCTION, SECTION = 0, 2, 3


@dataclass(frozen=True)
class Sec:
    name: str
    address: int
    offset: int
    size: int
    flags: int = ALLOC_EXEC


@dataclass(frozen=True)
class Sym:
    """A symbol: `section` is 1 + the index of a Sec, 0 = undefined, 0xfff1 = absolute."""

    name: str
    value: int
    section: int = 1
    bind: int = GLOBAL
    kind: int = FUNCTION
    size: int = 0


def elf(
    sections: Sequence[Sec], symbols: Sequence[Sym], *, is_64: bool = True, order: str = "<"
) -> bytes:
    """Return an ELF file; tables follow the last section's bytes."""
    strings = b"\0"
    names: list[int] = []
    for name in [*(s.name for s in sections), ".symtab", ".strtab", *(s.name for s in symbols)]:
        names.append(len(strings) if name else 0)
        strings += name.encode(errors="surrogateescape") + b"\0" if name else b""
    rows = bytearray(24 if is_64 else 16)
    for symbol, name_at in zip(symbols, names[len(sections) + 2 :], strict=True):
        info = symbol.bind << 4 | symbol.kind
        if is_64:
            rows += struct.pack(
                f"{order}IBBHQQ", name_at, info, 0, symbol.section, symbol.value, symbol.size
            )
        else:
            rows += struct.pack(
                f"{order}IIIBBH", name_at, symbol.value, symbol.size, info, 0, symbol.section
            )
    symtab_at = max(s.offset + s.size for s in sections)
    strtab_at = symtab_at + len(rows)
    headers_at = strtab_at + len(strings)
    link = len(sections) + 2
    table = [(0,) * 10]
    table += [
        (name_at, 1, s.flags, s.address, s.offset, s.size, 0, 0, 1, 0)
        for s, name_at in zip(sections, names, strict=False)
    ]
    width = 24 if is_64 else 16
    table += [
        (names[len(sections)], 2, 0, 0, symtab_at, len(rows), link, 1, 8, width),
        (names[len(sections) + 1], 3, 0, 0, strtab_at, len(strings), 0, 0, 1, 0),
    ]
    ident = b"\x7fELF" + bytes([2 if is_64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if is_64 else "I"
    sizes = (64, 0, 0, 64) if is_64 else (52, 0, 0, 40)
    head = ident + struct.pack(
        f"{order}HHI{word * 3}IHHHHHH", 2, 62, 1, 0, 0, headers_at, 0, *sizes, len(table), link
    )
    out = bytearray(symtab_at)
    out[: len(head)] = head
    out += rows + strings
    form = f"{order}II{word * 4}II{word * 2}"
    return bytes(out) + b"".join(struct.pack(form, *row) for row in table)
