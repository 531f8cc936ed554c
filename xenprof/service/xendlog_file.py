"""Writes the file of xend's log in domain 0's root, and rotates it as xend does.

Source: tools/python/xen/xend/XendLogging.py (3.0.3): 1 MiB, five old files.
"""

import contextlib
import logging
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from hypervisor.ownfiles import make_folder, opener
from xenprof.home import inside

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 20
OLD_FILES = 5
MAX_HELD_BYTES = 4 << 20  # of lines that wait to be written; judgement


class XendLogFile:
    """Appends lines to the log. Lines that cannot be written are kept for later, up to a limit.

    An error is reported once in the service's log, and once more when writing works again. Lines
    beyond the limit are counted, and the log says how many are missing.
    """

    def __init__(self, root: Path, path: str) -> None:
        """`path` is the log in the domain at `root`, below which no symbolic link is followed."""
        self.path = inside(root, path)
        self._root = root
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._missing = 0
        self._reason = ""  # why the last attempt failed

    def append(self, lines: Iterable[str]) -> None:
        """Write entries, each followed by a newline, after those that are still waiting."""
        for line in lines:
            self._hold(f"{line}\n".encode(errors="backslashreplace"))
        if not self._held:
            return
        try:
            self._write()
        except OSError as error:
            self._failed(error)
        else:
            self._worked()

    def _hold(self, data: bytes) -> None:
        """Keep a line for later; without room for it, only count it."""
        if self._held_bytes + len(data) > MAX_HELD_BYTES:
            self._missing += 1
            return
        self._held.append(data)
        self._held_bytes += len(data)

    def _write(self) -> None:
        """Write the held lines one by one, so that none is written partly or twice.

        Raises: OSError; lines that have not been written are still held.
        """
        make_folder(self._root, self.path.parent)
        size = self._size()
        while self._held:
            data = self._held[0]
            if size and size + len(data) >= MAX_BYTES:
                self._rotate()
                size = 0
            size += self._write_lines(size)
        if self._missing:
            text = f"[xenprof] {self._missing} lines are missing here: they could not be written\n"
            self._put(text.encode())
            self._missing = 0

    def _write_lines(self, size: int) -> int:
        """Write as many of the held lines as the file takes before it is rotated."""
        count, total = 0, 0
        for data in self._held:
            if count and size + total + len(data) >= MAX_BYTES:
                break
            count, total = count + 1, total + len(data)
        self._put(b"".join(list(self._held)[:count]))
        for _ in range(count):
            self._held_bytes -= len(self._held.popleft())
        return total

    def _put(self, data: bytes) -> None:
        """Append all of `data` or nothing."""
        fd = opener(str(self.path), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            before = os.fstat(fd).st_size
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(fd, before)
                raise
        finally:
            os.close(fd)

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _rotate(self) -> None:
        """Move xend.log to xend.log.1, that one to .2, and so on; the fifth is overwritten."""
        names = [self.path, *(self._old(number) for number in range(1, OLD_FILES + 1))]
        for older, newer in reversed(list(zip(names[1:], names, strict=False))):
            if newer.exists():
                newer.replace(older)

    def _old(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _failed(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if reason != self._reason:
            self._reason = reason
            log.error("%s cannot be written: %s; its lines are kept for now", self.path, reason)

    def _worked(self) -> None:
        if self._reason:
            self._reason = ""
            log.warning("%s can be written again", self.path)
