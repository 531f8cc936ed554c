"""Compares two looks at a host, from whose difference percentages of time come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from hypervisor.telemetry.unknown import minus, total

Counter = Callable[[DomainSnapshot], int | None]
"""Returns a time of a domain that only grows, in ns."""


@dataclass(frozen=True, slots=True)
class Row:
    """A domain, its host, and the same life of the domain in the look before, if it was there."""

    domain: DomainSnapshot
    host: HostSnapshot
    before: DomainSnapshot | None = None
    elapsed_ns: int = 0  # between the two looks

    @property
    def busy_percent(self) -> float | None:
        """Return CPU(%) of one pcpu: 0.0, as xentop has it, for a domain that was not there."""
        if self.domain.cpu_ns is None:
            return None
        return 0.0 if self.before is None else self.percent(lambda domain: domain.cpu_ns)

    def percent(self, counter: Counter) -> float | None:
        """Return by how much a time has grown, as percent of one pcpu.

        None if that is unknown, as of one that has begun anew.
        """
        if self.before is None or not self.elapsed_ns:
            return None
        spent_ns = minus(counter(self.domain), counter(self.before))
        return None if spent_ns is None or spent_ns < 0 else 100 * spent_ns / self.elapsed_ns


@dataclass(frozen=True, slots=True)
class Span:
    """The newest snapshot and the one before it."""

    now: HostSnapshot
    before: HostSnapshot | None = None

    def then(self, newer: HostSnapshot) -> "Span":
        """Return the span up to `newer`.

        A snapshot of the same moment leaves the span as it is. One of an earlier moment is
        another run of the host, with which nothing can be compared; so is one of another boot.
        """
        if newer.boot != self.now.boot:
            return Span(newer)
        if newer.time_ns == self.now.time_ns:
            return self
        return Span(newer, self.now if newer.time_ns > self.now.time_ns else None)

    @property
    def elapsed_ns(self) -> int:
        """Return the host's time between the two, 0 if there is one."""
        return 0 if self.before is None else self.now.time_ns - self.before.time_ns

    def rows(self) -> Iterator[Row]:
        """Yield the domains that are there now, by domid."""
        earlier = self.before.domains if self.before else ()
        by_life = {domain.life: domain for domain in earlier}
        for domain in self.now.domains:
            yield Row(domain, self.now, by_life.get(domain.life), self.elapsed_ns)


def waited_ns(domain: DomainSnapshot) -> int | None:
    """Return how long vcpus of a domain have waited for a pcpu, all together."""
    return total(vcpu.runnable_ns for vcpu in domain.vcpus) if domain.vcpus else None


def capped_ns(domain: DomainSnapshot) -> int | None:
    """Return how long vcpus of a domain were kept from running by its cap, all together."""
    return total(vcpu.capped_ns for vcpu in domain.vcpus) if domain.vcpus else None
