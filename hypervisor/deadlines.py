"""Limits the time of a whole exchange over HTTP: connecting, sending, and the whole answer.

The timeout of a socket is for each call: a receiver that sends a byte now and then is waited for
without end. Here each call gets what is left of one time.
"""

import http.client
import io
import socket
import time
from functools import partial
from typing import Any

_PART_BYTES = 1 << 14  # a TLS record: a call of a TLS socket sends one or more of them


class Deadline:
    """The time at which an exchange must be over; one object for one exchange after the other."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def restart(self, seconds: float) -> None:
        """Begin another exchange."""
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises: TimeoutError: none are."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class Timed(http.client.HTTPConnection):
    """A connection that keeps a deadline; it goes before the class of a connection."""

    def __init__(self, deadline: Deadline, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._deadline = deadline
        # Also for the answer of a proxy to CONNECT.
        self.response_class = partial(_TimedResponse, deadline)  # type: ignore[assignment]

    def connect(self) -> None:
        """Connect, and shake hands for TLS."""
        self.timeout = self._deadline.left()
        super().connect()

    def send(self, data: Any) -> None:
        """Send a part of a request."""
        if not isinstance(data, bytes):
            super().send(data)
            return
        for start in range(0, len(data), _PART_BYTES):
            left = self._deadline.left()
            if self.sock is not None:
                self.sock.settimeout(left)
            super().send(data[start : start + _PART_BYTES])


class TimedSecure(Timed, http.client.HTTPSConnection):
    """A connection over TLS that keeps a deadline."""


class _TimedResponse(http.client.HTTPResponse):
    """An answer, the head of which counts as well, and what comes before it (1xx)."""

    def __init__(
        self, deadline: Deadline, sock: socket.socket, *args: Any, **settings: Any
    ) -> None:
        super().__init__(sock, *args, **settings)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, deadline))


class _TimedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
