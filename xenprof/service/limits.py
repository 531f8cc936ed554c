"""Bounds what a listener gives to those who connect: places, and patience."""

import resource
from dataclasses import dataclass, field

_TCP_PLACES = 512
_CONTROL_PLACES = 128
_ADDRESSES = 4
"""So many addresses, none of them less, take all places of TCP: one alone cannot."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a connection may take for each part of a request. All are judgement."""

    head: float = 10.0  # for TLS to be set up, and then until a request's head is complete
    body: float = 30.0  # from there until its body is complete
    answer: float = 60.0  # until all of an answer has been taken


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one listener."""

    places: int  # connections at a time
    places_per_address: int
    patience: Patience = field(default_factory=Patience)


def limits(patience: Patience) -> tuple[Limits, Limits]:
    """Return the bounds of the control socket and of TCP.

    Both together take at most three quarters of the files that this process may have open, so
    that neither is without a file because of the other, and the service's own files are opened.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        files = 2 * _TCP_PLACES
    tcp, control = min(_TCP_PLACES, files // 2), min(_CONTROL_PLACES, files // 4)
    return Limits(control, control, patience), Limits(tcp, tcp // _ADDRESSES, patience)
