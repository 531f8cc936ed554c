"""A file that appears under its name only once all of it is on the disk."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def new_file(path: str | Path) -> Iterator[int]:
    """Give the descriptor of an empty file that takes the name `path` if all goes well.

    Until then, and after an error, a file that had the name still has it.

    Raises: OSError, with a text that says why.
    """
    target = _target(path)
    fd, name = tempfile.mkstemp(prefix=".new-", dir=target.parent)
    temporary = Path(name)
    try:
        try:
            yield fd
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def check_place(path: str | Path) -> None:
    """Find out whether `new_file` could make this file, without making it.

    Raises: OSError, with a text that says why it could not.
    """
    fd, name = tempfile.mkstemp(prefix=".new-", dir=_target(path).parent)
    os.close(fd)
    Path(name).unlink()


def _target(path: str | Path) -> Path:
    """Return where the file is to be: a symbolic link stays one."""
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "it exists and is not a regular file")
    except ValueError as error:  # a NUL or half a surrogate
        raise OSError(errno.EINVAL, "it is not a possible file name") from error
    return target


def _sync_folder(folder: Path) -> None:
    """Make the new name last; where a folder cannot be opened for that, it must do without."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
