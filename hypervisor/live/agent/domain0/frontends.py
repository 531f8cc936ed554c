"""Finds the devices of guests whose backends are in other domains than this one.

A guest may write below its own `device` as it likes, so a device is only believed if its backend is
there and names it, too. A domain that has backends may lie about those, so there are bounds.
"""

import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from hypervisor.live.agent.domain0.backends import Backends
from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.xen.life import Life

_STALE_NS = 30 * 1000000000
_REREAD_AT_ONCE = 16  # domains, so that many are not all read again at once
_MOST_OF_DOMAIN = 64  # of a kind; judgement: XAPI allows 7 vifs and 255 vbds, most in domain 0
_MOST_OF_HOST = 1024
_NUMBER = re.compile(r"(0|[1-9]\d{0,9})\Z", re.ASCII)
_HOME = re.compile(
    r"/local/domain/(\d{1,5})/backend/[a-z0-9_]{1,16}/(\d{1,5})/(\d{1,10})\Z", re.ASCII
)


class Numbers(NamedTuple):
    """The numbers of a domain's devices by kind."""

    vifs: Tuple[int, ...] = ()
    vbds: Tuple[int, ...] = ()


class _Kept(NamedTuple):
    numbers: Numbers
    read_ns: int
    left_out: Optional[str]


class Frontends:
    """The devices of all domains: read when one is new or asked for, and in turn every 30 s."""

    def __init__(self, store: Store, backends: Backends) -> None:
        """`backends` are those of this domain, whose devices are left out here."""
        self.left_out: Optional[str] = None
        """Which devices are not told, and why."""
        self._store = store
        self._backends = backends
        self._kept: Dict[Life, _Kept] = {}
        self._changed: Set[Life] = set()  # what is known of them is of before a change

    def look(self, lives: Iterable[Life], changed: Set[Life], now_ns: int) -> None:
        """Read what is due; forget all domains but these. Those that have changed are due."""
        kept = self._kept
        self._kept = {life: kept[life] for life in lives if life in kept}
        self._changed = (self._changed | changed) & set(self._kept)
        now = [life for life in lives if life not in kept or life in self._changed]
        due = [life for life, one in self._kept.items() if now_ns - one.read_ns >= _STALE_NS]
        for life in now + sorted(due, key=lambda one: kept[one].read_ns)[:_REREAD_AT_ONCE]:
            told: List[str] = []
            numbers = Numbers(self._read(life, "vif", told), self._read(life, "vbd", told))
            if self._store.problem is not None:
                break  # what was known holds until it answers
            self._kept[life] = _Kept(numbers, now_ns, told[0] if told else None)
            self._changed.discard(life)
        self._bound()

    def of(self, life: Life) -> Numbers:
        """Return the numbers of a domain's devices."""
        kept = self._kept.get(life)
        return Numbers() if kept is None else kept.numbers

    def _bound(self) -> None:
        """Leave out the devices of domains that are too many for the host."""
        self.left_out = next((one.left_out for one in self._kept.values() if one.left_out), None)
        left = _MOST_OF_HOST
        for life, one in self._kept.items():
            left -= len(one.numbers.vifs) + len(one.numbers.vbds)
            if left < 0:
                self.left_out = "more than %d have their backends in other domains" % _MOST_OF_HOST
                self._kept[life] = one._replace(numbers=Numbers(), left_out=self.left_out)

    def _read(self, life: Life, kind: str, told: List[str]) -> Tuple[int, ...]:
        home = "/local/domain/%d/device/%s" % (life[0], kind)
        here = {
            one.node.number
            for one in self._backends.of(life)
            if (one.node.kind == "vif") == (kind == "vif")
        }
        names = self._store.directory(home)
        numbers = [int(name) for name in names if _NUMBER.match(name) and int(name) not in here]
        if len(numbers) > _MOST_OF_DOMAIN:
            told.append(
                "domain %d has more than %d of %s with backends in other domains"
                % (life[0], _MOST_OF_DOMAIN, kind)
            )
        return tuple(
            number for number in numbers[:_MOST_OF_DOMAIN] if self._is_real(home, life[0], number)
        )

    def _is_real(self, home: str, domid: int, number: int) -> bool:
        """Return whether the backend that a device names is another domain's, and names it."""
        frontend = "%s/%d" % (home, number)
        backend = self._store.read(frontend + "/backend") or ""
        match = _HOME.match(backend)
        if match is None or int(match.group(1)) == domid:
            return False
        if (int(match.group(2)), int(match.group(3))) != (domid, number):
            return False
        return self._store.read(backend + "/frontend") == frontend
