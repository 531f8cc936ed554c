"""Tells systemd that the service is ready, alive, and about to end.

Source: sd_notify(3), sd_watchdog_enabled(3). A message is one datagram to $NOTIFY_SOCKET; without
one, nobody is told anything.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping

log = logging.getLogger(__name__)

_LONGEST_NUMBER = 18  # digits, as many as fit into 64 bits
_PINGS_PER_TIMEOUT = 2  # as sd_watchdog_enabled(3) recommends


class Supervisor:
    """The systemd that has started this process, if one has."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        """Read where to send to, and how often to show life, from the environment of `pid`."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):  # an abstract name
            self._address = "\0" + self._address[1:]
        self.watchdog_seconds: float | None = None
        timeout_us = environment.get("WATCHDOG_USEC", "")
        is_ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        if is_ours and timeout_us.isdecimal() and len(timeout_us) <= _LONGEST_NUMBER:
            self.watchdog_seconds = int(timeout_us) / 1e6 or None

    @classmethod
    def found(cls) -> "Supervisor":
        """Return that of this process. Its children are not to speak for it."""
        found = cls(os.environ, os.getpid())
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            os.environ.pop(name, None)
        return found

    def tell(self, *messages: str) -> None:
        """Send messages such as READY=1. A supervisor that cannot be reached changes nothing."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(messages).encode(), self._address)
        except OSError as error:
            log.warning("systemd cannot be told %s: %s", messages[0], error.strerror)

    @contextlib.asynccontextmanager
    async def watching(self, progress: Callable[[], int]) -> AsyncIterator[None]:
        """Show life inside the block for as long as `progress` grows.

        A service whose event loop turns but whose host stands still is not alive, so that systemd
        restarts it.
        """
        task = None
        if self._address and self.watchdog_seconds is not None:
            task = asyncio.create_task(
                self._show_life(self.watchdog_seconds / _PINGS_PER_TIMEOUT, progress)
            )
        try:
            yield
        finally:
            if task is not None:
                task.cancel()

    async def _show_life(self, every_seconds: float, progress: Callable[[], int]) -> None:
        seen = -1
        while True:
            if (now := progress()) != seen:
                seen = now
                self.tell("WATCHDOG=1")
            await asyncio.sleep(every_seconds)
