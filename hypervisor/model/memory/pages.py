"""Pages of the host: who has them, what is free, what is being scrubbed.

Source: xen/common/page_alloc.c (3.0.3): pages of a dead domain are zeroed by a softirq, in lots,
kicked at every 10 ms tick. They are not free until then.
"""

from hypervisor.errors import Refused

XEN_KIB = 64 * 1024  # Xen's image, heap and frame table (about 64 MiB on such hosts)
PAGE_KIB = 4
SCRUB_TICK_NS = 10_000_000
# A pcpu scrubs for 1 ms of each tick (page_scrub_softirq, recalled), at about 1 GB/s (judgement).
SCRUB_LOT_KIB = 1024


class Memory:
    """All in KiB. total = Xen's own + domains' + free + to be scrubbed, always."""

    def __init__(self, total_kib: int, pcpus: int = 1) -> None:
        """`pcpus` scrub; what it takes of their idle time is not charged to anyone."""
        self.total_kib = total_kib
        self.free_kib = total_kib - XEN_KIB
        self.scrub_kib = 0
        self._lot_kib = pcpus * SCRUB_LOT_KIB
        self._tick = 0  # the last one that has scrubbed

    def take(self, kib: int, now_ns: int) -> None:
        """Give pages to a domain. Raises: Refused when there are not enough."""
        self.scrub(now_ns)
        if kib > self.free_kib:
            raise Refused(
                f"I need {kib} KiB, but only {self.free_kib} KiB of memory is free: "
                "destroy a domain or balloon one down with xm mem-set"
            )
        self.free_kib -= kib

    def take_up_to(self, kib: int, now_ns: int) -> int:
        """Give what there is of `kib`, in whole pages; return how much that was."""
        self.scrub(now_ns)
        kib = min(kib, self.free_kib) // PAGE_KIB * PAGE_KIB
        self.free_kib -= kib
        return kib

    def give_back(self, kib: int) -> None:
        """Take pages from a balloon: the guest has scrubbed them, they are free at once."""
        self.free_kib += kib

    def release(self, kib: int, now_ns: int) -> None:
        """Take the pages of a dead domain; they are free once they are scrubbed."""
        self.scrub(now_ns)
        self.scrub_kib += kib

    def scrub(self, now_ns: int) -> None:
        """Do the work of all ticks up to now."""
        tick = now_ns // SCRUB_TICK_NS
        kib = min(self.scrub_kib, (tick - self._tick) * self._lot_kib)
        self._tick = tick
        self.scrub_kib -= kib
        self.free_kib += kib
