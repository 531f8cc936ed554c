"""A real host whose hypervisor is a fake with trace rings."""

from hypervisor.live.agent.tracing.buffers import Tracing
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.tracer import BufferTracer
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_rings import FakeRings, change
from tests.support.live.hosts import HeldHost

MS = 1_000_000
PCPUS = 2
KHZ = 2_000_000
_BOOTED_TSC = 1 << 40


class TracedHost(HeldHost):
    """On each pcpu a vcpu of domain 1 runs and waits in turn, a change every 50 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.privcmd = FakePrivcmd()
        self.machine = self.privcmd.machine
        self.rings = FakeRings(self.privcmd, PCPUS)
        self.tracer = BufferTracer(
            Tracing(Xen(self.privcmd), self.privcmd, lambda seconds: None),
            self.present_ns,
            pcpus=PCPUS,
            khz=KHZ,
        )
        self._changes = 0
        self.clock.passed = self._passed

    def _passed(self) -> None:
        self.follower.look()
        while (self._changes + 1) * 50 * MS <= self.present_ns():
            self._changes += 1
            tsc = _BOOTED_TSC + self._changes * 50 * MS * KHZ // 1_000_000
            for pcpu in range(PCPUS):
                old = self._changes % 2
                self.rings.emit(pcpu, change(tsc + pcpu, 1, pcpu, old, 1 - old), tsc)
