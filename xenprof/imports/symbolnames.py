"""Finds functions by their addresses in symbol tables of kernels and hypervisors."""

from bisect import bisect_right
from typing import NamedTuple

from xenprof.imports.xenoprof.symbols import SymbolTable, Text


class Found(NamedTuple):
    """The code at an address: a module ("": the main image), a function in it, and how far in."""

    module: str
    symbol: str  # "" before the first function
    offset: int


class SymbolNames:
    """The functions of one symbol table."""

    def __init__(self, table: SymbolTable) -> None:
        self._texts: tuple[Text, ...] = (table.text, *table.modules)
        self._starts = [[one.address for one in text.functions] for text in self._texts]

    def at(self, pc: int) -> Found | None:
        """Return what is at an address; None if that is not in this code."""
        for index, (text, starts) in enumerate(zip(self._texts, self._starts, strict=True)):
            if text.start <= pc < text.end:
                module = text.name if index else ""
                place = bisect_right(starts, pc) - 1
                if place < 0:
                    return Found(module, "", 0)
                function = text.functions[place]
                return Found(module, function.name, pc - function.address)
        return None
