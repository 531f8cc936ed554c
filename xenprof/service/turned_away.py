"""Tells those for whom there is no place to come again, so that they can read it.

A socket that is closed with a request unread resets the connection, and what was sent before is
lost. So it is closed for sending only, and what comes is thrown away, until the other end closes.
"""

import asyncio
import contextlib
import socket

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Connection: close\r\nContent-Type: text/plain\r\nRetry-After: 5\r\n"
    b"Content-Length: 21\r\n\r\ntoo many connections\n"
)
_SECONDS = 1.0
_MOST_BYTES = 2 << 20  # more than a request that would be accepted
_PART_BYTES = 1 << 16


class TurnedAway:
    """Those who were told and have not gone yet: for a second, and only so many at a time."""

    def __init__(self, most: int) -> None:
        """Beyond `most` a connection is closed at once."""
        self._most = most
        self._leaving: set[asyncio.Task[None]] = set()

    def tell(self, connected: socket.socket) -> None:
        """Answer 503 and see the connection to its end, in the background."""
        with contextlib.suppress(OSError):
            connected.send(FULL)
        if len(self._leaving) >= self._most:
            connected.close()
            return
        task = asyncio.create_task(_see_off(connected))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        task.add_done_callback(lambda _: connected.close())

    def close(self) -> None:
        """End what is left at once."""
        for task in self._leaving:
            task.cancel()


async def _see_off(connected: socket.socket) -> None:
    """Throw away what still comes, until the other end closes or it is enough."""
    loop = asyncio.get_running_loop()
    left = _MOST_BYTES
    with contextlib.suppress(OSError, TimeoutError):
        connected.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_SECONDS):
            while left > 0 and (part := await loop.sock_recv(connected, _PART_BYTES)):
                left -= len(part)
                await asyncio.sleep(0)
