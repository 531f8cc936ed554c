"""Tells the time of the machine that watches real hosts."""

import time
from typing import Protocol


class Clock(Protocol):
    """A clock that goes on by itself."""

    def now_ns(self) -> int:
        """Return a time that only grows."""
        ...

    def unix_ns(self) -> int:
        """Return the Unix time."""
        ...

    def wait(self, spent_ns: int) -> None:
        """Let time pass."""
        ...


class SystemClock:
    """This machine's clock."""

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return time.monotonic_ns()

    def unix_ns(self) -> int:
        """Return the Unix time."""
        return time.time_ns()

    def wait(self, spent_ns: int) -> None:
        """Sleep."""
        time.sleep(spent_ns / 1e9)
