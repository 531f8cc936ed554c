"""Brings names and devices of any host into the grammar that a scenario shares with xm's files."""

import re
from collections.abc import Callable
from typing import TypeVar

from hypervisor.errors import HostError
from hypervisor.toolstack.config.devices import DiskSpec, VifSpec, parse_disk, parse_vif
from hypervisor.toolstack.config.locations import Holders
from hypervisor.toolstack.config.settings import check_name

_Parsed = TypeVar("_Parsed")

LONGEST_NAME = 80
_ILLEGAL = re.compile(r"[^A-Za-z0-9_\-.:/+]")
_SHOWN = 120


def legal_name(name: str, otherwise: str) -> str:
    """Return a name that domains and hosts may have, as like `name` as can be."""
    legal = _ILLEGAL.sub("_", name[:LONGEST_NAME])
    return _taken(check_name, legal) or otherwise


def distinct(name: str, others: set[str]) -> str:
    """Return `name`, with a number at its end if another one has it."""
    found, number = name, 1
    while found in others:
        number += 1
        found = f"{name[: LONGEST_NAME - 12]}-{number}"
    return found


class HeldDisks:
    """The disks of a scenario, some of which may have the same data."""

    def __init__(self) -> None:
        self._holders = Holders()

    def take(self, entry: str) -> bool:
        """Enter a disk; return whether another one has its data."""
        disk = parse_disk(entry)
        is_shared = any(self._holders.beside(disk))
        self._holders.add("", disk)
        return is_shared


def disk_of(text: str) -> DiskSpec | None:
    """Return the disk of an entry of a scenario; None if scenarios have none like this."""
    return _taken(parse_disk, text)


def vif_of(text: str) -> VifSpec | None:
    """Return the interface of an entry of a scenario; None if scenarios have none like this."""
    return _taken(parse_vif, text)


def shown(text: str) -> str:
    """Return a text of a host in quotes, in one line of printable ASCII, not too long."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _taken(parse: Callable[[str], _Parsed], text: str) -> _Parsed | None:
    """Return what is made of a text, None if it is refused."""
    try:
        return parse(text)
    except HostError:
        return None
