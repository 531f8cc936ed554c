"""Turns machine code into instructions as text, in the manner of GNU objdump. Capstone decodes."""

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xenprof.images.elf import Elf
from xenprof.optools.annotate.gnusyntax import gnu_text, intel_text, plain_text

BAD = "(bad)"
"""The text for bytes that are not an instruction."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its address, its bytes, and its text without the address."""

    address: int
    raw: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code of an image, and its decoder; `format_name` is objdump's name of the format."""

    elf: Elf
    format_name: str
    decoder: Any
    is_intel: bool = False

    @property
    def address_digits(self) -> int:
        """Return the width of addresses in headings."""
        return 16 if self.elf.is_64 else 8

    @property
    def section_names(self) -> list[str]:
        """Return the names of the sections with code, in the file's order."""
        sections = self.elf.sections
        return [s.name.decode(errors="replace") for s in sections if s.is_code and s.size]

    def section(self, offset: int) -> tuple[str, int, int]:
        """Return the section at a file offset: its name, where it ends in memory and in the file.

        The name is empty if there is none.
        """
        for section in self.elf.sections:
            if section.is_code and section.offset <= offset < section.offset + section.size:
                name = section.name.decode(errors="replace")
                return name, section.address + section.size, section.offset + section.size
        return "", 0, offset

    def instructions(
        self, offset: int, size: int, address: int, names: Callable[[int], str]
    ) -> Iterator[Instruction]:
        """Yield the instructions of `size` bytes at a file offset, which run at `address`.

        They end with the section. `names` returns the symbol at an address as `<name+0x8>`, or
        nothing.
        """
        is_x86 = "86" in self.format_name
        data = self.elf.data[offset : min(offset + size, self.section(offset)[2])]
        for at, length, mnemonic, operands in self.decoder.disasm_lite(data, address):
            raw = data[at - address : at - address + length]
            if mnemonic == BAD:
                text = mnemonic
            elif self.is_intel:
                text = intel_text(mnemonic, operands, names)
            elif is_x86:
                text = gnu_text(mnemonic, operands, raw, at + length, names)
            else:
                text = plain_text(mnemonic, operands, names)
            yield Instruction(at, raw, text)


def open_code(elf: Elf, *, intel: bool = False) -> Code | None:
    """Return the code of an image; None if its machine's code cannot be decoded."""
    import capstone as cs

    (machine,) = struct.unpack_from(f"{elf.order}H", elf.data, 18)
    end = "little" if elf.order == "<" else "big"
    order = cs.CS_MODE_LITTLE_ENDIAN if elf.order == "<" else cs.CS_MODE_BIG_ENDIAN
    kinds = {
        3: ("elf32-i386", cs.CS_ARCH_X86, cs.CS_MODE_32),
        20: ("elf32-powerpc", cs.CS_ARCH_PPC, cs.CS_MODE_32 + order),
        21: ("elf64-powerpc", cs.CS_ARCH_PPC, cs.CS_MODE_64 + order),
        40: (f"elf32-{end}arm", cs.CS_ARCH_ARM, cs.CS_MODE_ARM + order),
        62: ("elf64-x86-64", cs.CS_ARCH_X86, cs.CS_MODE_64),
        183: (f"elf64-{end}aarch64", cs.CS_ARCH_ARM64, cs.CS_MODE_ARM),
    }
    if machine not in kinds:
        return None
    name, architecture, mode = kinds[machine]
    decoder = cs.Cs(architecture, mode)
    is_intel = intel and architecture == cs.CS_ARCH_X86
    if architecture == cs.CS_ARCH_X86 and not intel:
        decoder.syntax = cs.CS_OPT_SYNTAX_ATT
    decoder.skipdata = True
    decoder.skipdata_setup = (BAD, None, None)
    return Code(elf, name, decoder, is_intel)


class SymbolLabels:
    """Labels addresses by the symbols of an image: `<name>`, `<name+0x8>`."""

    def __init__(self, symbols: Sequence[tuple[int, int, str]]) -> None:
        """Take (first address, address after the last, name) of each symbol."""
        self._symbols = sorted(symbols)
        self._starts = [start for start, _, _ in self._symbols]

    def __call__(self, address: int) -> str:
        """Return the label of an address, empty if it is in no symbol."""
        row = bisect_right(self._starts, address) - 1
        if row < 0 or address >= self._symbols[row][1]:
            return ""
        start, _, name = self._symbols[row]
        return f"<{name}+{address - start:#x}>" if address > start else f"<{name}>"
