"""Writes what is recorded to a new file, which takes its name when it is whole.

A file of that name is as it was until then, and no link is followed: who records is root, and
others may write in the folder.
"""

import contextlib
import errno
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterator

STANDARD_OUTPUT = "-"


@contextlib.contextmanager
def output(file: str, keeps_parts: bool = False) -> Iterator[BinaryIO]:
    """Write to a file that its owner alone may use, or to the standard output for `-`.

    What was written before an error is removed, unless `keeps_parts`. Raises: OSError.
    """
    if file == STANDARD_OUTPUT:
        if sys.stdout is None:  # its number may be that of another file
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        with os.fdopen(os.dup(1), "wb") as out:
            yield out
        return
    path = Path(file)
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "it exists, and is no regular file")
    number, name = tempfile.mkstemp(prefix=".%s." % path.name, dir=str(path.parent))
    made = Path(name)
    try:
        with os.fdopen(number, "wb") as out:
            yield out
        made.replace(path)
    except BaseException:
        if keeps_parts and made.stat().st_size:
            made.replace(path)
        else:
            made.unlink()
        raise
