"""Turns machine code into instructions as text, in the manner of GNU objdump. Capstone decodes."""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from xenprof.images.elf import Elf
from xenprof.optools.annotate.gnusyntax import gnu_text, intel_text, plain_text

BAD = "(bad)"
"""The text for bytes that are not an instruction."""

GAP = "..."
"""The text for zeros that objdump skips: 8 or more, or fewer than 3 at the end."""

_ZEROS = re.compile(rb"\0*")
_MANY_ZEROS, _FEW_ZEROS = 8, 3


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
        return [s.name.decode(errors="surrogateescape") for s in sections if s.is_code and s.size]

    def section(self, offset: int) -> tuple[str, int, int]:
        """Return the section at a file offset: its name, where it ends in memory and in the file.

        The name is empty if there is none.
        """
        for section in self.elf.sections:
            if section.is_code and section.offset <= offset < section.offset + section.size:
                name = section.name.decode(errors="surrogateescape")
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
        for at, raw, mnemonic, operands in self._steps(bytes(data), address):
            if mnemonic in (BAD, GAP):
                text = mnemonic
            elif self.is_intel:
                text = intel_text(mnemonic, operands, raw, at + len(raw), names)
            elif is_x86:
                text = gnu_text(mnemonic, operands, raw, at + len(raw), names)
            else:
                text = plain_text(mnemonic, operands, names)
            yield Instruction(at, raw, text)

    def _steps(self, data: bytes, address: int) -> Iterator[tuple[int, bytes, str, str]]:
        """Yield address, bytes, mnemonic and operands of each instruction and of each gap."""
        start = 0
        while start < len(data):
            gap = _gap(data, start)
            if gap:
                yield address + start, data[start : start + gap], GAP, ""
                start += gap
                continue
            first, start = start, len(data)
            for at, length, mnemonic, operands in self.decoder.disasm_lite(
                data[first:], address + first
            ):
                place = at - address
                if place > first and _gap(data, place):
                    start = place
                    break
                yield at, data[place : place + length], mnemonic, operands


def _gap(data: bytes, start: int) -> int:
    """Return how many zeros objdump skips here; before other bytes only whole groups of four."""
    if data[start]:
        return 0
    zeros = _ZEROS.match(data, start)
    end = zeros.end() if zeros else start
    count = end - start
    if end == len(data):
        return count if count >= _MANY_ZEROS or count < _FEW_ZEROS else 0
    return count & ~3 if count >= _MANY_ZEROS else 0


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
