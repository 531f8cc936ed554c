"""Finds the devices of guests as xenstore knows them, wherever their backends are."""

import re
from typing import Dict, Iterable, NamedTuple, Set, Tuple

from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.xen.life import Life

_STALE_NS = 30 * 1000000000
_REREAD_AT_ONCE = 16  # domains, so that many are not all read again at once
_MOST_DEVICES = 1024  # of a domain and a kind
_NUMBER = re.compile(r"\d{1,10}\Z", re.ASCII)


class Numbers(NamedTuple):
    """The numbers of a domain's devices by kind."""

    vifs: Tuple[int, ...] = ()
    vbds: Tuple[int, ...] = ()


class _Kept(NamedTuple):
    numbers: Numbers
    read_ns: int


class Frontends:
    """The devices of all domains: read when one is new or asked for, and in turn every 30 s."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: Dict[Life, _Kept] = {}

    def look(self, lives: Iterable[Life], changed: Set[Life], now_ns: int) -> None:
        """Read what is due; forget all domains but these. Those that have changed are due."""
        kept = self._kept
        self._kept = {life: kept[life] for life in lives if life in kept}
        now = [life for life in lives if life not in kept or life in changed]
        due = [life for life, one in self._kept.items() if now_ns - one.read_ns >= _STALE_NS]
        for life in now + sorted(due, key=lambda one: kept[one].read_ns)[:_REREAD_AT_ONCE]:
            numbers = Numbers(self._read(life[0], "vif"), self._read(life[0], "vbd"))
            if self._store.problem is not None:
                break  # what was known holds until it answers
            self._kept[life] = _Kept(numbers, now_ns)

    def of(self, life: Life) -> Numbers:
        """Return the numbers of a domain's devices."""
        kept = self._kept.get(life)
        return Numbers() if kept is None else kept.numbers

    def _read(self, domid: int, kind: str) -> Tuple[int, ...]:
        names = self._store.directory("/local/domain/%d/device/%s" % (domid, kind))
        return tuple(int(name) for name in names[:_MOST_DEVICES] if _NUMBER.match(name))
