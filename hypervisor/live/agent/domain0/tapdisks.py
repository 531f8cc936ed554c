"""Reads what tapdisk3, the disk backend of XCP-ng and XenServer, counts in shared memory.

Anyone may write below /dev/shm, so nothing there is believed but files of root that nobody else
can write, reached through no symbolic link.

Source: drivers/tapdisk-metrics-stats.h of blktap (version 1); not tried on such a host.
"""

import os
import re
import stat
import struct
from pathlib import Path
from typing import NamedTuple, Optional

_STATS = struct.Struct("<I4x10Q")
_VERSION = 1
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class TapdiskCounters(NamedTuple):
    """What one tapdisk has counted."""

    out_of_requests: int
    read_requests: int
    reads_answered: int
    read_sectors: int
    read_us: int  # of all answered requests together
    write_requests: int
    writes_answered: int
    write_sectors: int
    write_us: int
    errors: int


class Tapdisks:
    """The counters of tapdisks, which belong to the user `owner`: root, but for tests."""

    def __init__(self, root: str = "/", owner: int = 0) -> None:
        self._memory = Path(root) / "dev/shm"
        self._owner = owner

    def read(self, pid: str, domid: int, device: int) -> Optional[TapdiskCounters]:
        """Return what a tapdisk has counted; None if that cannot be read or believed."""
        if not re.match(r"[1-9]\d{0,9}\Z", pid):
            return None
        try:
            folder = os.open(str(self._memory / ("td3-" + pid)), _FLAGS | os.O_DIRECTORY)
        except OSError:
            return None
        try:
            if not self._is_believed(os.fstat(folder), stat.S_IFDIR):
                return None
            file = os.open("vbd-%d-%d" % (domid, device), _FLAGS, dir_fd=folder)
        except OSError:
            return None
        finally:
            os.close(folder)
        try:
            found = os.fstat(file)
            if not self._is_believed(found, stat.S_IFREG) or found.st_nlink != 1:
                return None
            return _counters(os.pread(file, _STATS.size, 0))
        except OSError:
            return None
        finally:
            os.close(file)

    def _is_believed(self, found: os.stat_result, kind: int) -> bool:
        return (
            found.st_uid == self._owner
            and stat.S_IFMT(found.st_mode) == kind
            and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        )


def _counters(content: bytes) -> Optional[TapdiskCounters]:
    if len(content) < _STATS.size:
        return None
    numbers = _STATS.unpack(content)
    return TapdiskCounters(*numbers[1:]) if numbers[0] == _VERSION else None
