"""Reads the headers of core files."""

import struct
from pathlib import Path

from hypervisor.toolstack.records.corefile import MAGIC, MAGIC_HVM, CoreHeader


def read_core(path: str | Path) -> CoreHeader:
    """Return the headers of a core."""
    with Path(path).open("rb") as file:
        magic, *numbers = struct.unpack("<6I", file.read(24))
    assert magic in (MAGIC, MAGIC_HVM)
    return CoreHeader(magic == MAGIC_HVM, *numbers)
