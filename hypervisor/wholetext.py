"""Reads files that people write, whole, unless they never end as `/dev/zero` does."""

import errno
import os
from pathlib import Path

LONGEST_BYTES = 1 << 20
"""More than anybody writes by hand."""

_PART_BYTES = 1 << 16  # a buffer for the longest file would be made, and given back, for each


def read_whole(path: Path, longest_bytes: int = LONGEST_BYTES) -> bytes:
    """Return the contents of a file or pipe. Raises: OSError, also if it is too long."""
    data = bytearray()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            data += part
            if len(data) > longest_bytes:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return bytes(data)
