"""A very small machine around a scheduler, which shows and checks who gets the pcpus.

Virtual cpus compute for ever, or run and sleep in turn. A context switch costs 20 us, so that
slices do not stay in phase with ticks. Every decision is checked as it is made.
"""

from hypervisor.model.cpu.sched import SCHEDULERS
from hypervisor.model.cpu.sched.context import SchedContext
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import Domain, Pcpu, Vcpu
from hypervisor.model.timing.clock import Clock, Timer
from tests.support.model.hosts import bare_domain

TICK_NS = 10_000_000
SWITCH_NS = 20_000
ANY_PCPU = (1 << 64) - 1


class Life:
    """What a vcpu does, and what it has got."""

    def __init__(self, run_ns: int, sleep_ns: int) -> None:
        self.run_ns = run_ns  # 0: for ever
        self.sleep_ns = sleep_ns
        self.left_ns = run_ns
        self.is_awake = False
        self.running_ns = 0
        self.woken_ns = 0
        self.wake_latencies_ns: list[int] = []
        self.is_latency_open = False


class Sim:
    """The machine; `run(seconds)` lets virtual time pass."""

    def __init__(
        self, scheduler: str, rules: str, topology: Topology | None = None, *, ticks: bool = True
    ) -> None:
        self.topology = topology or Topology(1, 1, 1)
        self.clock = Clock()
        self.pcpus = [Pcpu(number) for number in range(self.topology.pcpus)]
        self.started_ns = [0] * self.topology.pcpus
        self.slices: list[Timer | None] = [None] * self.topology.pcpus
        self.ends: list[Timer | None] = [None] * self.topology.pcpus
        self.domains: list[Domain] = []
        self.lives: dict[Vcpu, Life] = {}
        self.park_log: list[tuple[int, str, Vcpu]] = []
        self.context = SchedContext(
            self.clock, self.topology, self.pcpus, self._decide_tickled, self._park, self._unpark
        )
        self.scheduler = SCHEDULERS[scheduler](self.context, rules)
        for pcpu in range(self.topology.pcpus):
            self.tickle(pcpu)
        if ticks:
            self.clock.schedule(TICK_NS, self._tick)

    # The side of the scheduler

    def _park(self, vcpu: Vcpu) -> None:
        self.park_log.append((self.clock.now, "park", vcpu))
        vcpu.parked = True
        self._update(vcpu)
        self.scheduler.sleep(vcpu)

    def _unpark(self, vcpu: Vcpu) -> None:
        self.park_log.append((self.clock.now, "unpark", vcpu))
        vcpu.parked = False
        self._update(vcpu)
        if vcpu.runnable:
            self.scheduler.wake(vcpu)

    # The side of the test

    def add(
        self,
        *,
        domid: int | None = None,
        weight: int = 256,
        cap: int = 0,
        vcpus: int = 1,
        run_ns: int = 0,
        sleep_ns: int = 0,
        affinity: int = ANY_PCPU,
        awake: bool = True,
    ) -> Domain:
        domid = len(self.domains) + 1 if domid is None else domid
        domain = bare_domain(domid, self.clock.now)
        self.domains.append(domain)
        self.scheduler.add_domain(domain, weight, cap)
        for vcpu_id in range(vcpus):
            vcpu = Vcpu(domain, vcpu_id, self.clock.now, affinity)
            domain.vcpus.append(vcpu)
            self.lives[vcpu] = Life(run_ns, sleep_ns)
            self.scheduler.add_vcpu(vcpu)
            if awake:
                self.wake(vcpu)
        return domain

    def current(self, pcpu: int) -> Vcpu | None:
        return self.context.current(pcpu)

    def tickle(self, pcpu: int) -> None:
        self.context.tickle(pcpu)

    def wake(self, vcpu: Vcpu) -> None:
        life = self.lives[vcpu]
        life.is_awake = True
        self._update(vcpu)
        if vcpu.runnable:
            life.woken_ns = self.clock.now
            life.is_latency_open = not vcpu.is_running
            self.scheduler.wake(vcpu)

    def sleep(self, vcpu: Vcpu) -> None:
        self.lives[vcpu].is_awake = False
        was_runnable = vcpu.runnable
        self._update(vcpu)
        if was_runnable:
            self.scheduler.sleep(vcpu)

    def set_affinity(self, vcpu: Vcpu, affinity: int) -> None:
        vcpu.affinity = affinity
        self.scheduler.affinity_changed(vcpu)

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + int(seconds * 1_000_000_000))
        for pcpu in self.pcpus:
            self._charge(pcpu)

    def vcpus(self) -> list[Vcpu]:
        return [vcpu for domain in self.domains for vcpu in domain.vcpus]

    def running_ns(self, domain: Domain) -> int:
        """Return the time that the domain's vcpus have had, without switches."""
        return sum(self.lives[vcpu].running_ns for vcpu in domain.vcpus)

    def shares(self) -> list[float]:
        """Return the percent of one pcpu that each domain had since the start."""
        return [100 * self.running_ns(domain) / self.clock.now for domain in self.domains]

    # The machine

    def _update(self, vcpu: Vcpu) -> None:
        vcpu.runnable = self.lives[vcpu].is_awake and not vcpu.parked

    def _tick(self, _: object) -> None:
        self.scheduler.tick(self.clock.now)
        self.clock.schedule(self.clock.now + TICK_NS, self._tick)

    def _charge(self, pcpu: Pcpu) -> None:
        if pcpu.current is not None:
            life = self.lives[pcpu.current]
            ran_ns = max(0, self.clock.now - self.started_ns[pcpu.number])
            self.started_ns[pcpu.number] += ran_ns
            life.running_ns += ran_ns
            life.left_ns -= ran_ns

    def _decide_tickled(self) -> None:
        for pcpu in self.context.tickled:  # grows while decisions tickle other pcpus
            pcpu.is_tickled = False
            self._decide(pcpu)
        self.context.tickled.clear()

    def _decide(self, pcpu: Pcpu) -> None:
        now = self.clock.now
        number = pcpu.number
        self._charge(pcpu)
        for timer in (self.slices[number], self.ends[number]):
            if timer is not None:
                self.clock.cancel(timer)
        self.ends[number] = None
        previous = pcpu.current
        decision = self.scheduler.pick(number, now)
        vcpu = decision.vcpu
        if vcpu is not previous:
            if previous is not None:
                previous.is_running = False
            if vcpu is not None:
                assert not vcpu.is_running, "a vcpu runs on two pcpus"
                vcpu.is_running = True
            pcpu.current = vcpu
            self.started_ns[number] = now + SWITCH_NS
        starts_ns = max(now, self.started_ns[number])
        self.slices[number] = self.clock.schedule(starts_ns + decision.slice_ns, self._decide, pcpu)
        if vcpu is None:
            return
        assert vcpu.runnable, "a vcpu runs that does not want to"
        assert vcpu.processor == number, "a vcpu runs away from its home"
        assert vcpu.affinity >> number & 1, "a vcpu runs where it is not allowed"
        life = self.lives[vcpu]
        if life.is_latency_open:
            life.is_latency_open = False
            life.wake_latencies_ns.append(now - life.woken_ns)
        if life.run_ns:
            end_ns = starts_ns + max(0, life.left_ns)
            self.ends[number] = self.clock.schedule(end_ns, self._end_burst, pcpu)

    def _end_burst(self, pcpu: Pcpu) -> None:
        vcpu = pcpu.current
        assert vcpu is not None
        life = self.lives[vcpu]
        self._charge(pcpu)
        self.ends[pcpu.number] = None
        life.left_ns = life.run_ns
        self.sleep(vcpu)
        self.clock.schedule(self.clock.now + life.sleep_ns, self.wake, vcpu)
