"""A poller of a fake machine, with all that it reads."""

from dataclasses import dataclass, field

from hypervisor.live.agent.polling.host import Poller
from hypervisor.live.agent.report.fields import DomainReport, HostReport
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fakes import FACTS, FakeClock, FakeDevices, FakeStore
from tests.support.live.machine import Machine


@dataclass
class Polled:
    """What a poller reads, to be changed between polls."""

    privcmd: FakePrivcmd = field(default_factory=FakePrivcmd)
    store: FakeStore = field(default_factory=FakeStore)
    devices: FakeDevices = field(default_factory=FakeDevices)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.poller = Poller(Xen(self.privcmd), self.store, self.devices, FACTS, self.clock)

    @property
    def machine(self) -> Machine:
        return self.privcmd.machine

    def poll(self, after_ns: int = 0) -> HostReport:
        self.clock.now += after_ns
        return self.poller.poll()

    def domain(self, domid: int, after_ns: int = 0) -> DomainReport:
        return next(one for one in self.poll(after_ns).domains if one.domid == domid)
