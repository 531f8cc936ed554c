"""Reads a socket until a moment, however many small pieces come."""

import http.client
import io
import socket
import time
from typing import Any


def response_until(until: float) -> type[http.client.HTTPResponse]:
    """Return what reads an answer; after `until`, of time.monotonic, any read is a TimeoutError.

    The timeout of a socket alone is for each piece: an agent that sends a byte now and then, or
    headers or trailers without end, would hold its reader for ever.
    """

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(_Until(sock, until), *arguments, **options)  # type: ignore[arg-type]

    return Response


class _Until:
    """A socket as far as an answer needs one."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self._sock, self._until))


class _Raw(io.RawIOBase):
    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # the socket stays open until it is closed
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
