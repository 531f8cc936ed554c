from typing import Literal

import numpy as np

from xenprof.opreport.differential import difference
from xenprof.opreport.symbols import SymbolTable
from xenprof.profile.flat import ImageName


def table(kind: Literal["root", "kern"], *symbols: tuple[str, int, int]) -> SymbolTable:
    """Return a table of one image with (name, address, samples) of each symbol."""
    image = (ImageName(kind, "m" if kind == "kern" else "/m"),)
    zeros = np.zeros(len(symbols), np.int64)
    return SymbolTable(
        image,
        image,
        zeros,
        zeros,
        [name for name, _, _ in symbols],
        np.array([vma for _, vma, _ in symbols], np.uint64),
        np.array([[count] for _, _, count in symbols], np.int64),
    )


def rows(old: SymbolTable, new: SymbolTable) -> list[tuple[int, str, int, str]]:
    change = difference(old, new)
    found = change.table
    return sorted(
        (int(vma), name, int(count[0]), text.strip())
        for vma, name, count, text in zip(
            found.vmas, found.names, found.counts, change.texts(0), strict=True
        )
    )


def test_symbols_of_one_name_pair_in_the_order_of_their_addresses():
    old = table("root", ("f", 0x30, 4), ("f", 0x10, 4))
    new = table("root", ("f", 0x10, 6), ("f", 0x30, 2))
    assert [(0x10, "f", 6, "+50.0000"), (0x30, "f", 2, "-50.0000")] == rows(old, new)


def test_of_symbols_of_one_name_the_last_are_new():
    old, new = table("root", ("f", 0x10, 8)), table("root", ("f", 0x10, 4), ("f", 0x30, 4))
    assert [(0x10, "f", 4, "-50.0000"), (0x30, "f", 4, "+++")] == rows(old, new)


def test_images_of_one_name_pair_whatever_their_kind():
    old, new = table("kern", ("f", 0, 8)), table("root", ("f", 0, 8))
    assert [(0, "f", 8, "0")] == rows(old, new)
