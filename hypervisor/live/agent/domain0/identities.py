"""Keeps what the toolstack has written about domains, so that it is seldom read.

A poll reads as much as xenstore answers in half of its time; the rest is told as it was before, and
those that have waited longest are read first in the next poll.
"""

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.xen.life import Life
from hypervisor.live.agent.xen.records import DomainInfo

_STALE_NS = 30 * 1000000000
_REFRESHED_A_POLL = 8  # so that many domains are not all read again at once
_TARGETS_A_POLL = 64  # nor the targets of all that change their memory
_NAME_CHARACTERS = 256
_SECONDS = re.compile(r"(\d{1,11})(?:\.(\d{1,9}))?\Z")


class Identity(NamedTuple):
    """What the toolstack has written about a domain."""

    name: Optional[str]
    created_unix_ns: Optional[int]
    target_kib: Optional[int]
    configured_kib: Optional[int]


_UNKNOWN = Identity(None, None, None, None)


class _Kept(NamedTuple):
    identity: Identity
    stale_ns: int  # from then on it is read again; at once where it has no name
    asked_ns: int  # for all of it or for its target alone
    pages: Tuple[int, int]  # then held and allowed: when they change, the target may have


class Identities:
    """The identities of all domains, each read when it appears, changes, or is stale."""

    def __init__(self, store: Store) -> None:
        self.problem: Optional[str] = None
        """What was not read in this poll, and why."""
        self._store = store
        self._kept: Dict[Life, _Kept] = {}

    def begin(self, domains: Sequence[DomainInfo], now_ns: int) -> None:
        """Begin a poll that has found these domains: read what is due, and forget all others."""
        there = {(domain.domid, domain.uuid): domain for domain in domains}
        self.problem = None
        due: List[Life] = []
        if self._kept.keys() != there.keys():
            self._kept = {life: kept for life, kept in self._kept.items() if life in there}
            due += [life for life in there if life not in self._kept]
        due += self._due(there, now_ns)
        for done, life in enumerate(due):
            if self._store.is_half_spent and self._store.problem is None:
                self.problem = "it is slow: %d domains are told as before" % (len(due) - done)
                break
            kept = self._read(there[life], self._kept.get(life), now_ns)
            if self._store.problem is not None:
                break  # what was known holds until it answers
            self._kept[life] = kept

    def of(self, life: Life) -> Identity:
        """Return what is written about a domain."""
        kept = self._kept.get(life)
        return _UNKNOWN if kept is None else kept.identity

    def _due(self, there: Dict[Life, DomainInfo], now_ns: int) -> List[Life]:
        """Return the known domains that are to be read again, who has waited longest first."""
        stale, changed = [], []
        for life, (_, stale_ns, asked_ns, pages) in self._kept.items():
            domain = there[life]
            if now_ns >= stale_ns:
                stale.append((asked_ns, life))
            elif pages != (domain.total_pages, domain.maximum_pages):
                changed.append((asked_ns, life))
        if not stale and not changed:
            return []
        due = sorted(stale)[:_REFRESHED_A_POLL] + sorted(changed)[:_TARGETS_A_POLL]
        return [life for _, life in sorted(due)]

    def _read(self, domain: DomainInfo, kept: Optional[_Kept], now_ns: int) -> _Kept:
        """Read a domain anew; only its target if nothing but its memory has changed."""
        home = "/local/domain/%d" % domain.domid
        target_kib = _number(self._store.read(home + "/memory/target"))
        pages = domain.total_pages, domain.maximum_pages
        if kept is not None and now_ns < kept.stale_ns:
            identity = kept.identity._replace(target_kib=target_kib)
            return _Kept(identity, kept.stale_ns, now_ns, pages)
        name = self._store.read(home + "/name")
        identity = Identity(
            name=None if name is None else name[:_NAME_CHARACTERS],
            created_unix_ns=_unix_ns(self._store.read("/vm/%s/start_time" % domain.uuid)),
            target_kib=target_kib,
            configured_kib=_number(self._store.read(home + "/memory/static-max")),
        )
        return _Kept(identity, now_ns if name is None else now_ns + _STALE_NS, now_ns, pages)


def _number(text: Optional[str]) -> Optional[int]:
    return int(text) if text is not None and re.match(r"\d{1,15}\Z", text) else None


def _unix_ns(text: Optional[str]) -> Optional[int]:
    match = _SECONDS.match(text or "")
    if match is None:
        return None
    return int(match.group(1)) * 1000000000 + int((match.group(2) or "0").ljust(9, "0"))
