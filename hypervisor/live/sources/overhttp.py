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
_WITHOUT_PASSWORD = {401: "it wants a user and a password: --host.password-file"}
_UNKNOWN_AUTHORITY = range(18, 22)  # X509_V_ERR: self-signed, or of an issuer that is not known
_TLS_ALERT = "\x15\x03"
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")  # by version of OpenSSL

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
        self._reasons = _REASONS if password is not None else _REASONS | _WITHOUT_PASSWORD
        if password is not None:
            encoded = base64.b64encode(password.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    def read(self) -> HostReport:
        """Ask for a report. Raises: Unreachable, BadReport."""
        try:
            body = self._asked_again() if self._connection is not None else self._asked()
        except (OSError, http.client.HTTPException, ValueError) as error:
            is_plain = type(self._connection) is Timed
            self.close()
            raise Unreachable(_reason(error, is_plain=is_plain)) from None
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
            why = self._reasons.get(response.status, "is it an agent?")
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


def _reason(error: Exception, *, is_plain: bool) -> object:
    """Return why an agent was not read; `is_plain`: on TCP without TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        told = f"its certificate is not trusted: {error.verify_message}"
        if error.verify_code in _UNKNOWN_AUTHORITY:
            told += "; --host.ca-file names whom to trust"
        return told
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "it does not speak TLS: try http://"
    is_alert = isinstance(error, http.client.BadStatusLine) and str(error).startswith(_TLS_ALERT)
    if is_plain and is_alert:
        return "it does not answer by http; if it speaks TLS, try https://"
    if is_plain and isinstance(error, ConnectionResetError):
        return "it ends the connection: nobody answers behind that port, or in TLS: https://"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return error if str(error) else type(error).__name__
