"""Keeps those who are connected to a listener, and makes room for others at the bounds.

A full house must not shut out those who ask for something. So whoever comes takes the place of
the one that has waited for the longest time without asking: of its own address if that has all
places that it may have, else of the address that has the most.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from xenprof.service.connection import Connection
from xenprof.service.limits import Limits

log = logging.getLogger(__name__)

_SUBSCRIBER_BITS = 64
"""Of an address of IPv6: what is behind belongs to one subscriber, who may choose at will."""


@dataclass(slots=True, eq=False)
class Guest:
    """Somebody who is connected from `origin`; cancelling `task` ends the connection."""

    origin: str
    task: "asyncio.Task[None] | None" = None
    connection: Connection | None = None  # None until TLS is set up

    @property
    def is_idle(self) -> bool:
        """Return whether there is no request of this guest to be answered."""
        return self.connection is None or self.connection.is_idle

    def leave(self) -> None:
        """End the connection."""
        if self.task is not None:
            self.task.cancel()


class Guests:
    """Those who are connected to one listener, in the order in which they came."""

    def __init__(self, limits: Limits) -> None:
        """Begin without any."""
        self._limits = limits
        self._by_origin: defaultdict[str, dict[Guest, None]] = defaultdict(dict)
        self._count = 0

    def __iter__(self) -> Iterator[Guest]:
        """Iterate over all guests of now; they may leave meanwhile."""
        return iter([guest for guests in self._by_origin.values() for guest in guests])

    def admit(self, address: str) -> Guest | None:
        """Return a new guest; None if nobody can go in exchange."""
        origin = origin_of(address)
        own = self._by_origin.get(origin, {})
        crowd: Iterable[Guest] | None = None
        if len(own) >= self._limits.places_per_address:
            crowd = own
        elif self._count >= self._limits.places:
            crowd = max(self._by_origin.values(), key=len)
        if crowd is not None:
            gone = next((guest for guest in crowd if guest.is_idle), None)
            if gone is None:
                return None
            log.warning("as many connections as may be: the one that waited longest made room")
            gone.leave()
            self.remove(gone)
        guest = Guest(origin)
        self._by_origin[origin][guest] = None
        self._count += 1
        return guest

    def remove(self, guest: Guest) -> None:
        """Forget a guest who has left; once is enough."""
        guests = self._by_origin.get(guest.origin, {})
        if guest not in guests:
            return
        del guests[guest]
        self._count -= 1
        if not guests:
            del self._by_origin[guest.origin]


def origin_of(address: str) -> str:
    """Return what counts as one address: of IPv6, the network of a subscriber."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    network = IPv6Address(int(ip) >> _SUBSCRIBER_BITS << _SUBSCRIBER_BITS)
    return str(ip.ipv4_mapped or network)
