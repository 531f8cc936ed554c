"""Decides whether a request is answered: by the password that it shows, or the host it names."""

import math
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Callable, FrozenSet, Optional

from hypervisor.live.agent.web.httphead import Answer, Request, refusal

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

Gate = Callable[[Request, str], Optional[Answer]]
"""Returns the refusal of a request from an address; None lets it in."""


class Passwords(Protocol):
    """What knows passwords. It takes memory that most agents need not have."""

    def let_in(self, authorization: str, address: str) -> bool:
        """Return whether a header of this value shows a right password. Raises: TooMany."""


_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*))(?::[0-9]{0,5})?", re.ASCII)


def let_all_in(_: Request, __: str) -> Optional[Answer]:
    """Let everybody in, as at a socket that its owner alone may use."""
    return None


def by_password(passwords: Passwords) -> Gate:
    """Return what lets those in who show a right password."""
    from hypervisor.live.agent.web.turns import TooMany

    def gate(request: Request, address: str) -> Optional[Answer]:
        try:
            if passwords.let_in(request.headers.get("authorization", ""), address):
                return None
        except TooMany:
            return refusal(429, ("Retry-After", "60"))
        return refusal(401, ("WWW-Authenticate", 'Basic realm="xenprof"'))

    return gate


def at_rate(interval_seconds: float, burst: int, gate: Gate) -> Gate:
    """Return a gate that is asked at most `burst` times at once, then once in each interval.

    All clients share that, as in the exporters of Prometheus.
    """
    lock = threading.Lock()
    left, seen_at = float(burst), time.monotonic()

    def limited(request: Request, address: str) -> Optional[Answer]:
        nonlocal left, seen_at
        with lock:
            now = time.monotonic()
            left = min(left + (now - seen_at) / interval_seconds, float(burst))
            seen_at = now
            if left < 1:
                return refusal(429, ("Retry-After", str(math.ceil(interval_seconds))))
            left -= 1
        return gate(request, address)

    return limited


def by_host(names: FrozenSet[str]) -> Gate:
    """Return what lets those in who name this machine by an address, `localhost`, or so.

    A page of somebody else, open in a browser of domain 0, could else read what is here: it would
    have the browser ask for a name of its own that means 127.0.0.1.
    """

    def gate(request: Request, _: str) -> Optional[Answer]:
        match = _HOST.fullmatch(request.headers.get("host", ""))
        if match is None:
            return refusal(403)
        name = (match[1] or match[2]).lower()
        is_known = name in ("", "localhost") or name in names or _is_address(name)
        return None if is_known else refusal(403)

    return gate


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False
