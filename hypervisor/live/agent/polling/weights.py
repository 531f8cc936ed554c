"""Reads the weights and caps of domains."""

from typing import Dict, Optional, Sequence, Tuple

from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.records import DomainInfo

_STALE_NS = 30 * 1000000000


class Weights:
    """The settings of schedulers, which pools may choose."""

    def __init__(self, xen: Xen) -> None:
        self._xen = xen
        self._pools: Dict[int, int] = {}
        self._read_ns = -_STALE_NS

    def read(
        self, asking: Asking, domains: Sequence[DomainInfo], default: Optional[int], now_ns: int
    ) -> Dict[int, Tuple[int, int]]:
        """Return weight and cap by domid, of the domains that have them.

        `default` is the scheduler where pools are unknown. They are read every 30 s, and when a
        domain is in a new one.
        """
        is_new = any(domain.pool not in self._pools for domain in domains if domain.pool >= 0)
        if is_new or now_ns - self._read_ns >= _STALE_NS:
            self._pools = asking.ask("pools", self._xen.pools) or {}
            self._read_ns = now_ns
        wanted = []
        for domain in domains:
            scheduler = self._pools.get(domain.pool, default)
            if scheduler is not None:
                wanted.append((domain.domid, scheduler))
        answers = self._xen.weights_caps(wanted, lambda error: asking.refused("weights", error))
        return {domid: answer for (domid, _), answer in zip(wanted, answers) if answer is not None}
