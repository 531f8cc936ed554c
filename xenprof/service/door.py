"""Accepts the connections of one listener within its limits, and ends those that take too long.

Each listener has its own door: one that is crowded, or has no more files to open, does not keep
the other from accepting. (asyncio's own server writes 2048 tracebacks a second when the files
are used up.)
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from typing import Protocol

import uvicorn
from starlette.types import Receive, Scope, Send

from xenprof.service.connection import Connection, let_go
from xenprof.service.guests import Guest, Guests
from xenprof.service.http import FailureResponse
from xenprof.service.limits import Limits
from xenprof.service.turned_away import TurnedAway
from xenprof.wire.failure import Failure

log = logging.getLogger(__name__)

_BACKLOG = 1024
_AT_ONCE = 16  # connections accepted before others go on: as many turns of the loop less
_PAUSE_SECONDS = 0.1  # after an error that will not be over at once
_LOOK_SECONDS = 1.0
_TLS_END_SECONDS = 5.0
_PEER = struct.Struct("3i")  # pid, uid, gid
_SEEN_OFF_SHARE = 8  # of the places, for those who are turned away; judgement


class Certificates(Protocol):
    """The certificates that a listener shows."""

    def context(self) -> ssl.SSLContext:
        """Return the TLS context for a connection that begins now."""
        ...


class Door:
    """The door of one listener."""

    def __init__(
        self,
        listener: socket.socket,
        server: uvicorn.Server,
        limits: Limits,
        *,
        certificates: Certificates | None = None,
    ) -> None:
        """`server` speaks with those who are let in; it listens itself to nothing.

        With `certificates`, by TLS.
        """
        self._listener = listener
        self._server = server
        self._limits = limits
        self._certificates = certificates
        self._guests = Guests(limits)
        self._turned_away = TurnedAway(max(1, limits.places // _SEEN_OFF_SHARE))
        self._is_local = listener.family == socket.AF_UNIX
        self._name = "the control socket" if self._is_local else "TCP"

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Accept connections inside the block; those that are open at its end stay."""
        self._listener.listen(_BACKLOG)
        tasks = [asyncio.create_task(self._accept_all()), asyncio.create_task(self._tend_all())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            self._turned_away.close()
            self._listener.close()

    async def _accept_all(self) -> None:
        loop = asyncio.get_running_loop()
        accepted = 0
        while True:
            try:
                connected, address = await loop.sock_accept(self._listener)
            except ConnectionAbortedError:
                continue
            except OSError as error:  # above all: too many open files
                log.warning("%s: no connection can be accepted: %s", self._name, error.strerror)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            # A local client's name says nothing, and may be bytes.
            origin = "" if self._is_local else address[0]
            try:
                await self._receive(connected, origin)
            except Exception:  # one connection must not end all that come after it
                log.exception("%s: a connection was lost by a bug", self._name)
                connected.close()
            accepted += 1
            if accepted % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others go on, also while connections are waiting here

    async def _tend_all(self) -> None:
        patience = self._limits.patience
        look_seconds = min(_LOOK_SECONDS, patience.head / 4)
        while True:
            await asyncio.sleep(look_seconds)
            for guest in self._guests:
                if guest.connection is not None and (reason := guest.connection.tend(patience)):
                    log.info("%s: a connection was ended: %s", self._name, reason)
                    guest.leave()

    async def _receive(self, connected: socket.socket, address: str) -> None:
        """Let somebody in. Without a place, local programs wait, and others come again."""
        guest = self._guests.admit(address)
        while guest is None and self._is_local:
            await asyncio.sleep(_PAUSE_SECONDS)
            guest = self._guests.admit(address)
        if guest is None:
            log.warning("%s: a connection was refused: %s", self._name, "there are too many")
            self._turned_away.tell(connected)
            return
        if not self._is_local:
            # Clients that vanish without a word are found out, however long a request takes.
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        guest.task = asyncio.create_task(self._talk(connected, guest))

    async def _talk(self, connected: socket.socket, guest: Guest) -> None:
        connection = None
        try:
            connection = await self._connect(connected)
            guest.connection = connection
            await connection.lost.wait()
        except OSError as error:  # it has gone, or it does not speak TLS
            log.debug("%s: no connection: %s", self._name, error)
            let_go(error)
        finally:
            self._guests.remove(guest)
            guest.task = None  # so that the one is gone with the other
            if connection is not None and not connection.lost.is_set():
                connection.transport.abort()

    async def _connect(self, connected: socket.socket) -> Connection:
        loop = asyncio.get_running_loop()
        connection = Connection(self._server.config, self._server.server_state, {}, loop)
        if self._is_local and not _is_ours(connected):
            connection.app = _refuse_stranger
        tls = None if self._certificates is None else self._certificates.context()
        await loop.connect_accepted_socket(
            lambda: connection,
            connected,
            ssl=tls,
            ssl_handshake_timeout=self._limits.patience.head if tls else None,
            ssl_shutdown_timeout=_TLS_END_SECONDS if tls else None,
        )
        return connection


def _is_ours(connected: socket.socket) -> bool:
    """Return whether a process of this user or of root has connected.

    So nobody who names a file on the control socket has fewer rights than the service, which
    opens it.
    """
    _, uid, _ = _peer(connected)
    return uid in (0, os.geteuid())


def _peer(connected: socket.socket) -> tuple[int, int, int]:
    """Return pid, uid and gid of the process at the other end of a Unix socket."""
    found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    pid, uid, gid = _PEER.unpack(found)
    return pid, uid, gid


async def _refuse_stranger(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 403 to a process of another user."""
    text = "the control socket is for the user who runs the service, and for root"
    answer = FailureResponse(Failure("Forbidden", text), 403, tells_exit_code=True)
    await answer(scope, receive, send)
