"""Bounds what is kept in memory for clients that take their answers slowly."""

import threading
from typing import Callable, Dict, NamedTuple

from hypervisor.live.agent.limits import MOST_SENT_BODIES


class _Sent(NamedTuple):
    body: bytes
    cut: Callable[[], None]


class Sending:
    """Knows the bodies that are being sent. Connections that send the same one share it.

    A page is made anew of each reading, so that slow clients would hold many of them: where they
    are too many, the clients with the oldest ones are cut off. Threads may share this.
    """

    def __init__(self, most_bodies: int = MOST_SENT_BODIES) -> None:
        """Nothing is being sent yet."""
        self._most = most_bodies
        self._lock = threading.Lock()
        self._sent: Dict[object, _Sent] = {}  # by who sends it, the oldest first

    def begin(self, sender: object, body: bytes, cut: Callable[[], None]) -> None:
        """Count a body; `cut` ends the connection from another thread."""
        with self._lock:
            self._sent[sender] = _Sent(body, cut)
            for other, sent in list(self._sent.items()):
                if self._bodies() <= self._most:
                    return
                if sent.body is not body:
                    sent.cut()
                    del self._sent[other]

    def end(self, sender: object) -> None:
        """Count the body of a sender no longer."""
        with self._lock:
            self._sent.pop(sender, None)

    def _bodies(self) -> int:
        return len({id(sent.body) for sent in self._sent.values()})
