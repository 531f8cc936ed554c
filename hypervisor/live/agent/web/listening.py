"""Opens the sockets that an agent listens on, and says which of them strangers can reach."""

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
import time
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

from hypervisor.live.agent.errors import AgentError

_BACKLOG = 64
_MOST_PORT = 65535
_LOCK_SECONDS = 2.0  # for what takes a moment
_LOCK_PAUSE_SECONDS = 0.01


class CannotListen(AgentError):
    """Says where nobody can listen, and why."""

    exit_code = 2


class Address(NamedTuple):
    """An address of TCP."""

    host: str  # without brackets; empty: all addresses
    port: int

    def __str__(self) -> str:
        """Return it as it is written in URLs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(text: str) -> Address:
    """Return the address that is written as HOST:PORT. Raises: ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > _MOST_PORT:
        raise ValueError(f"{text!r} is not of the form ADDRESS:PORT")
    if host.startswith("[") and host.endswith("]"):
        return Address(host[1:-1], int(port))
    if ":" in host:
        raise ValueError(f"{text!r}: put the address in brackets")
    return Address(host, int(port))


def on_address(address: Address) -> List[socket.socket]:
    """Return sockets for all that an address means: `localhost` may be two.

    Raises: CannotListen.
    """
    found: List[socket.socket] = []
    with contextlib.ExitStack() as opened:
        try:
            for family, where in _resolved(address):
                listener = opened.enter_context(
                    socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                )
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(where)
                listener.listen(_BACKLOG)
                found.append(listener)
        except (OSError, UnicodeError) as error:  # the second is of what is no name in the DNS
            why = getattr(error, "strerror", None) or error
            raise CannotListen(f"cannot listen on {address}: {why}") from None
        opened.pop_all()
    return found


def _resolved(address: Address) -> Iterator[Tuple[int, Tuple[object, ...]]]:
    seen = set()
    for family, _, _, _, where in socket.getaddrinfo(
        address.host or None,
        address.port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    ):
        if (family, where) not in seen and (family == socket.AF_INET or socket.has_ipv6):
            seen.add((family, where))
            yield family, where


def is_loopback(listener: socket.socket) -> bool:
    """Return whether only programs of this machine reach a socket of TCP."""
    packed = socket.inet_pton(listener.family, listener.getsockname()[0].partition("%")[0])
    if listener.family == socket.AF_INET:
        return packed[0] == 127
    return packed == b"\0" * 15 + b"\1"


@contextlib.contextmanager
def on_path(path: str) -> Iterator[socket.socket]:
    """Listen on a Unix socket that its owner alone may use, inside the block.

    Raises: CannotListen.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with _alone_in_folder_of(path):
            before = os.umask(0o177)  # the socket is private from the moment it is there
            try:
                _remove_dead(path)
                listener.bind(path)
            finally:
                os.umask(before)
            listener.listen(_BACKLOG)
            made = Path(path).stat()
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {path}: {error.strerror or error}") from None
    try:
        yield listener
    finally:
        listener.close()
        with contextlib.suppress(OSError), _alone_in_folder_of(path):
            now = Path(path).stat()
            if (now.st_dev, now.st_ino) == (made.st_dev, made.st_ino):
                Path(path).unlink()


@contextlib.contextmanager
def _alone_in_folder_of(path: str) -> Iterator[None]:
    """Keep other agents from doing the same in this folder: of two, one took the other's socket.

    Raises: OSError: they do not come to an end.
    """
    folder = os.open(str(Path(path).parent), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(_LOCK_PAUSE_SECONDS)
            else:
                break
        yield
    finally:
        os.close(folder)


def _remove_dead(path: str) -> None:
    """Remove a socket that nobody listens on any more. Raises: OSError."""
    try:
        if not stat.S_ISSOCK(Path(path).lstat().st_mode):
            raise OSError(errno.EEXIST, "it exists, and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
        except BlockingIOError:  # so many wait for it already
            pass
    raise OSError(errno.EADDRINUSE, "another agent listens there")
