"""Declares what a workload is, and the site where it runs."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from hypervisor.errors import HostError
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain
from hypervisor.model.io.devices import Devices
from hypervisor.model.network.bridge import Bridge
from hypervisor.model.network.card import Card
from hypervisor.model.network.lot import Station
from hypervisor.model.network.network import Network
from hypervisor.model.storage.filecache import FileCache
from hypervisor.model.storage.owndisk import FirstDisk
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream

# The memory of a program if its workload does not set it; all values are judgement: linpack's
# matrix of 1000 x 1000 doubles, httpd with eight children that share most of their memory,
# mysqld with the buffers of RHEL 5's my.cnf, and programs that need little more than a buffer.
WORKING_SET_MIB: Final[Mapping[str, int]] = {
    "linpack": 8,
    "httpd": 12,
    "mysqld": 24,
    "iozone": 4,
    "lmbench": 1,
    "aim7": 2,
    "cc1": 16,
    "netperf": 1,
    "netserver": 1,
}


def working_set_kib(program: str, memory_mib: int | None) -> int:
    """Return the working set of `program`: the workload's value, or the default."""
    mib = WORKING_SET_MIB[program] if memory_mib is None else memory_mib
    return mib * 1024


class NoWay(HostError):
    """Says why the packets of a program have no way to the other end."""


class Peer(Protocol):
    """Another domain of the host, as a workload sees it."""

    guest: Guest
    devices: Devices


class Site:
    """The site of a workload: its guest, its devices, and the network to the outside."""

    def __init__(
        self,
        guest: Guest,
        devices: Devices,
        stream: RandomStream,
        network: Network,
        find: Callable[[str], Peer | None],
        mhz: int,
        endings: list[Callable[[], object]],
    ) -> None:
        """`find` returns the live domain of a name.

        `endings` are called when the domain is destroyed.
        """
        self.guest = guest
        self._devices = devices
        self.stream = stream
        self.network = network
        self.find = find
        self.mhz = mhz
        self.endings = endings

    @property
    def clock(self) -> Clock:
        """Return the host's clock."""
        return self.guest.execution.clock

    @property
    def domain(self) -> Domain:
        """Return the domain in which the workload runs."""
        return self.guest.domain

    @property
    def station(self) -> Station:
        """Return the domain's first interface: its own card, a vif, or domain 0's on a bridge.

        Raises: NoWay.
        """
        dedicated = self.network.dedicated.get(self.domain.domid)
        if dedicated is not None:
            return dedicated
        first = self._devices.first_interface() if self.domain.domid else self.network.first.own
        if first is None:
            raise NoWay(f"'{self.domain.name}' has no interface")
        return first

    @property
    def outside(self) -> Card:
        """Return the card behind which are the hosts outside. Raises: NoWay."""
        dedicated = self.network.dedicated.get(self.domain.domid)
        if dedicated is not None:
            return dedicated.card
        bridge = self._bridge
        card = self.network.port(bridge.name).card
        if card is None:
            raise NoWay(f"bridge {bridge.name} has no card")
        return card

    @property
    def _bridge(self) -> Bridge:
        """Return the bridge of the first interface. Raises: NoWay."""
        name = self.domain.name
        if self.domain.domid in self.network.dedicated:
            raise NoWay(f"'{name}' has a card of its own, which is on no bridge")
        if self.domain.domid and self._devices.vifs:
            return self._devices.vifs[0].bridge
        if self.domain.domid or self.network.first.own is None:
            raise NoWay(f"'{name}' has no interface")
        return self.network.first.bridge

    def peer(self, name: str) -> "Site":
        """Return the site of another domain's program.

        Raises: NoWay while there is no such domain, or none on the same bridge.
        """
        found = self.find(name)
        if found is None:
            raise NoWay(f"there is no domain '{name}'")
        if found.guest is self.guest:
            raise NoWay(f"'{name}' is the domain itself")
        there = Site(found.guest, found.devices, self.stream, self.network, self.find, self.mhz, [])
        if there._bridge is not self._bridge:
            raise NoWay(f"'{name}' is not on bridge {self._bridge.name}")
        return there

    @property
    def files(self) -> FileCache:
        """Return the page cache of the first disk."""
        files = self._devices.files
        assert files is not None
        return files

    @property
    def disk(self) -> FirstDisk:
        """Return the disk with the files of the domain."""
        return self._devices.first_disk()

    def lun(self, store: str) -> FirstDisk:
        """Return a LUN that the domain attaches itself."""
        initiator = self._devices.initiator
        assert initiator is not None
        return initiator.lun(store)


class Workload(Protocol):
    """A running workload. All state is in its attributes; handlers are bound methods."""

    def start(self) -> None:
        """Start the workload, when the domain is unpaused for the first time."""
        ...

    def results(self) -> Mapping[str, Any]:
        """Return the workload's results, `kind` first, in base units."""
        ...


class Latency:
    """A distribution of durations with exact mean and maximum, and quantiles within 1.6 %."""

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

    def add_all(self, ns: int, count: int) -> None:
        """Count `count` durations of `ns` each."""
        self.add(ns)
        more = count - 1
        self.count += more
        self.sum_ns += more * ns
        shift = max(0, ns.bit_length() - self._BITS)
        self._buckets[ns >> shift << shift] += more

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
