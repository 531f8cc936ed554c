"""Serves one connection: reads its requests and sends the answers, each within its time."""

import contextlib
import socket
import time
from typing import Callable, NamedTuple, Optional, Tuple

from hypervisor.live.agent.limits import HEAD_SECONDS, IDLE_SECONDS, SENDING_SECONDS
from hypervisor.live.agent.web.gate import Gate
from hypervisor.live.agent.web.httphead import (
    END,
    Answer,
    BadRequest,
    Request,
    check_size,
    check_start,
    parse,
    refusal,
    written,
)
from hypervisor.live.agent.web.sending import Sending

_CHUNK_BYTES = 65536
_LAST_SECONDS = 1.0  # for what a client still sends when it is refused

ASKING, ANSWERING, SENDING = "asking", "answering", "sending"
"""The phases of a connection: in the first and the last, it waits for its client."""

Secure = Callable[[socket.socket, Callable[[socket.socket], None]], None]
"""Begins TLS on a connection: gives its new socket away before anything is said. Raises: OSError.
"""


class Door(NamedTuple):
    """A socket that is listened on, and how those are treated who come."""

    listener: socket.socket
    gate: Gate
    secure: Optional[Secure] = None
    headers: Tuple[Tuple[str, str], ...] = ()  # of every answer

    def __str__(self) -> str:
        """Return its address, as a URL where it has one."""
        where = self.listener.getsockname()
        if not isinstance(where, tuple):
            return str(where)
        host = f"[{where[0]}]" if ":" in where[0] else where[0]
        return f"{'http' if self.secure is None else 'https'}://{host}:{where[1]}/"


class Connection:
    """One connection, which a thread serves."""

    def __init__(
        self,
        client: socket.socket,
        address: str,
        door: Door,
        answer: Callable[[Request], Answer],
        tell: Callable[[str], None],
        sending: Sending,
    ) -> None:
        """`address` is the client's; `tell` logs a line; `sending` is that of all connections."""
        self._client = client
        self._address = address
        self._door = door
        self._answer = answer
        self._tell = tell
        self._sending = sending
        self._received = b""
        self._is_cut = False
        self.phase = ASKING
        self.since = time.monotonic()  # it has been in this phase

    def serve(self) -> None:
        """Serve until one of both ends it. Nothing that the client does is an error here."""
        try:
            if self._door.secure is not None:
                self._client.settimeout(HEAD_SECONDS)
                self._door.secure(self._client, self._go_on_with)
            patience = HEAD_SECONDS
            while self._serve_one(patience):
                patience = IDLE_SECONDS
        except (OSError, ValueError):  # ssl raises the second for what was cut
            pass
        finally:
            self._client.close()

    def cut(self) -> None:
        """End it from another thread, which wakes the one that serves."""
        self._is_cut = True
        with contextlib.suppress(OSError):
            # That of an ssl socket would take away what the other thread works with.
            socket.socket.shutdown(self._client, socket.SHUT_RDWR)

    def _go_on_with(self, secured: socket.socket) -> None:
        """Use the socket of TLS from now on, as that before is empty. Raises: OSError."""
        self._client = secured
        if self._is_cut:  # while there was nothing to cut
            raise ConnectionAbortedError

    def _serve_one(self, patience: float) -> bool:
        """Serve one request; return whether there may be another. Raises: OSError."""
        self._enter(ASKING)
        try:
            head = self._head(patience)
            if head is None:
                return False
            request = parse(head)
        except BadRequest as error:
            self._send(refusal(error.status), "GET", is_kept=False)
            self._linger()
            return False
        self._enter(ANSWERING)
        self._send(self._answered(request), request.method, request.is_kept)
        return request.is_kept

    def _enter(self, phase: str) -> None:
        self.phase, self.since = phase, time.monotonic()

    def _head(self, patience: float) -> Optional[bytes]:
        """Return the head of the next request; None if the client is gone.

        Raises: OSError, BadRequest.
        """
        until = time.monotonic() + (HEAD_SECONDS if self._received else patience)
        while END not in self._received:
            check_start(self._received)
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._client.settimeout(left)
            piece = self._client.recv(_CHUNK_BYTES)
            if not piece:
                return None
            if not self._received:
                until = time.monotonic() + HEAD_SECONDS
            self._received += piece
        head, _, self._received = self._received.partition(END)
        check_size(head)
        return head

    def _answered(self, request: Request) -> Answer:
        try:
            return self._door.gate(request, self._address) or self._answer(request)
        except Exception as error:  # strangers are told no more than that
            self._tell(f"{request.path[:60]!r} could not be answered: {error!r}")
            return refusal(500)

    def _send(self, answer: Answer, method: str, is_kept: bool) -> None:
        self._enter(SENDING)
        head = written(answer, self._door.headers, is_kept, time.time())
        body = b"" if method == "HEAD" else answer.body
        until = time.monotonic() + SENDING_SECONDS
        if len(body) <= _CHUNK_BYTES:  # in one packet, where it fits into one
            self._send_until(until, head + body)
            return
        self._sending.begin(self, body, self.cut)
        try:
            self._send_until(until, head)
            self._send_until(until, body)
        finally:
            self._sending.end(self)

    def _send_until(self, until: float, data: bytes) -> None:
        """Send all of it, without a copy. Raises: OSError."""
        rest = memoryview(data)
        while rest:
            left = until - time.monotonic()
            if left <= 0:
                raise socket.timeout
            self._client.settimeout(left)
            rest = rest[self._client.send(rest[:_CHUNK_BYTES]) :]

    def _linger(self) -> None:
        """Take what the client still sends, as a connection that is reset loses the answer."""
        until = time.monotonic() + _LAST_SECONDS
        self._client.settimeout(_LAST_SECONDS)
        socket.socket.shutdown(self._client, socket.SHUT_WR)
        while time.monotonic() < until and self._client.recv(_CHUNK_BYTES):
            pass
