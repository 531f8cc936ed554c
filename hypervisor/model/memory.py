"""Pages of the host: who has them, what is free, what is being scrubbed.

Source: xen/common/page_alloc.c; scrubbing is done in lots at each 10 ms tick.
"""

from hypervisor.errors import Refused

XEN_KIB = 64 * 1024  # Xen's image, heap and frame table (about 64 MiB on such hosts)
SCRUB_KIB_PER_MS = 1024  # about 1 GB/s of zeroing, in idle time (judgement)


class Memory:
    """All in KiB. total = Xen's own + domains' + free + to be scrubbed, always."""

    def __init__(self, total_kib: int) -> None:
        self.total_kib = total_kib
        self.free_kib = total_kib - XEN_KIB
        self._scrub: list[tuple[int, int]] = []  # (clean at ns, KiB)
        self.scrub_kib = 0

    def take(self, kib: int, now_ns: int) -> None:
        """Give pages to a domain. Raises: Refused when there are not enough."""
        self.scrub(now_ns)
        if kib > self.free_kib:
            raise Refused(
                f"I need {kib} KiB, but only {self.free_kib} KiB of memory is free: "
                "destroy a domain or balloon one down with xm mem-set"
            )
        self.free_kib -= kib

    def give_back(self, kib: int) -> None:
        """Take pages from a balloon: the guest has scrubbed them, they are free at once."""
        self.free_kib += kib

    def release(self, kib: int, now_ns: int) -> None:
        """Take the pages of a dead domain; they are free once they are scrubbed."""
        self.scrub_kib += kib
        start_ns = max(now_ns, self._scrub[-1][0] if self._scrub else 0)
        self._scrub.append((start_ns + kib * 1_000_000 // SCRUB_KIB_PER_MS, kib))

    def scrub(self, now_ns: int) -> None:
        """Move what has been scrubbed by now to the free pages."""
        while self._scrub and self._scrub[0][0] <= now_ns:
            _, kib = self._scrub.pop(0)
            self.scrub_kib -= kib
            self.free_kib += kib
