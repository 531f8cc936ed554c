"""Accounts for the time of a domain's vcpus as its kernel does.

A kernel on Xen counts ticks: those that runstates show as stolen (runnable or offline, be it by a
cap) are steal;
blocked ones are idle, or iowait where a task on that vcpu waits for a disk; the others are user,
system, irq or softirq time, by what the tick has interrupted. A tick never interrupts the
hypervisor: its work for a guest (hypercalls, faults) belongs to the code that asked for it. Here
all times are exact, not sampled.
Source: Linux 2.6.18-xen, arch/i386/kernel/time-xen.c (timer_interrupt), kernel/sched.c.
"""

from typing import Final, NamedTuple

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.linux.system import System
from hypervisor.model.timing.clock import Clock

# kernel/sched.c and include/linux/sched.h of 2.6.18: averages over 1, 5 and 15 minutes in
# fixed point of 11 bits, each decayed every 5 s.
LOAD_PERIOD_NS = 5_000_000_000
LOAD_BITS = 11
LOAD_DECAY = (1884, 2014, 2037)
USER_TICK_NS: Final = 10_000_000  # in which /proc tells times: USER_HZ is 100


class CpuTimes(NamedTuple):
    """CPU times in ns, as in the lines of /proc/stat. No task is nice."""

    user: int
    system: int
    idle: int
    iowait: int
    irq: int
    softirq: int
    steal: int


class KernelTimes:
    """Keeps the times of all domains of a host.

    A kernel does not see the time of its vcpus before it booted, nor while they were unplugged.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boots: dict[int, int] = {}
        self._unseen: dict[tuple[int, int], int] = {}

    def booting(self, domain: Domain) -> None:
        """Note that the kernel boots; the time since the domain was built does not count."""
        self._boots[domain.domid] = self._clock.now
        for vcpu in domain.vcpus:
            if vcpu.online:
                self.plugging(vcpu)

    def plugging(self, vcpu: Vcpu) -> None:
        """Note that a vcpu will come online; call this while it is still offline."""
        key = (vcpu.domain.domid, vcpu.vcpu_id)
        offline_ns = self._clock.now - vcpu.runstate.since_ns
        self._unseen[key] = self._unseen.get(key, 0) + offline_ns

    def forget(self, domid: int) -> None:
        """Forget a domain that has been destroyed."""
        self._boots.pop(domid, None)
        for key in [key for key in self._unseen if key[0] == domid]:
            del self._unseen[key]

    def uptime_ns(self, domain: Domain, now_ns: int) -> int:
        """Return the time since the kernel booted."""
        return now_ns - self._boots.get(domain.domid, domain.created_ns)

    def of_vcpu(self, vcpu: Vcpu, system: System, now_ns: int) -> CpuTimes:
        """Return the times of one vcpu, whose sum is the time that it has been plugged in.

        What it ran is only known by domain: each vcpu gets the same share of its running time. An
        unmodified kernel (HVM) does not see runstates: it counts stolen ticks late, as user or
        system time.
        """
        domain = vcpu.domain
        running, runnable, blocked, offline, capped = vcpu.runstate.at(now_ns)
        steal = runnable + offline + capped - self._unseen.get((domain.domid, vcpu.vcpu_id), 0)
        if not vcpu.online:
            steal -= now_ns - vcpu.runstate.since_ns
        if domain.kind == "hvm":
            running, steal = running + steal, 0
        all_ns = domain.cpu_ns(now_ns) or 1
        irq, softirq = (
            running * ns // all_ns for ns in self.interrupts_ns(domain, system.guest, now_ns)
        )
        user = running * domain.mode_ns[0] // all_ns
        iowait = system.devices.io_wait.waited_ns(vcpu.vcpu_id, now_ns)
        inside = running - user - irq - softirq
        return CpuTimes(user, inside, blocked - iowait, iowait, irq, softirq, steal)

    def of_domain(self, system: System, now_ns: int) -> CpuTimes:
        """Return the times of all vcpus, also of unplugged ones. They only grow.

        User and system time together are those of all processes and kernel threads.
        """
        domain = system.domain
        each = [self.of_vcpu(vcpu, system, now_ns) for vcpu in domain.vcpus]
        times = CpuTimes(*(sum(column) for column in zip(*each, strict=True)))
        if domain.kind == "hvm":
            return times
        irq, softirq = self.interrupts_ns(domain, system.guest, now_ns)
        user = domain.mode_ns[0]
        inside = domain.cpu_ns(now_ns) - user - irq - softirq
        return times._replace(user=user, system=inside, irq=irq, softirq=softirq)

    def interrupts_ns(self, domain: Domain, guest: Guest, now_ns: int) -> tuple[int, int]:
        """Return the time in handlers of interrupts, and that in softirqs."""
        softirq = sum(times.softirq_ns for times in domain.path_ns.values())
        return domain.cpu_ns(now_ns) - guest.table.all_ns() - softirq, softirq


class LoadAverages:
    """The load of one domain over 1, 5 and 15 minutes."""

    __slots__ = ("_loads",)

    def __init__(self) -> None:
        self._loads = [0, 0, 0]

    def sample(self, active: int) -> None:
        """Add the number of tasks that run or wait for a pcpu or disk, every LOAD_PERIOD_NS."""
        for index, decay in enumerate(LOAD_DECAY):
            grown = self._loads[index] * decay
            grown += (active << LOAD_BITS) * ((1 << LOAD_BITS) - decay)
            self._loads[index] = grown >> LOAD_BITS

    def hundredths(self) -> list[int]:
        """Return the three averages in 1/100, rounded as in fs/proc/proc_misc.c."""
        return [(load + (1 << LOAD_BITS) // 200) * 100 >> LOAD_BITS for load in self._loads]

    def text(self) -> str:
        """Return the three averages as /proc/loadavg writes them."""
        return " ".join(f"{load // 100}.{load % 100:02}" for load in self.hundredths())


def running_tasks(domain: Domain) -> list[TaskIdentity]:
    """Return the running and runnable tasks, kernel threads included."""
    found = []
    for vcpu in domain.vcpus:
        found += [work.task for work in vcpu.tasks]
        if vcpu.current is not None and not vcpu.current_is_interrupt:
            found.append(vcpu.current.task)
    return found
