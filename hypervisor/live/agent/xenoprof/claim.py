"""Sees to it that one process of this program at a time uses Xenoprof, which serves one."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Iterator

from hypervisor.live.agent.errors import Unavailable


@contextlib.contextmanager
def claimed(root: str = "/") -> Iterator[None]:
    """Hold Xenoprof while the body runs. A process that is killed lets go of it.

    Call it after the device was opened, so that one that is missing is told by that.

    Raises:
        Unavailable: Another process holds it.
    """
    # The lock is on the device: it needs no file of its own, and nobody else locks it.
    number = os.open(str(Path(root) / "dev/xen/privcmd"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(
                "Xenoprof", "another xenprof uses it, and it serves one at a time", "wait for it"
            ) from None
        yield
    finally:
        os.close(number)
