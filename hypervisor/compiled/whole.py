"""Tells whether an extension module has been cut short: loading one would kill the process.

Source: the ELF specification, 64-bit header and program headers.
"""

import os
import struct
from pathlib import Path

_ELF64 = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_PROGRAM_HEADERS = struct.Struct("<32xQ14xHH6x")  # where they are, the size of each, how many
_SEGMENT = struct.Struct("<8xQ16xQ")  # where it is in the file, and its size there

_FIRST_BYTES = 1024  # linkers put the program headers at the start


def is_whole(file: Path) -> bool:
    """Return whether a file is there and holds all of its segments; of other formats: anything."""
    try:
        with file.open("rb", buffering=0) as stream:
            bytes_there = os.fstat(stream.fileno()).st_size
            first = stream.read(_FIRST_BYTES)
            if not first.startswith(_ELF64) or len(first) < _PROGRAM_HEADERS.size:
                return bytes_there > 0
            start, entry_bytes, count = _PROGRAM_HEADERS.unpack_from(first)
            table = first[start : start + entry_bytes * count]
            if len(table) < entry_bytes * count:
                stream.seek(start)
                table = stream.read(entry_bytes * count)
    except OSError:
        return False
    if len(table) < entry_bytes * count or entry_bytes < _SEGMENT.size:
        return False
    segments = (_SEGMENT.unpack_from(table, entry_bytes * index) for index in range(count))
    return all(offset + length <= bytes_there for offset, length in segments)
