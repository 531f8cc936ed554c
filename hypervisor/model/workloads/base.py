"""What a workload is and what it is given."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain
from hypervisor.model.io.blkif import BlockFrontend
from hypervisor.model.io.devices import Devices
from hypervisor.model.io.netif import NetBackend, NetFrontend
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream

# What a program keeps in memory where its workload does not say; all of it judgement: linpack's
# matrix of 1000 x 1000 doubles, httpd with eight children that share most of what they have,
# mysqld with the buffers of RHEL 5's my.cnf, and programs that have little but a buffer.
WORKING_SET_MIB: Mapping[str, int] = {
    "linpack": 8,
    "httpd": 12,
    "mysqld": 24,
    "iozone": 4,
    "netperf": 1,
    "netserver": 1,
}


def working_set_kib(program: str, memory_mib: int | None) -> int:
    """Return what `program` wants: what the workload says, else the default."""
    mib = WORKING_SET_MIB[program] if memory_mib is None else memory_mib
    return mib * 1024


class Peer(Protocol):
    """Another domain of the host, as a workload finds it."""

    guest: Guest
    devices: Devices


class Site:
    """Where a workload runs: its guest, its devices, and the way to the outside."""

    def __init__(
        self,
        guest: Guest,
        devices: Devices,
        stream: RandomStream,
        netback: NetBackend,
        find: Callable[[str], Peer | None],
        mhz: int,
    ) -> None:
        """`find` returns the live domain of a name."""
        self.guest = guest
        self._devices = devices
        self.stream = stream
        self.netback = netback
        self.find = find
        self.mhz = mhz

    @property
    def clock(self) -> Clock:
        """Return the host's clock."""
        return self.guest.execution.clock

    @property
    def domain(self) -> Domain:
        """Return the domain it runs in."""
        return self.guest.domain

    @property
    def vif(self) -> NetFrontend | None:
        """Return the first vif; None for domain 0, which is on the bridge itself."""
        return self._devices.vifs[0] if self._devices.vifs else None

    @property
    def vbd(self) -> BlockFrontend:
        """Return the first disk."""
        return self._devices.vbds[0]


class Workload(Protocol):
    """One running workload. All state is in its attributes, handlers are bound methods."""

    def start(self) -> None:
        """Begin, once the domain has been unpaused for the first time."""
        ...

    def results(self) -> Mapping[str, Any]:
        """Return what it has achieved, `kind` first, in base units."""
        ...


class Latency:
    """A distribution of durations: exact mean and maximum, quantiles within 1.6 %."""

    _BITS = 6  # significant bits of a bucket

    def __init__(self) -> None:
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0
        self._buckets: dict[int, int] = {}

    def add(self, ns: int) -> None:
        """Count one duration."""
        self.count += 1
        self.sum_ns += ns
        if ns > self.max_ns:
            self.max_ns = ns
        shift = max(0, ns.bit_length() - self._BITS)
        floor = ns >> shift << shift
        self._buckets[floor] = self._buckets.get(floor, 0) + 1

    def _quantile_ns(self, part: int, of: int) -> int:
        due = -(-self.count * part // of)
        for floor in sorted(self._buckets):
            due -= self._buckets[floor]
            if due <= 0:
                return floor
        return 0

    def seconds(self) -> dict[str, float]:
        """Return mean, p50, p99 and max."""
        if not self.count:
            return {"mean": 0.0, "p50": 0.0, "p99": 0.0, "max": 0.0}
        return {
            "mean": self.sum_ns / self.count / 1e9,
            "p50": self._quantile_ns(50, 100) / 1e9,
            "p99": self._quantile_ns(99, 100) / 1e9,
            "max": self.max_ns / 1e9,
        }
