"""The small machine under SEDF: its parameters, and time as SEDF counts it."""

from typing import Any

from hypervisor.domainsettings import SedfParameters
from tests.support.model.schedsim import SWITCH_NS, Sim

MS = 1_000_000


class SedfSim(Sim):
    """A Sim that counts how often each vcpu got a pcpu: SEDF charges the switch to its slice."""

    def __init__(self, rules="3.0.3", topology=None):
        super().__init__("sedf", rules, topology)
        self.sedf: Any = self.scheduler
        self.switches = {}

    def add_with(self, period_ms=0, slice_ms=0, *, extratime=False, weight=0, **given):
        """Add a domain with these parameters, which always runs by default; return it."""
        domain = self.add(**{**given, "awake": False})
        period_ns, slice_ns = int(period_ms * MS), int(slice_ms * MS)
        parameters = SedfParameters(period_ns, slice_ns, 0, extratime=extratime, weight=weight)
        self.sedf.adjust_sedf(domain, parameters)
        for vcpu in domain.vcpus if given.get("awake", True) else ():
            self.wake(vcpu)
        return domain

    def granted_ns(self, domain):
        """Return its time on pcpus, switches included."""
        return self.running_ns(domain) + SWITCH_NS * sum(
            self.switches.get(vcpu, 0) for vcpu in domain.vcpus
        )

    def _decide(self, pcpu):
        before = pcpu.current
        super()._decide(pcpu)
        after = pcpu.current
        if after is not None and after is not before:
            self.switches[after] = self.switches.get(after, 0) + 1
