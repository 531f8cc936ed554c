"""Reads the weights and caps of domains."""

from typing import Dict, Optional, Sequence, Tuple

from hypervisor.live.agent.asking import Asking
from hypervisor.live.agent.hypercalls import Xen
from hypervisor.live.agent.records import DomainInfo

_STALE_NS = 30 * 1000000000


class Weights:
    """The settings of schedulers, which pools may choose."""

    def __init__(self, xen: Xen) -> None:
        self._xen = xen
        self._pools: Dict[int, int] = {}
        self._read_ns = -_STALE_NS

    def begin(self, asking: Asking, domains: Sequence[DomainInfo], now_ns: int) -> None:
        """Begin a poll: read the pools every 30 s, and when a domain is in a new one."""
        is_new = any(domain.pool not in self._pools for domain in domains if domain.pool >= 0)
        if is_new or now_ns - self._read_ns >= _STALE_NS:
            self._pools = asking.ask("pools", self._xen.pools) or {}
            self._read_ns = now_ns

    def of(
        self, asking: Asking, domain: DomainInfo, default: Optional[int]
    ) -> Tuple[Optional[int], Optional[int]]:
        """Return weight and cap of a domain. `default` is the scheduler where pools are unknown."""
        scheduler = self._pools.get(domain.pool, default)
        if scheduler is None:
            return None, None
        answer = asking.ask("weights", self._xen.weight_cap, domain.domid, scheduler)
        return (None, None) if answer is None else answer
