"""A very small machine around a scheduler, which shows and checks who gets the pcpus.

Virtual cpus compute for ever, or run and sleep in turn. A context switch costs 20 us, so that
slices do not stay in phase with ticks. Every decision is checked as it is made.
"""

from typing import Any

from hypervisor.model.cpu.sched import SCHEDULERS
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.timing.clock import Clock, Timer

TICK_NS = 10_000_000
SWITCH_NS = 20_000
ANY_PCPU = (1 << 64) - 1


class SimDomain:
    def __init__(self, domid: int) -> None:
        self.domid = domid
        self.sched: Any = None
        self.vcpus: list[SimVcpu] = []

    @property
    def running_ns(self) -> int:
        return sum(vcpu.running_ns for vcpu in self.vcpus)


class SimVcpu:
    def __init__(self, domain: SimDomain, vcpu_id: int, run_ns: int, sleep_ns: int) -> None:
        self.domain = domain
        self.vcpu_id = vcpu_id
        self.processor = 0
        self.affinity = ANY_PCPU
        self.runnable = False
        self.is_running = False
        self.sched: Any = None
        self.run_ns = run_ns  # 0: for ever
        self.sleep_ns = sleep_ns
        self.left_ns = run_ns
        self.is_awake = False
        self.is_parked = False
        self.running_ns = 0
        self.woken_ns = 0
        self.wake_latencies_ns: list[int] = []
        self.is_latency_open = False

    def update(self) -> None:
        self.runnable = self.is_awake and not self.is_parked


class Sim:
    """A SchedContext; `run(seconds)` lets virtual time pass."""

    def __init__(
        self, scheduler: str, rules: str, topology: Topology | None = None, *, ticks: bool = True
    ) -> None:
        self.topology = topology or Topology(1, 1, 1)
        self.clock = Clock()
        self.currents: list[SimVcpu | None] = [None] * self.topology.pcpus
        self.started_ns = [0] * self.topology.pcpus
        self.slices: list[Timer | None] = [None] * self.topology.pcpus
        self.ends: list[Timer | None] = [None] * self.topology.pcpus
        self.is_tickled = [False] * self.topology.pcpus
        self.domains: list[SimDomain] = []
        self.park_log: list[tuple[int, str, SimVcpu]] = []
        context: Any = self  # a SchedContext for vcpus of its own kind
        self.scheduler = SCHEDULERS[scheduler](context, rules)
        for pcpu in range(self.topology.pcpus):
            self.tickle(pcpu)
        if ticks:
            self.clock.schedule(TICK_NS, self._tick)

    # The side of the scheduler

    def current(self, pcpu: int) -> SimVcpu | None:
        return self.currents[pcpu]

    def tickle(self, pcpu: int) -> None:
        if not self.is_tickled[pcpu]:
            self.is_tickled[pcpu] = True
            self.clock.schedule(self.clock.now, self._decide, pcpu)

    def park(self, vcpu: SimVcpu) -> None:
        self.park_log.append((self.clock.now, "park", vcpu))
        vcpu.is_parked = True
        vcpu.update()
        self.scheduler.sleep(vcpu)

    def unpark(self, vcpu: SimVcpu) -> None:
        self.park_log.append((self.clock.now, "unpark", vcpu))
        vcpu.is_parked = False
        vcpu.update()
        if vcpu.runnable:
            self.scheduler.wake(vcpu)

    # The side of the test

    def add(
        self,
        *,
        weight: int = 256,
        cap: int = 0,
        vcpus: int = 1,
        run_ns: int = 0,
        sleep_ns: int = 0,
        affinity: int = ANY_PCPU,
        awake: bool = True,
    ) -> SimDomain:
        domain = SimDomain(len(self.domains) + 1)
        self.domains.append(domain)
        self.scheduler.add_domain(domain, weight, cap)
        for vcpu_id in range(vcpus):
            vcpu = SimVcpu(domain, vcpu_id, run_ns, sleep_ns)
            vcpu.affinity = affinity
            domain.vcpus.append(vcpu)
            self.scheduler.add_vcpu(vcpu)
            if awake:
                self.wake(vcpu)
        return domain

    def wake(self, vcpu: SimVcpu) -> None:
        vcpu.is_awake = True
        vcpu.update()
        if vcpu.runnable:
            vcpu.woken_ns = self.clock.now
            vcpu.is_latency_open = not vcpu.is_running
            self.scheduler.wake(vcpu)

    def sleep(self, vcpu: SimVcpu) -> None:
        vcpu.is_awake = False
        was_runnable = vcpu.runnable
        vcpu.update()
        if was_runnable:
            self.scheduler.sleep(vcpu)

    def set_affinity(self, vcpu: SimVcpu, affinity: int) -> None:
        vcpu.affinity = affinity
        self.scheduler.affinity_changed(vcpu)

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + int(seconds * 1_000_000_000))
        for pcpu in range(self.topology.pcpus):
            self._charge(pcpu)

    def vcpus(self) -> list[SimVcpu]:
        return [vcpu for domain in self.domains for vcpu in domain.vcpus]

    def shares(self) -> list[float]:
        """Return the percent of one pcpu that each domain had since the start."""
        return [100 * domain.running_ns / self.clock.now for domain in self.domains]

    # The machine

    def _tick(self, _: object) -> None:
        self.scheduler.tick(self.clock.now)
        self.clock.schedule(self.clock.now + TICK_NS, self._tick)

    def _charge(self, pcpu: int) -> None:
        vcpu = self.currents[pcpu]
        if vcpu is not None:
            ran_ns = max(0, self.clock.now - self.started_ns[pcpu])
            self.started_ns[pcpu] += ran_ns
            vcpu.running_ns += ran_ns
            vcpu.left_ns -= ran_ns

    def _decide(self, pcpu: int) -> None:
        now = self.clock.now
        self.is_tickled[pcpu] = False
        self._charge(pcpu)
        for timer in (self.slices[pcpu], self.ends[pcpu]):
            if timer is not None:
                self.clock.cancel(timer)
        self.ends[pcpu] = None
        previous = self.currents[pcpu]
        vcpu, slice_ns = self.scheduler.pick(pcpu, now)
        if vcpu is not previous:
            if previous is not None:
                previous.is_running = False
            if vcpu is not None:
                assert not vcpu.is_running, "a vcpu runs on two pcpus"
                vcpu.is_running = True
            self.currents[pcpu] = vcpu
            self.started_ns[pcpu] = now + SWITCH_NS
        starts_ns = max(now, self.started_ns[pcpu])
        self.slices[pcpu] = self.clock.schedule(starts_ns + slice_ns, self._decide, pcpu)
        if vcpu is None:
            return
        assert vcpu.runnable, "a vcpu runs that does not want to"
        assert vcpu.processor == pcpu, "a vcpu runs away from its home"
        assert vcpu.affinity >> pcpu & 1, "a vcpu runs where it is not allowed"
        if vcpu.is_latency_open:
            vcpu.is_latency_open = False
            vcpu.wake_latencies_ns.append(now - vcpu.woken_ns)
        if vcpu.run_ns:
            end_ns = starts_ns + max(0, vcpu.left_ns)
            self.ends[pcpu] = self.clock.schedule(end_ns, self._end_burst, pcpu)

    def _end_burst(self, pcpu: int) -> None:
        vcpu = self.currents[pcpu]
        assert vcpu is not None
        self._charge(pcpu)
        self.ends[pcpu] = None
        vcpu.left_ns = vcpu.run_ns
        self.sleep(vcpu)
        self.clock.schedule(self.clock.now + vcpu.sleep_ns, self._wake_up, vcpu)

    def _wake_up(self, vcpu: SimVcpu) -> None:
        self.wake(vcpu)
