"""Gives turns, one at a time, first to those with whose neighbours there was least trouble."""

import socket
import threading
import time
from typing import Callable, List, Tuple

from hypervisor.live.agent.errors import AgentError

Networks = Tuple[str, ...]
"""The networks that an address is in, from the widest to the one that counts as the address."""

_IPV4_PARTS = (2, 3, 4)  # bytes
_IPV6_PARTS = (4, 6, 8)  # bytes: who has one address of 64 bits has all of them


class TooMany(AgentError):
    """Says that so many wrong passwords came that this one is not looked at."""

    http_status = 429


class _Waiting:
    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.is_refused = False


class Turns:
    """A queue with few places. Where they are taken, the networks that are most in it make room.

    So who has few networks, however many addresses, keeps nobody of another one out.
    """

    def __init__(self, places: int, longest_seconds: float, troubles: Callable[[str], int]) -> None:
        """`troubles` returns how often somebody in a network was wrong."""
        self._places = places
        self._longest = longest_seconds
        self._troubles = troubles
        self._changed = threading.Condition()
        self._waiting: List[_Waiting] = []
        self._is_taken = False

    def take(self, networks: Networks) -> None:
        """Wait for a turn; the caller must `leave`. Raises: TooMany: there will be none in time."""
        until = time.monotonic() + self._longest
        me = _Waiting(networks)
        with self._changed:
            self._waiting.append(me)
            if len(self._waiting) + self._is_taken > self._places:
                self._refuse(max(reversed(self._waiting), key=self._load))
            while not me.is_refused:
                if not self._is_taken and min(self._waiting, key=self._load) is me:
                    self._waiting.remove(me)
                    self._is_taken = True
                    return
                left = until - time.monotonic()
                if left <= 0:
                    self._refuse(me)
                else:
                    self._changed.wait(left)
        raise TooMany

    def leave(self) -> None:
        """Let the next one have a turn."""
        with self._changed:
            self._is_taken = False
            self._changed.notify_all()

    def _refuse(self, one: _Waiting) -> None:
        self._waiting.remove(one)
        one.is_refused = True
        self._changed.notify_all()

    def _load(self, one: _Waiting) -> List[int]:
        """Return what speaks against one, by network; of equals the one is first who came first."""
        return [
            self._troubles(network) + sum(network in other.networks for other in self._waiting)
            for network in one.networks
        ]


def networks_of(address: str) -> Networks:
    """Return the networks of an address, which is empty at a Unix socket."""
    plain = address.partition("%")[0]
    for family, parts in ((socket.AF_INET, _IPV4_PARTS), (socket.AF_INET6, _IPV6_PARTS)):
        try:
            packed = socket.inet_pton(family, plain)
        except OSError:
            continue
        return tuple(packed[:part].hex() + f"/{len(packed)}" for part in parts)
    return (address,)
