"""Places files below a folder of ours: nothing leads out of it, no symbolic link is followed."""

import errno
import os
import posixpath
import stat
from pathlib import Path


def place_below(top: Path, path: str) -> Path:
    """Return the place of `path` where `top` is `/`: `..` does not lead out, nor does a link.

    Raises: OSError: a symbolic link is on the way or at its end; it is no possible file name.
    """
    if "\0" in path or not _is_encodable(path):
        raise OSError(errno.EINVAL, "it is not a possible file name", path)
    place = top / posixpath.normpath(f"/{path}").lstrip("/")
    check_no_link(top, place)
    return place


def _is_encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True


def check_no_link(top: Path, place: Path) -> None:
    """Check that nothing from `top`, itself excepted, down to `place` is a symbolic link.

    Raises: OSError, which names the link; NotADirectoryError.
    """
    reached = top
    for part in place.relative_to(top).parts:
        reached = reached / part
        try:
            found = reached.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed", str(reached))


def make_folder(top: Path, folder: Path) -> None:
    """Make a folder below `top`, with those between, where they are missing: for its user alone.

    Raises: OSError, also for a symbolic link on the way.
    """
    check_no_link(top, folder)
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for absent in reversed(missing):
        absent.mkdir(mode=0o700, exist_ok=True)


def opener(path: str, flags: int) -> int:
    """Open a file for `open(..., opener=opener)`, unless its name is a symbolic link's.

    A FIFO without a reader is an error rather than a wait. Raises: OSError.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
