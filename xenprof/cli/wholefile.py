"""Writes a file atomically."""

import os
from pathlib import Path

from xenprof.opreport.errors import ReportError


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; an existing file is replaced, also behind a link.

    Devices and pipes are written directly. Raises: ReportError.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        try:
            temporary.write_bytes(data)
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from None
