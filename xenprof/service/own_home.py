"""Makes HOME its user's alone, which is what keeps strangers from everything below it.

The path to HOME may lead through symbolic links, as a user may have moved it to another disk;
below HOME none is followed for what is created (`hypervisor.ownfiles`).
"""

import contextlib
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from xenprof.errors import XenprofError

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NOTHING_FOR_OTHERS = 0o077


class CannotServe(XenprofError):
    """Says that HOME, a port or a socket cannot be used, and why."""


def claim(home: Path) -> None:
    """Make the folder if it is missing, and close it to others.

    Raises: CannotServe: it belongs to somebody else, or others can write into it, so that what is
    in it may be theirs.
    """
    try:
        make_private_folder(home)
        _check_link(home)
        found = home.stat()
        if found.st_uid != os.geteuid():
            raise CannotServe(f"{home} cannot be used: it belongs to {_name(found.st_uid)}")
        if found.st_mode & _OTHERS_WRITE:
            raise CannotServe(
                f"{home} cannot be used: others can write into it; if what is in it is yours: "
                f"chmod 700 {shlex.quote(str(home))}"
            )
        if stat.S_IMODE(found.st_mode) != 0o700:
            home.chmod(0o700)
    except OSError as error:
        raise CannotServe(f"{home} cannot be used: {error.strerror}") from None


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing: for this user alone.

    Raises: OSError.
    """
    with private_files():  # as those above are made by the umask, whatever mode is given
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _check_link(home: Path) -> None:
    """Check that HOME itself is no link that somebody else could change. Raises: CannotServe."""
    found = home.lstat()
    if stat.S_ISLNK(found.st_mode) and found.st_uid not in (0, os.geteuid()):
        whose = _name(found.st_uid)
        raise CannotServe(f"{home} cannot be used: it is a symbolic link of {whose}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Give nothing to others of what this process creates in the block, whatever its umask was."""
    before = os.umask(_NOTHING_FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)
