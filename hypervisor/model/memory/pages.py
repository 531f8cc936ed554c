"""Pages of the host: those of domains, those that are free, and those being scrubbed.

Source: xen/common/page_alloc.c (3.0.3): a softirq, raised at every 10 ms tick, zeroes pages of a
dead domain in lots. They are not free before.
"""

from typing import Final

from hypervisor.errors import Refused
from hypervisor.model.timing.kernelticks import XEN_TICK_NS

XEN_KIB: Final = 64 * 1024  # Xen's image, heap and frame table (about 64 MiB on such hosts)
PAGE_KIB: Final = 4
# A pcpu scrubs 1 ms at every tick (page_scrub_softirq, recalled), at about 1 GB/s (judgement).
SCRUB_LOT_KIB: Final = 1024


class Memory:
    """Counts pages in KiB. Always total = Xen's own + domains' + free + to be scrubbed."""

    def __init__(self, total_kib: int, pcpus: int = 1, xen_kib: int = XEN_KIB) -> None:
        """`pcpus` scrub; their idle time that this takes is not charged.

        `xen_kib` is what Xen keeps for itself.
        """
        self.total_kib = total_kib
        self.free_kib = total_kib - xen_kib
        self.scrub_kib = 0
        self._lot_kib = pcpus * SCRUB_LOT_KIB
        self._tick = 0  # the last tick that has scrubbed

    def take(self, kib: int, now_ns: int) -> None:
        """Give pages to a domain. Raises: Refused when there are not enough."""
        self.scrub(now_ns)
        if kib > self.free_kib:
            raise Refused(
                f"I need {kib} KiB, but only {self.free_kib} KiB of memory is free: "
                "destroy a domain or balloon one down with xm mem-set"
            )
        self.free_kib -= kib

    def sockets_of_last(self, kib: int, sockets: int) -> list[int]:
        """Return what part of the `kib` given last each socket has, in 1/1024.

        Xen 3.0.3 places nothing: there is one heap, and its highest addresses go first
        (common/page_alloc.c). So a domain has the memory that comes next, wherever it runs.
        """
        size = self.total_kib // sockets
        parts = []
        for socket in range(sockets):
            first = max(self.free_kib, socket * size)
            last = min(self.free_kib + kib, (socket + 1) * size)
            parts.append(max(0, last - first) * 1024 // max(kib, 1))
        return parts

    def take_up_to(self, kib: int, now_ns: int) -> int:
        """Give up to `kib` to a domain, in whole pages; return the amount."""
        self.scrub(now_ns)
        kib = min(kib, self.free_kib) // PAGE_KIB * PAGE_KIB
        self.free_kib -= kib
        return kib

    def give_back(self, kib: int) -> None:
        """Take pages from a balloon, which are free at once because the guest has scrubbed them."""
        self.free_kib += kib

    def release(self, kib: int, now_ns: int) -> None:
        """Take the pages of a dead domain, which are free after scrubbing."""
        self.scrub(now_ns)
        self.scrub_kib += kib

    def scrub(self, now_ns: int) -> None:
        """Scrub as in all ticks up to now."""
        tick = now_ns // XEN_TICK_NS
        kib = min(self.scrub_kib, (tick - self._tick) * self._lot_kib)
        self._tick = tick
        self.scrub_kib -= kib
        self.free_kib += kib
