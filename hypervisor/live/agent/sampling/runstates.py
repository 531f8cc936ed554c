"""Adds up how long vcpus waited, blocked and were capped, from samples and exact running times.

How long a vcpu has run is known exactly. The rest of the time is divided as the samples of that
time were that found it not running; one that has always run has no rest, and needs no sample. A
domain that reaches its cap is held back by it: its waits count as capped then.
"""

from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional

from hypervisor.live.agent.report.fields import SamplerReport, VcpuReport
from hypervisor.live.agent.sampling.flags import Counts
from hypervisor.live.agent.xen.life import Life, VcpuOfLife
from hypervisor.live.agent.xen.records import DomainInfo

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_MOST_SURPLUS_NS = 1000000000  # clocks are read some milliseconds apart; more is no clock
_MOST_REST = 0.01  # of the time, in which one has always run: clocks are read one after the other
_CAP_REACHED = 0.66  # of the cap, in one poll: a scheduler keeps a cap, but not to the point


class Samples(Protocol):
    """What counts samples: a `Sampler`."""

    problem: Optional[str]  # why the last round could not be made

    def drain(self) -> Dict[VcpuOfLife, Counts]:
        """Return what was counted since the last time."""

    def cost(self) -> SamplerReport:
        """Return what sampling has cost so far."""


class _Times(NamedTuple):
    """What has been added up of one vcpu, and where the next addition begins."""

    at_ns: int
    cpu_ns: int
    counts: Counts = Counts()  # samples since then
    runnable_ns: int = 0
    blocked_ns: int = 0
    offline_ns: int = 0
    capped_ns: int = 0
    surplus_ns: int = 0  # by which it ran longer than time passed, so read: taken off the next
    is_known: bool = False  # it has been added to, or there was nothing to add


class Runstates:
    """The times of all vcpus by runstate, kept by the lives of domains."""

    def __init__(self, sampler: Samples) -> None:
        self._sampler = sampler
        self._times: Dict[VcpuOfLife, _Times] = {}
        self._drained: Dict[VcpuOfLife, Counts] = {}

    def begin(self, lives: Iterable[Life]) -> None:
        """Begin a poll that has found these domains; forget all others."""
        there = set(lives)
        self._times = {vcpu: one for vcpu, one in self._times.items() if vcpu[:2] in there}
        self._drained = self._sampler.drain()

    def of(
        self, domain: DomainInfo, vcpus: List[VcpuReport], cap: Optional[int], now_ns: int
    ) -> List[VcpuReport]:
        """Return the vcpus of a domain with their times; None where there is no sample yet.

        One that has run all the time has waited for none of it, sample or not.
        """
        is_capped = cap is not None and 0 < cap / 100 * _CAP_REACHED <= self._ran(
            domain, vcpus, now_ns
        )
        return [self._vcpu(domain, vcpu, now_ns, is_capped) for vcpu in vcpus]

    @property
    def problem(self) -> Optional[str]:
        """Why no samples can be taken now."""
        return self._sampler.problem

    def cost(self) -> SamplerReport:
        """Return what sampling has cost."""
        return self._sampler.cost()

    def _vcpu(
        self, domain: DomainInfo, vcpu: VcpuReport, now_ns: int, is_capped: bool
    ) -> VcpuReport:
        if vcpu.cpu_ns is None:
            return vcpu
        life = (domain.domid, domain.uuid, vcpu.vcpu)
        kept = self._times.get(life)
        if kept is None:
            times = _Times(now_ns, vcpu.cpu_ns)
        elif vcpu.cpu_ns < kept.cpu_ns or now_ns < kept.at_ns:  # what ran is unknown
            times = kept._replace(at_ns=now_ns, cpu_ns=vcpu.cpu_ns, counts=Counts())
        else:
            counts = kept.counts.plus(self._drained.get(life, Counts()))
            times = _added(kept._replace(counts=counts), now_ns, vcpu.cpu_ns, is_capped)
        self._times[life] = times
        if not times.is_known:
            return vcpu
        return vcpu._replace(
            runnable_ns=times.runnable_ns,
            blocked_ns=times.blocked_ns,
            offline_ns=times.offline_ns,
            capped_ns=times.capped_ns,
        )

    def _ran(self, domain: DomainInfo, vcpus: List[VcpuReport], now_ns: int) -> float:
        """Return how many pcpus a domain has kept running since the last poll."""
        ran = 0.0
        for vcpu in vcpus:
            kept = self._times.get((domain.domid, domain.uuid, vcpu.vcpu))
            if kept is not None and vcpu.cpu_ns is not None and now_ns > kept.at_ns:
                ran += max(0, vcpu.cpu_ns - kept.cpu_ns) / (now_ns - kept.at_ns)
        return ran


def _added(times: _Times, now_ns: int, cpu_ns: int, is_capped: bool) -> _Times:
    """Divide the time since the last addition; wait for a sample to divide it by."""
    waiting, blocked, offline = times.counts
    samples = waiting + blocked + offline
    rest_ns = now_ns - times.at_ns - (cpu_ns - times.cpu_ns) - times.surplus_ns
    if samples == 0:
        has_always_run = now_ns > times.at_ns and rest_ns <= (now_ns - times.at_ns) * _MOST_REST
        return times._replace(is_known=times.is_known or has_always_run)
    surplus_ns = min(max(0, -rest_ns), _MOST_SURPLUS_NS)
    rest_ns = max(0, rest_ns)
    waiting_ns = rest_ns * waiting // samples
    blocked_ns = rest_ns * blocked // samples
    return _Times(
        at_ns=now_ns,
        cpu_ns=cpu_ns,
        runnable_ns=times.runnable_ns + (0 if is_capped else waiting_ns),
        blocked_ns=times.blocked_ns + blocked_ns,
        offline_ns=times.offline_ns + rest_ns - waiting_ns - blocked_ns,
        capped_ns=times.capped_ns + (waiting_ns if is_capped else 0),
        surplus_ns=surplus_ns,
        is_known=True,
    )
