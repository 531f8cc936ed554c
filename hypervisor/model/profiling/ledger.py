"""How many samples each domain gave, and where the others were lost; never goes down."""

from collections.abc import Mapping

from hypervisor.model.domain.domain import Domain, Domains
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.telemetry import LostCount, Mode, SampleCount


class SampleLedger:
    """Counts by domain name, over all sessions and beyond the life of a domain."""

    def __init__(self, xenoprof: Xenoprof, live: Domains, names: Mapping[int, str]) -> None:
        """`names` maps every domid that ever was to its name."""
        self._xenoprof = xenoprof
        self._live = live
        self._names = names
        self._lost: dict[tuple[str, str], int] = {}  # above the drivers, and with domains

    def count(self, domain: str, lost: Mapping[str, int]) -> None:
        """Add losses by reason."""
        for reason, samples in lost.items():
            if samples:
                key = (domain, reason)
                self._lost[key] = self._lost.get(key, 0) + samples

    def domain_gone(self, domain: Domain) -> None:
        """Count what a domain that is being destroyed takes with it."""
        self.count(domain.name, _driver_losses(domain))
        pending = domain.oprofile.pending() if domain.oprofile is not None else 0
        unread = self._xenoprof.forget(domain.domid)
        self.count(domain.name, {"domain_destroyed": pending + unread})

    def logged(self) -> tuple[SampleCount, ...]:
        """Return the samples that the hypervisor has logged."""
        driver = self._live[0].oprofile
        names = driver.event_names if driver is not None else {}
        counts: dict[tuple[str, Mode, str], int] = {}
        for (domid, counter), by_mode in sorted(self._xenoprof.logged.items()):
            event = names.get(counter, f"counter_{counter}")
            for mode in Mode:
                if by_mode[mode]:
                    key = (self._names[domid], mode, event)
                    counts[key] = counts.get(key, 0) + by_mode[mode]
        return tuple(SampleCount(*key, samples) for key, samples in counts.items())

    def lost(self) -> tuple[LostCount, ...]:
        """Return the losses, in the order of names and reasons."""
        lost = dict(self._lost)

        def add(name: str, reason: str, samples: int) -> None:
            lost[name, reason] = lost.get((name, reason), 0) + samples

        for domid, samples in self._xenoprof.lost_for_ever.items():
            add(self._names[domid], "ring_full", samples)
        for domid, samples in self._xenoprof.never_read.items():
            add(self._names[domid], "never_read", samples)
        for domain in self._live.values():
            for reason, samples in _driver_losses(domain).items():
                add(domain.name, reason, samples)
        return tuple(LostCount(*key, samples) for key, samples in sorted(lost.items()) if samples)


def _driver_losses(domain: Domain) -> dict[str, int]:
    driver = domain.oprofile
    if driver is None:
        return {}
    return {
        "cpu_buffer_overflow": sum(driver.lost_cpu),
        "event_buffer_overflow": driver.lost_event,
    }
