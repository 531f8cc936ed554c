"""A made up host that Xenoprof profiles: domain 0, and guests of two vcpus."""

from dataclasses import dataclass, field
from uuid import UUID

from hypervisor.live.agent.xenoprof.profiling import Profiling
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_xenoprof import FakeXenoprof
from tests.support.live.machine import Domain, Machine, Vcpu

WEB, DB = 1, 2


def guest(domid: int, vcpus: int = 2, cpu_ns: int = 0) -> Domain:
    """Return a guest whose uuid ends with its id."""
    made = [Vcpu() for _ in range(vcpus)]
    return Domain(domid, uuid=UUID(int=domid), vcpus=made, cpu_ns=cpu_ns)


@dataclass
class ProfiledHost:
    """Its hypervisor, and what profiles it."""

    machine: Machine = field(default_factory=lambda: Machine([Domain(0), guest(WEB), guest(DB)]))

    def __post_init__(self) -> None:
        self.xenoprof = FakeXenoprof(self.machine)
        self.privcmd = FakePrivcmd(self.machine, xenoprof=self.xenoprof)
        self.profiling = Profiling(self.privcmd)

    def killed(self) -> None:
        """Have the process killed that profiles: the kernel unmaps, and Xen goes on."""
        for buffers in self.xenoprof.buffers.values():
            buffers.is_mapped = False
