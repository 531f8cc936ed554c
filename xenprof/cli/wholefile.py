"""Writes files atomically."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from xenprof.opreport.errors import ReportError


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically, as `opened_whole` does. Raises: ReportError."""
    try:
        with opened_whole(path) as file:
            file.write(data)
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from None


@contextlib.contextmanager
def opened_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name at the end of the block, if that comes without an error.

    An existing file is replaced, also behind a link; its mode stays. Devices and pipes are written
    directly, and so is a file in a folder that takes no other. Raises: OSError.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not (target.is_file() and os.access(target.parent, os.W_OK)):
        with target.open("wb") as file:
            yield file
        return
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
