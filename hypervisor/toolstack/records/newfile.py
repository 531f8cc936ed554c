"""Writes files that appear under their names only once they are completely on the disk."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def new_file(path: str | Path) -> Iterator[int]:
    """Open an empty file that gets the name `path` if the block succeeds; yield its descriptor.

    Until then, and after an error, an older file of that name stays.

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
    sync_folder(target.parent)


def check_place(path: str | Path) -> None:
    """Check that `new_file` could create this file, without creating it.

    Raises: OSError, with a text that says why it could not.
    """
    fd, name = tempfile.mkstemp(prefix=".new-", dir=_target(path).parent)
    os.close(fd)
    Path(name).unlink()


def _target(path: str | Path) -> Path:
    """Return the file's real path: a symbolic link to it is kept."""
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "it exists and is not a regular file")
    except ValueError as error:  # a NUL or half a surrogate pair
        raise OSError(errno.EINVAL, "it is not a possible file name") from error
    return target


def sync_folder(folder: Path) -> None:
    """Flush the new name to the disk, where the folder can be opened for that."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
