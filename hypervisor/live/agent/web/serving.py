"""Serves all who connect, each in a thread; a bounded number of them, so that nobody waits."""

import contextlib
import selectors
import socket
import threading
import time
from typing import Callable, List, Sequence

from hypervisor.live.agent.limits import MOST_CONNECTIONS
from hypervisor.live.agent.web.connection import ANSWERING, ASKING, Connection, Door
from hypervisor.live.agent.web.httphead import Answer, Request
from hypervisor.live.agent.web.sending import Sending

_ENDING_SECONDS = 2.0  # for answers that are under way
_PAUSE_SECONDS = 0.2  # when this process may open no more files


class Server:
    """Serves at doors until it is told to stop."""

    def __init__(
        self,
        doors: Sequence[Door],
        answer: Callable[[Request], Answer],
        tell: Callable[[str], None],
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        """`tell` logs a line; `most_connections` is for each door."""
        sending = Sending()
        self._doors = [_Places(door, answer, tell, most_connections, sending) for door in doors]
        self._stopping = False
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)

    def run(self) -> None:
        """Serve until `stop` is called, from a signal or another thread."""
        with selectors.DefaultSelector() as selector:
            for places in self._doors:
                selector.register(places.door.listener, selectors.EVENT_READ, places)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping:
                for key, _ in selector.select():
                    if key.data is not None and not key.data.take():
                        self._woken.settimeout(_PAUSE_SECONDS)
                        with contextlib.suppress(OSError):
                            self._woken.recv(1)
        until = time.monotonic() + _ENDING_SECONDS
        for places in self._doors:
            places.end(until)
        self._waker.close()
        self._woken.close()

    def stop(self) -> None:
        """Have `run` return soon."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")


class _Places:
    """The connections of one door. Who comes when all places are taken gets that of the idlest.

    Threads of connections that were ended so are counted until they have ended too.
    """

    def __init__(
        self,
        door: Door,
        answer: Callable[[Request], Answer],
        tell: Callable[[str], None],
        most: int,
        sending: Sending,
    ) -> None:
        self.door = door
        self._answer = answer
        self._tell = tell
        self._most = most
        self._sending = sending
        self._lock = threading.Lock()
        self._open: List[Connection] = []
        self._ending: List[Connection] = []
        door.listener.setblocking(False)

    def take(self) -> bool:
        """Take the next connection; return False if none can be taken for want of files."""
        try:
            client, address = self.door.listener.accept()
        except (BlockingIOError, ConnectionError):
            return True  # it has gone again
        except OSError:
            with self._lock:
                self._make_room()
            return False
        where = str(address[0]) if isinstance(address, tuple) else ""
        connection = Connection(client, where, self.door, self._answer, self._tell, self._sending)
        with self._lock:
            is_full = len(self._open) >= self._most
            if len(self._ending) >= self._most or (is_full and not self._make_room()):
                client.close()
                return True
            self._open.append(connection)
        try:
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except RuntimeError:  # no more threads
            self._leave(connection)
            client.close()
        return True

    def end(self, until: float) -> None:
        """Close the door, and what waits behind it; let answers be sent until then."""
        self.door.listener.close()
        while time.monotonic() < until:
            with self._lock:
                left = list(self._open)
            if not left:
                return
            for connection in left:
                if connection.phase == ASKING:
                    connection.cut()
            time.sleep(0.01)

    def _make_room(self) -> bool:
        """End the connection whose client has been waited for longest; False: there is none."""
        idle = [one for one in self._open if one.phase != ANSWERING]
        if not idle:
            return False
        longest = min(idle, key=lambda one: one.since)
        longest.cut()
        self._open.remove(longest)
        self._ending.append(longest)
        return True

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        with self._lock:
            (self._open if connection in self._open else self._ending).remove(connection)
