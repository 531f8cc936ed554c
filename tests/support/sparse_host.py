"""A host that knows of its domains their names and the time that they have run, and no more."""

from hypervisor.host import Host
from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from tests.support.fake_host import EPOCH_NS, FakeHost
from tests.support.hosts_in_part import WatchedHost

NAMES = ("Domain-0", "web", "db")
SHARES_PERCENT = (10, 25, 0)  # of one pcpu; db has never run
SECOND = 1_000_000_000


def sparse(seconds: float = 10, generation: int = 1) -> HostSnapshot:
    """Return such a host, so many seconds after its start."""
    now_ns = round(seconds * SECOND)
    return HostSnapshot(
        generation=generation,
        time_ns=now_ns,
        unix_ns=EPOCH_NS + now_ns,
        host="sparse",
        domains=tuple(
            DomainSnapshot(domid, name, cpu_ns=now_ns * percent // 100)
            for domid, (name, percent) in enumerate(zip(NAMES, SHARES_PERCENT, strict=True))
        ),
        sources={"vcpu_time": "hypercall"},
    )


class SparseTelemetry:
    """The telemetry of a sparse host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._generation = 0

    def snapshot(self) -> HostSnapshot:
        self._generation += 1
        return sparse(self._host.now_ns / SECOND, self._generation)


class SparseHost(WatchedHost):
    """A host.Host with telemetry alone, which knows little."""

    def __init__(self) -> None:
        super().__init__(FakeHost(*NAMES))
        self.name = "sparse"
        self.telemetry = SparseTelemetry(self)
