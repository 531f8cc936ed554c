"""Runs the agent of a zipapp, or of the tree, on a host that is made up.

`PYTHON agent_on_fake.py PATH DOMAINS OPTION...`: PATH is what the agent is imported from. Like the
agent, it runs on Python 3.6.
"""

import sys

sys.path.insert(0, sys.argv[1])

from hypervisor.live.agent.main import main
from hypervisor.live.agent.report.fields import (
    DomainReport,
    HostReport,
    PcpuReport,
    SamplerReport,
    VbdReport,
    VcpuReport,
    VifReport,
)

SECOND_NS = 1000000000


class FakeHost:
    """A host with some domains of two vcpus, an interface and a disk each; time goes on."""

    interface = "domctl 0x15, sysctl 0x15"

    def __init__(self, domains):
        self._domains = domains
        self._serial = 0
        self._hertz = 0

    def poll(self):
        """Return the report."""
        self._serial += 1
        now_ns = self._serial * SECOND_NS
        return HostReport(
            format=1,
            serial=self._serial,
            boot="5e2f",
            time_ns=now_ns,
            unix_ns=1764450000 * SECOND_NS + now_ns,
            read_ns=3000000,
            cpu_ns=2000000,
            hypercalls=14,
            host="xen1",
            xen_major=4,
            xen_minor=17,
            xen_extra=".7",
            scheduler="credit",
            memory_kib=1 << 20,
            domains=[self._domain(number) for number in range(self._domains)],
            pcpus=[PcpuReport(number, 0, number, 0, now_ns) for number in range(4)],
            sampler=SamplerReport(1, 0, 1000, SECOND_NS // self._hertz) if self._hertz else None,
            sources={"vcpu_time": "hypercall", "runstates": "sampled"},
            problems=["vbd: none"],
        )

    def _domain(self, number):
        grown = self._serial * 1000
        return DomainReport(
            domid=number,
            uuid=f"00000000-0000-0000-0000-{number:012d}",
            name=f"guest-{number}",
            kind="pv",
            blocked=True,
            cpu_ns=grown,
            memory_kib=131072,
            vcpus=[
                VcpuReport(vcpu, True, True, False, grown, 0, [0, 1], 1, 2, 3, 4) for vcpu in (0, 1)
            ],
            vifs=[VifReport(0, f"vif{number}.0", "00:16:3e:00:00:01", "xenbr0", grown, 1)],
            vbds=[VbdReport(51712, "xvda", "phy:/dev/vg/a", "w", read_requests=grown)],
        )

    def sample(self, hertz):
        """Note how often it is to be sampled."""
        self._hertz = hertz

    def trace(self):
        """Do nothing."""

    def close(self):
        """Do nothing."""


if __name__ == "__main__":
    domains = int(sys.argv[2])
    sys.exit(main(sys.argv[3:], version="1.2.3", open_host=lambda root: FakeHost(domains)))
