"""Labels addresses by the symbols of an image, as objdump does: `<name>`, `<name+0x8>`."""

from bisect import bisect_right
from collections.abc import Mapping

import numpy as np

from xenprof.images.dynamic import dynamic_names, plt_entries
from xenprof.images.elf import Elf
from xenprof.images.symbols import string_at

_STB_LOCAL = 0
_STT_OBJECT, _STT_FUNC, _STT_SECTION, _STT_FILE = 1, 2, 3, 4
_SHN_ABS = 0xFFF1


class AddressLabels:
    """Labels of addresses: the nearest symbol at or below, of code or of data."""

    def __init__(self, symbols: Mapping[int, str], imports: Mapping[int, str]) -> None:
        """`symbols` are names by address; `imports` those of words that the linker fills."""
        self._starts = sorted(symbols)
        self._symbols = symbols
        self._imports = imports

    def __call__(self, address: int) -> str:
        """Return the label of an address, empty if there is no symbol at or below it."""
        exact = self._imports.get(address) or self._symbols.get(address)
        if exact:
            return f"<{exact}>"
        row = bisect_right(self._starts, address) - 1
        if row < 0:
            return ""
        start = self._starts[row]
        return f"<{self._symbols[start]}+{address - start:#x}>"


def address_labels(elf: Elf) -> AddressLabels:
    """Return the labels of an image's symbols, PLT entries, and words filled by the linker."""
    imports = dynamic_names(elf)
    symbols = dict(plt_entries(elf, imports.plain))
    symbols |= _symbols(elf)
    return AddressLabels(symbols, imports.versioned)


def _symbols(elf: Elf) -> dict[int, str]:
    """Return the name for each address that has a symbol: of several that which objdump takes.

    Functions come before data, data before others, global symbols before local ones, larger ones
    before smaller ones.
    """
    rows, strings = elf.symbol_rows()
    kind = rows["info"] & 15
    is_wanted = (rows["shndx"] != 0) & (rows["shndx"] < _SHN_ABS)
    is_wanted &= (kind != _STT_SECTION) & (kind != _STT_FILE) & (rows["name"] != 0)
    best: dict[int, tuple[tuple[bool, bool, bool, int, bool, str], str]] = {}
    for row in np.flatnonzero(is_wanted).tolist():
        name = string_at(strings, int(rows["name"][row])).decode(errors="surrogateescape")
        if not name:
            continue
        rank = (
            int(kind[row]) != _STT_FUNC,
            int(kind[row]) != _STT_OBJECT,
            int(rows["info"][row]) >> 4 == _STB_LOCAL,
            -int(rows["size"][row]),
            name.startswith("."),
            name,
        )
        address = int(rows["value"][row])
        if address not in best or rank < best[address][0]:
            best[address] = rank, name
    return {address: name for address, (_, name) in best.items()}
