"""Locks HOME for one service, and opens the sockets on which it listens."""

import contextlib
import errno
import fcntl
import logging
import os
import socket
from pathlib import Path

from hypervisor.ownfiles import opener
from xenprof.client import SOCKET_NAME
from xenprof.service.own_home import CannotServe, claim

log = logging.getLogger(__name__)

LOCK_NAME = "serve.lock"
_LONGEST_NOTE = 1024
LAST_WORDS = "at the end: "
"""The beginning of what a service leaves in the file of its lock."""


class HomeLock:
    """Locks HOME for this process. The kernel releases the lock however the process ends."""

    def __init__(self, home: Path) -> None:
        """Claim HOME and take its lock. Raises: CannotServe, which names the holder."""
        claim(home)
        try:
            self._file = opener(str(home / LOCK_NAME), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise CannotServe(f"{home} cannot be used: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise CannotServe(
                f"{home} is already served by process {_written(home)}; stop it with: xenprof stop"
            ) from None
        self._path = home / LOCK_NAME
        try:
            os.ftruncate(self._file, 0)
            self._write(f"{os.getpid()}")
        except CannotServe:
            os.close(self._file)
            raise

    def note_url(self, url: str, metrics_path: str) -> None:
        """Write the service's URL for others that find HOME locked, if the disk takes it."""
        try:
            self._write(f", {url}\nmetrics: {metrics_path}\n")
        except CannotServe as error:
            log.warning("%s", error)

    def _write(self, text: str) -> None:
        try:
            os.write(self._file, text.encode())
        except OSError as error:
            raise CannotServe(f"{self._path} cannot be written: {error.strerror}") from None

    def release(self, last_words: str = "") -> None:
        """Release the lock, and leave in its file what could not be written; "" if all was."""
        os.ftruncate(self._file, 0)
        if last_words:
            with contextlib.suppress(OSError):  # a full disk may refuse this as well
                os.pwrite(self._file, f"{LAST_WORDS}{last_words}\n".encode(), 0)
        os.close(self._file)


def current_holder(home: Path) -> str:
    """Return `PID, URL` of the process that serves `home`, empty if none does."""
    try:
        with (home / LOCK_NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(home)
    except OSError:
        return ""
    return ""


def _written(home: Path) -> str:
    try:
        with (home / LOCK_NAME).open(encoding="utf-8", errors="replace") as file:
            return file.readline(_LONGEST_NOTE).strip() or "?"
    except OSError:
        return "?"


def listen_on_control_socket(home: Path) -> socket.socket:
    """Return a socket that listens on HOME/control.sock, mode 0600; the lock must be held."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # By descriptor, as sun_path holds 108 bytes and HOME may be longer.
        path = f"/proc/self/fd/{folder}/{SOCKET_NAME}"
        (home / SOCKET_NAME).unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            control.bind(path)
        finally:
            os.umask(before)
        control.listen()
    except OSError as error:
        control.close()
        raise CannotServe(f"{home / SOCKET_NAME}: {error.strerror}") from None
    finally:
        os.close(folder)
    control.setblocking(False)
    return control


def listen_on_address(address: str) -> socket.socket:
    """Return a socket that listens on `HOST:PORT`, `[v6]:PORT` or `:PORT` (every interface)."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise CannotServe(f"{address!r} is not an address to listen on; it is written HOST:PORT")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = _tcp(socket.create_server((host, int(port)), family=family))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        hint = "; choose another with --web.listen-address" if _is_taken(error) else ""
        raise CannotServe(f"cannot listen on {address}: {reason}{hint}") from None
    listener.setblocking(False)
    return listener


def _tcp(listener: socket.socket) -> socket.socket:
    """Return the same socket with the protocol TCP set.

    create_server does not set it, and asyncio sets TCP_NODELAY only on sockets that have it.
    Otherwise each answer's body waits 40 ms for the client's delayed acknowledgement of its head.
    """
    return socket.socket(listener.family, listener.type, socket.IPPROTO_TCP, listener.detach())


def _is_taken(error: OSError) -> bool:
    return error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
