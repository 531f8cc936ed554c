"""Reads the counters of network interfaces, bridges of any kind between them."""

import os
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

_PATHS = ("proc/1/net/dev", "proc/net/dev")  # of the first process: wherever this one may be
_CHUNK = 65536
_PAGE = 4096
_LONGEST_LINE = 512
_MOST_BYTES = 4194304


class NetdevCounters(NamedTuple):
    """What an interface has counted, as the host sees it."""

    receive: Tuple[int, ...]  # bytes, packets, errors, dropped
    transmit: Tuple[int, ...]


class Netdevs:
    """The interfaces of the host, read from one file that stays open."""

    def __init__(self, root: str = "/") -> None:
        self._root = Path(root)
        self._descriptor: Optional[int] = None
        self._lines: Dict[str, str] = {}

    def read(self) -> None:
        """Read all counters anew; there are none if they cannot be read."""
        self._lines = {}
        try:
            if self._descriptor is None:
                self._descriptor = self._opened()
            text = self._text(self._descriptor)
        except OSError:
            self.close()
            return
        for line in text.split("\n")[2:]:  # a name may hold other ends of lines, and spaces
            name, _, numbers = line.rpartition(":")
            self._lines[name.lstrip(" ")] = numbers

    def line(self, name: str) -> str:
        """Return what the last `read` has found of an interface; empty if it is not there."""
        return self._lines.get(name, "")

    def of(self, name: str) -> Optional[NetdevCounters]:
        """Return what an interface has counted until the last `read`; None if it is not there."""
        numbers = self.line(name).split(None, 12)[:12]
        if len(numbers) < 12 or not "".join(numbers).isdecimal():
            return None
        values = tuple(map(int, numbers))
        return NetdevCounters(values[:4], values[8:])

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        for path in _PATHS[:-1]:
            try:
                return os.open(str(self._root / path), os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue
        return os.open(str(self._root / _PATHS[-1]), os.O_RDONLY | os.O_CLOEXEC)

    def _text(self, descriptor: int) -> str:
        """Return the whole file, which Linux tells in whole lines.

        It tells as many at once as a page of its own can hold: when another line would have gone
        in, that was the last one. Source: seq_read_iter of fs/seq_file.c.
        """
        parts = []
        size = 0
        while size < _MOST_BYTES:
            part = os.pread(descriptor, _CHUNK, size)
            parts.append(part)
            size += len(part)
            if len(part) <= _PAGE - _LONGEST_LINE:
                break
        return b"".join(parts).decode("utf-8", "backslashreplace")
