"""Keeps Xenoprof's lists of the profiled domains, and of the drivers that read their samples."""

from typing import Protocol

from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.profiling.samplerow import SampleRow


class SampleReader(Protocol):
    """The driver of a domain, which handles VIRQ_XENOPROF."""

    def virq(self, vcpu: Vcpu, virqs: int, rows: list[SampleRow]) -> None:
        """Take `rows`, which have already left the vcpu's ring, and the samples in the ring."""
        ...


class ProfiledDomains:
    """The active and passive domains, and the attached drivers."""

    def __init__(self) -> None:
        self.primary: int | None = None
        self.active: dict[int, bool] = {}  # domid -> ready (has enabled its VIRQ)
        self.listed = 0  # entries of the active list, which can hold a domain twice
        self.activated = 0
        self.passive: dict[int, Domain] = {}
        self.readers: dict[int, SampleReader] = {}

    def add_active(self, domid: int) -> None:
        """Add a domain to the active list; it is not ready yet."""
        self.listed += 1
        self.active.setdefault(domid, False)

    def ready(self, domid: int) -> None:
        """Note that a listed domain is ready to take samples."""
        self.active[domid] = True
        self.activated += 1

    def waiting(self) -> list[int]:
        """Return the active domains that are not ready."""
        return sorted(domid for domid, ready in self.active.items() if not ready)

    def clear_active(self) -> None:
        """Empty the active list."""
        self.active.clear()
        self.listed = self.activated = 0

    def leave(self, domid: int) -> None:
        """Remove a domain from the active list, and all domains with the last ready one."""
        if domid not in self.active:
            return
        self.listed -= 1
        if self.active.pop(domid):
            self.activated -= 1
            if not self.activated:
                self.active.clear()
                self.listed = 0

    def is_read(self, domid: int | None) -> bool:
        """Return whether a domain is ready and its driver takes samples."""
        return domid in self.readers and self.active.get(domid, False)
