"""Reads xenstore by its wire protocol, through the socket of its daemon or through the kernel.

Source: xen/include/public/io/xs_wire.h; docs/misc/xenstore.txt.
"""

import os
import select
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional, Sequence, Tuple

from hypervisor.live.agent.errors import StoreFailed

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_HEADER = struct.Struct("<4I")  # type, request, transaction, length
_DIRECTORY = 1
_READ = 2
_WATCH_EVENT = 15
_ERROR = 16
_PAYLOAD_BYTES = 4096  # the most that either side may send
_WAIT_SECONDS = 2.0  # for one answer
_POLL_SECONDS = 2.0  # for all answers of a poll, for which others wait; judgement
ONCE_SECONDS = 20.0
"""For all answers where names are read once, and nobody waits; judgement."""
_SOCKETS = ("run/xenstored/socket", "var/run/xenstored/socket")
_DEVICES = ("dev/xen/xenbus", "proc/xen/xenbus")


class Store(Protocol):
    """What is written about domains, as text by path."""

    problem: Optional[str]  # why nothing can be read

    @property
    def is_half_spent(self) -> bool:
        """Whether half of a poll's time is over: the rest is for others than who asks first."""

    def begin(self) -> None:
        """Begin a poll: what has failed may be tried again."""

    def read(self, path: str) -> Optional[str]:
        """Return what is written at a path; None if nothing is."""

    def directory(self, path: str) -> Sequence[str]:
        """Return the names below a path."""


class Xenstore:
    """One connection, made when it is needed and again after it has failed. For one thread.

    Where it cannot be read, nothing is written: `problem` says why, and it is tried again once
    after each `begin`. A poll has a time for it: what is slow is read over several.
    """

    def __init__(
        self,
        root: str = "/",
        poll_seconds: float = _POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`poll_seconds` is how long all answers after a `begin` may take together."""
        self.problem: Optional[str] = None
        self._root = Path(root)
        self._channel: Optional[_Channel] = None
        self._clock = clock
        self._most_seconds = poll_seconds
        self._seconds = 0.0  # that answers have taken since `begin`

    @property
    def is_half_spent(self) -> bool:
        """Whether half of a poll's time is over: the rest is for others than who asks first."""
        return self._seconds >= self._most_seconds / 2

    def begin(self) -> None:
        """Begin a poll: what has failed may be tried again."""
        self.problem = None
        self._seconds = 0.0

    def read(self, path: str) -> Optional[str]:
        """Return what is written at a path; None if nothing is, or it may not be read."""
        answer = self._ask(_READ, path)
        return None if answer is None else _text(answer)

    def directory(self, path: str) -> Tuple[str, ...]:
        """Return the names below a path; none if it is not there."""
        answer = self._ask(_DIRECTORY, path)
        return tuple(_text(name) for name in (answer or b"").split(b"\0") if name)

    def close(self) -> None:
        """Close the connection."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _ask(self, kind: int, path: str) -> Optional[bytes]:
        if self.problem is None and self._seconds >= self._most_seconds:
            self.problem = "it is slow: what takes longer than %g s is read later" % (
                self._most_seconds
            )
        if self.problem is not None:
            return None
        began = self._clock()
        try:
            if self._channel is None:
                self._channel = _opened(self._root)
            return self._channel.ask(kind, path.encode("ascii", "replace") + b"\0")
        except (OSError, StoreFailed) as error:
            self.close()
            self.problem = str(error)
            return None
        finally:
            self._seconds += self._clock() - began


class _Channel:
    """A stream of requests and answers, one at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._request = 0

    def ask(self, kind: int, payload: bytes) -> Optional[bytes]:
        """Return the answer; None if the daemon says that there is none.

        Raises:
            OSError, StoreFailed: There was no whole answer in two seconds.
        """
        end = time.monotonic() + _WAIT_SECONDS
        self._request = self._request + 1 & 0x7FFFFFFF
        self._write(_HEADER.pack(kind, self._request, 0, len(payload)) + payload, end)
        while True:
            answered, request, _, length = _HEADER.unpack(self._read(_HEADER.size, end))
            if length > _PAYLOAD_BYTES:
                raise StoreFailed("xenstore answers with %d bytes" % length)
            answer = self._read(length, end)
            if answered != _WATCH_EVENT:
                break
        if request != self._request or answered not in (kind, _ERROR):
            raise StoreFailed("xenstore answers what was not asked")
        return answer if answered == kind else None

    def close(self) -> None:
        os.close(self._descriptor)

    def _write(self, request: bytes, end: float) -> None:
        while request:
            try:
                request = request[os.write(self._descriptor, request) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, end)  # not before: the kernel's device never tells it

    def _read(self, size: int, end: float) -> bytes:
        found = b""
        while len(found) < size:
            self._wait(select.POLLIN, end)
            try:
                part = os.read(self._descriptor, size - len(found))
            except BlockingIOError:
                continue
            if not part:
                raise StoreFailed("xenstore has hung up")
            found += part
        return found

    def _wait(self, events: int, end: float) -> None:
        """Wait until it can go on, or has failed. Raises: StoreFailed at the end of the time."""
        left = end - time.monotonic()
        poll = select.poll()  # which knows descriptors beyond 1023 as well
        poll.register(self._descriptor, events)
        if left <= 0 or not poll.poll(left * 1000):
            raise StoreFailed("xenstore does not answer")


def _opened(root: Path) -> _Channel:
    for name in _SOCKETS:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_WAIT_SECONDS)
            try:
                connection.connect(str(root / name))
            except OSError:
                continue
            connection.setblocking(False)
            return _Channel(connection.detach())
    for name in _DEVICES:
        try:
            return _Channel(os.open(str(root / name), os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK))
        except OSError:
            continue
    raise StoreFailed("xenstore has neither a socket nor a device that may be opened here")


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", "backslashreplace")
