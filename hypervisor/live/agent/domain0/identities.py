"""Keeps what the toolstack has written about domains, so that it is seldom read."""

import re
from typing import Dict, Iterable, NamedTuple, Optional, Tuple

from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.xen.life import Life
from hypervisor.live.agent.xen.records import DomainInfo

_STALE_NS = 30 * 1000000000
_REFRESHED_A_POLL = 8  # so that many domains are not all read again at once
_NAME_CHARACTERS = 256
_SECONDS = re.compile(r"(\d{1,11})(?:\.(\d{1,9}))?\Z")


class Identity(NamedTuple):
    """What the toolstack has written about a domain."""

    name: Optional[str]
    created_unix_ns: Optional[int]
    target_kib: Optional[int]
    configured_kib: Optional[int]


class _Kept(NamedTuple):
    identity: Identity
    read_ns: int
    pages: Tuple[int, int]  # then held and allowed: when they change, the target may have


class Identities:
    """The identities of all domains, each read when it appears, changes, or is stale."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: Dict[Life, _Kept] = {}
        self._refreshed = 0

    def begin(self, lives: Iterable[Life]) -> None:
        """Begin a poll that has found these domains; forget all others."""
        there = set(lives)
        self._kept = {life: kept for life, kept in self._kept.items() if life in there}
        self._refreshed = 0

    def of(self, domain: DomainInfo, now_ns: int) -> Identity:
        """Return what is written about a domain."""
        life = (domain.domid, domain.uuid)
        pages = (domain.total_pages, domain.maximum_pages)
        kept = self._kept.get(life)
        if kept is not None and kept.pages == pages:
            is_due = kept.identity.name is None or now_ns - kept.read_ns >= _STALE_NS
            if not is_due or self._refreshed >= _REFRESHED_A_POLL:
                return kept.identity
            self._refreshed += 1
        identity = self._read(domain)
        if kept is not None and self._store.problem is not None:
            return kept.identity
        self._kept[life] = _Kept(identity, now_ns, pages)
        return identity

    def _read(self, domain: DomainInfo) -> Identity:
        home = "/local/domain/%d" % domain.domid
        name = self._store.read(home + "/name")
        return Identity(
            name=None if name is None else name[:_NAME_CHARACTERS],
            created_unix_ns=_unix_ns(self._store.read("/vm/%s/start_time" % domain.uuid)),
            target_kib=_number(self._store.read(home + "/memory/target")),
            configured_kib=_number(self._store.read(home + "/memory/static-max")),
        )


def _number(text: Optional[str]) -> Optional[int]:
    return int(text) if text is not None and re.match(r"\d{1,15}\Z", text) else None


def _unix_ns(text: Optional[str]) -> Optional[int]:
    match = _SECONDS.match(text or "")
    if match is None:
        return None
    return int(match.group(1)) * 1000000000 + int((match.group(2) or "0").ljust(9, "0"))
