"""Asks an agent for reports over HTTP: on a Unix socket, on TCP, or within TLS."""

import base64
import http.client
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hypervisor.deadlines import Deadline, Timed, TimedSecure
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.reports import MOST_BYTES, BadReport, read_report
from hypervisor.live.sources.source import Unreachable

REPORT_PATH: Final = "/api/v1/report"
_PART_BYTES = 1 << 16
_REASONS = {401: "it wants another user or password", 403: "it refuses this address or password"}

Connect = Callable[[Deadline], Timed]
"""Makes a connection, which is not open yet; its exchanges keep the deadline."""


class OverHttp:
    """Keeps one connection to an agent, and opens it anew after any failure."""

    def __init__(
        self, connect: Connect, *, password: str | None = None, timeout_seconds: float
    ) -> None:
        """`password` is USER:PASSWORD. The timeout is that of a whole answer."""
        self._connect = connect
        self._timeout_seconds = timeout_seconds
        self._deadline = Deadline(timeout_seconds)
        self._connection: Timed | None = None
        self._headers = {"Accept": "application/json"}
        if password is not None:
            encoded = base64.b64encode(password.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    def read(self) -> HostReport:
        """Ask for a report. Raises: Unreachable, BadReport."""
        try:
            body = self._asked_again() if self._connection is not None else self._asked()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(_reason(error)) from None
        except (Unreachable, BadReport):
            self.close()
            raise
        return read_report(body)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _asked_again(self) -> bytes:
        """Ask on the connection that is open; on another if the agent has closed it meanwhile."""
        try:
            return self._asked()
        except (ConnectionError, http.client.RemoteDisconnected):
            self.close()
            return self._asked()

    def _asked(self) -> bytes:
        self._deadline.restart(self._timeout_seconds)
        if self._connection is None:
            self._connection = self._connect(self._deadline)
        connection = self._connection
        connection.request("GET", REPORT_PATH, headers=self._headers)
        response = connection.getresponse()
        if response.status != http.client.OK:
            why = _REASONS.get(response.status, "is it an agent?")
            raise Unreachable(f"it answers {response.status}: {why}")
        parts, size = [], 0
        while part := response.read1(_PART_BYTES):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise BadReport(f"a report is at most {MOST_BYTES >> 20} MiB")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()  # the connection stays
        if response.will_close:
            self.close()
        return b"".join(parts)


class _UnixConnection(Timed):
    def __init__(self, deadline: Deadline, path: Path) -> None:
        super().__init__(deadline, "localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._deadline.left())
        self.sock.connect(str(self._path))


def on_unix(path: Path) -> Connect:
    """Return what connects to the socket at a path."""
    return lambda deadline: _UnixConnection(deadline, path)


def on_tcp(host: str, port: int, tls: ssl.SSLContext | None) -> Connect:
    """Return what connects to a port, within TLS if a context is given."""
    if tls is None:
        return lambda deadline: Timed(deadline, host, port)
    return lambda deadline: TimedSecure(deadline, host, port, context=tls)


def _reason(error: Exception) -> object:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return error if str(error) else type(error).__name__
