"""Reads files that people write, whole, unless they never end as `/dev/zero` does."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LONGEST_BYTES = 1 << 20
"""More than anybody writes by hand."""

_PART_BYTES = 1 << 16  # a buffer for the longest file would be made, and given back, for each


def read_whole(path: Path, longest_bytes: int = LONGEST_BYTES) -> bytes:
    """Return the contents of a file or pipe. Raises: OSError, also if it is too long."""
    with path.open("rb") as file:
        return _all(file, path, longest_bytes)


def read_regular(path: Path, longest_bytes: int = LONGEST_BYTES) -> bytes:
    """Return the contents of a file, for those who must not wait for the writer of a pipe.

    Raises: OSError, also if it is too long, or no regular file.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return _all(file, path, longest_bytes)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _all(file: BinaryIO, path: Path, longest_bytes: int) -> bytes:
    data = bytearray()
    while part := file.read(_PART_BYTES):
        data += part
        if len(data) > longest_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return bytes(data)
