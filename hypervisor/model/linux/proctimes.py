"""Accounts for the time of a domain's vcpus as its kernel does.

A kernel on Xen counts ticks: those that runstates show as stolen (runnable or offline) are steal;
blocked ones are idle, or iowait where a task on that vcpu waits for a disk; the others are user or
system, by what the tick has interrupted. A tick never interrupts the hypervisor: its work for a
guest (hypercalls, faults) is system time there. Here all times are exact, not sampled.
Source: Linux 2.6.18-xen, arch/i386/kernel/time-xen.c (timer_interrupt), kernel/sched.c.
"""

from typing import NamedTuple

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.io.blkstat import IoWait
from hypervisor.model.timing.clock import Clock

# kernel/sched.c and include/linux/sched.h of 2.6.18: averages over 1, 5 and 15 minutes in
# fixed point of 11 bits, each decayed every 5 s.
LOAD_PERIOD_NS = 5_000_000_000
LOAD_BITS = 11
LOAD_DECAY = (1884, 2014, 2037)


class CpuTimes(NamedTuple):
    """CPU times in ns; user and system include nice, irq and softirq."""

    user: int
    system: int
    idle: int
    iowait: int
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

    def of_vcpu(self, vcpu: Vcpu, io_wait: IoWait, now_ns: int) -> CpuTimes:
        """Return the times of one vcpu, whose sum is the time that it has been plugged in.

        User time is only known by domain: each vcpu gets the same share of its running time. An
        unmodified kernel (HVM) does not see runstates: it counts stolen ticks late, as user or
        system time.
        """
        domain = vcpu.domain
        running, runnable, blocked, offline = vcpu.runstate.at(now_ns)
        steal = runnable + offline - self._unseen.get((domain.domid, vcpu.vcpu_id), 0)
        if not vcpu.online:
            steal -= now_ns - vcpu.runstate.since_ns
        if domain.kind == "hvm":
            running, steal = running + steal, 0
        all_ns = domain.cpu_ns(now_ns)
        user = running * domain.mode_ns[0] // all_ns if all_ns else 0
        iowait = io_wait.waited_ns(vcpu.vcpu_id, now_ns)
        return CpuTimes(user, running - user, blocked - iowait, iowait, steal)

    def of_domain(self, domain: Domain, io_wait: IoWait, now_ns: int) -> CpuTimes:
        """Return the times of all vcpus, also of unplugged ones. They only grow."""
        each = [self.of_vcpu(vcpu, io_wait, now_ns) for vcpu in domain.vcpus]
        user, system, idle, iowait, steal = (sum(column) for column in zip(*each, strict=True))
        if domain.kind != "hvm":  # exact, and it only grows
            user, system = domain.mode_ns[0], user + system - domain.mode_ns[0]
        return CpuTimes(user, system, idle, iowait, steal)


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

    def text(self) -> str:
        """Return the three averages as /proc/loadavg writes them (fs/proc/proc_misc.c)."""
        rounded = (load + (1 << LOAD_BITS) // 200 for load in self._loads)
        return " ".join(
            f"{load >> LOAD_BITS}.{(load & ((1 << LOAD_BITS) - 1)) * 100 >> LOAD_BITS:02}"
            for load in rounded
        )


def running_tasks(domain: Domain) -> list[TaskIdentity]:
    """Return the running and runnable tasks, kernel threads included."""
    found = []
    for vcpu in domain.vcpus:
        found += [work.task for work in vcpu.tasks]
        if vcpu.current is not None and not vcpu.current_is_interrupt:
            found.append(vcpu.current.task)
    return found
