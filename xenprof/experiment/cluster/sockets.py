"""Connects the processes of a local cluster by sockets in a folder that is its user's alone.

What comes over a connection of `distributed` is unpickled, so whoever can connect can do all
that the user can. A port of the loopback is open to every user of the machine; a socket in a
folder with mode 0700 to nobody else. Addresses look like those of TCP, as the library takes
them apart: `own://127.0.0.1:7` is the socket `7` in the folder.
"""

import itertools
import os
import socket
from pathlib import Path
from typing import Any, Final

import dask
from distributed.comm.core import CommClosedError
from distributed.comm.registry import backends
from distributed.comm.tcp import MAX_BUFFER_SIZE, TCP, TCPBackend, TCPConnector, TCPListener
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_unix_socket
from tornado.tcpserver import TCPServer

SCHEME: Final = "own"
HOST: Final = "127.0.0.1"
FOLDER: Final = "xenprof.sockets"
"""The key of dask's configuration that has the folder; worker processes are given it."""

_PREFIX: Final = f"{SCHEME}://"
_numbers = itertools.count(1)


def _place(port: int) -> str:
    return str(Path(dask.config.get(FOLDER)) / str(port))


class _Socket(socket.socket):
    """A Unix socket to which the library may talk as to one of TCP."""

    def setsockopt(self, *arguments: Any) -> None:
        """Do nothing: options of TCP are all that is set."""

    def getsockname(self) -> tuple[str, int]:
        """Return the address in the form of TCP; an end that connects has no number."""
        return HOST, int(Path(super().getsockname()).name or 0)


class _Connector(TCPConnector):
    prefix = _PREFIX

    async def connect(self, address: str, deserialize: bool = True, **options: Any) -> TCP:
        """Return a connection to `127.0.0.1:NUMBER`."""
        stream = IOStream(
            _Socket(socket.AF_UNIX, socket.SOCK_STREAM), max_buffer_size=MAX_BUFFER_SIZE
        )
        try:
            await stream.connect(_place(int(address.rpartition(":")[2])))
        except (StreamClosedError, OSError) as error:
            raise CommClosedError(f"{address}: {error}") from error
        return TCP(stream, f"{_PREFIX}{HOST}:0", _PREFIX + address, deserialize)


class _Server(TCPServer):
    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        theirs = _Socket(fileno=connection.detach())
        theirs.setblocking(False)
        super()._handle_connection(theirs, (HOST, 0))


class _Listener(TCPListener):
    prefix = _PREFIX

    async def start(self) -> None:
        """Make the socket, with a number that no other process of the cluster takes."""
        self.port = os.getpid() * 1000 + next(_numbers)
        self.tcp_server = _Server(max_buffer_size=int(MAX_BUFFER_SIZE))
        self.tcp_server.handle_stream = self._handle_stream  # type: ignore[method-assign]
        self.tcp_server.add_socket(bind_unix_socket(_place(self.port), mode=0o600))
        self.bound_address = (HOST, self.port)


class _Backend(TCPBackend):
    _connector_class = _Connector
    _listener_class = _Listener

    def resolve_address(self, loc: str) -> str:
        """Return the address, which needs no resolving."""
        return loc

    def get_local_address_for(self, loc: str) -> str:
        """Return where a listener must be to be reached from there."""
        return HOST


backends[SCHEME] = _Backend()
