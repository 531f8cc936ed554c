"""Keeps a domain's console as xenconsoled does: the last 16 KiB of what the guest has written."""

from collections import deque
from typing import Final

LIMIT: Final = 16 * 1024  # characters; xenconsoled's own limit is 1 MiB (console-limit)


class Console:
    """Keeps the latest lines; the oldest are dropped."""

    __slots__ = ("_lines", "_size")

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0

    def write(self, line: str) -> None:
        """Add a line, and drop the oldest lines that no longer fit."""
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > LIMIT:
            self._size -= len(self._lines.popleft()) + 1

    def text(self) -> str:
        """Return all lines as one text."""
        return "".join(f"{line}\n" for line in self._lines)
