"""Counts each domain's samples and losses; the counts never go down."""

from collections.abc import Mapping
from typing import Protocol

from hypervisor.model.domain.domain import Domain
from hypervisor.model.profiling.driver import GuestDriver
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.telemetry import LostCount, Mode, SampleCount


class Profiled(Protocol):
    """A domain and its driver, None for an HVM guest."""

    @property
    def domain(self) -> Domain:
        """Return the domain."""
        ...

    @property
    def driver(self) -> GuestDriver | None:
        """Return the domain's driver."""
        ...


class SampleLedger:
    """Keeps counts by domain name, over all sessions and after the end of a domain."""

    def __init__(
        self, xenoprof: Xenoprof, residents: Mapping[int, Profiled], names: Mapping[int, str]
    ) -> None:
        """`residents`: the live domains; `names` has the names of all domids ever given."""
        self._xenoprof = xenoprof
        self._residents = residents
        self._names = names
        self._lost: dict[tuple[str, str], int] = {}  # above the drivers, or by the end of a domain

    def count(self, domain: str, lost: Mapping[str, int]) -> None:
        """Add losses by reason."""
        for reason, samples in lost.items():
            if samples:
                key = (domain, reason)
                self._lost[key] = self._lost.get(key, 0) + samples

    def domain_gone(self, domain: Domain) -> None:
        """Count the samples that are lost with a domain that is being destroyed."""
        driver = self._residents[domain.domid].driver
        pending = 0
        if driver is not None:
            self.count(domain.name, driver.losses())
            pending = driver.pending()
        unread = self._xenoprof.forget(domain.domid)
        self.count(domain.name, {"domain_destroyed": pending + unread})

    def logged(self) -> tuple[SampleCount, ...]:
        """Return the samples that the hypervisor has logged."""
        driver = self._residents[0].driver
        names = driver.event_names if driver is not None else {}
        counts: dict[tuple[str, Mode, str], int] = {}
        for (domid, counter), by_mode in sorted(self._xenoprof.tally.logged.items()):
            event = names.get(counter, f"counter_{counter}")
            for mode in Mode:
                if by_mode[mode]:
                    key = (self._names[domid], mode, event)
                    counts[key] = counts.get(key, 0) + by_mode[mode]
        return tuple(SampleCount(*key, samples) for key, samples in counts.items())

    def lost(self) -> tuple[LostCount, ...]:
        """Return the losses, sorted by name and reason."""
        lost = dict(self._lost)

        def add(name: str, reason: str, samples: int) -> None:
            lost[name, reason] = lost.get((name, reason), 0) + samples

        for domid, samples in self._xenoprof.tally.ring_full.items():
            add(self._names[domid], "ring_full", samples)
        for domid, samples in self._xenoprof.tally.never_read.items():
            add(self._names[domid], "never_read", samples)
        for resident in self._residents.values():
            if resident.driver is not None:
                for reason, samples in resident.driver.losses().items():
                    add(resident.domain.name, reason, samples)
        return tuple(LostCount(*key, samples) for key, samples in sorted(lost.items()) if samples)
