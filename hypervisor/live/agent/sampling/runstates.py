"""Adds up how long vcpus waited, blocked and were capped, from samples and exact running times.

How long a vcpu has run is known exactly. From poll to poll the rest of the time is divided as the
newest samples are that found it not running; one that has always run has no rest, and needs no
sample. So the times of a poll add up to the time that has passed, and no sample stands for more
than that. Time that too few samples cover is unknown: it is never added, and what was added before
goes on from where it was.

Samples cannot tell whether a vcpu waits for others or for its domain's cap. All waits of a domain
that uses its cap count as capped, and none of one that does not.
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
_OLDEST_SAMPLE_NS = 10 * 1000000000  # that divides time: a judgement, as are the next three
_MEMORY_NS = 30 * 1000000000  # how long what was is remembered, fading
_LEAST_SEEN = 0.5  # of the time that a vcpu did not run: less may be another picture than the whole
_CAP_USED = 0.5  # of the cap: a scheduler keeps a cap, but not to the point


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
    counts: Counts = Counts()  # the newest samples
    counted_ns: int = 0  # when they were
    seen_ns: float = 0  # time not running, lately, of which samples tell
    unseen_ns: float = 0  # and that on the sampler's pcpu
    runnable_ns: int = 0
    blocked_ns: int = 0
    offline_ns: int = 0
    capped_ns: int = 0
    surplus_ns: int = 0  # by which it ran longer than time passed, so read: taken off the next
    is_known: bool = False  # what was since the last poll


class Runstates:
    """The times of all vcpus by runstate, kept by the lives of domains."""

    def __init__(self, sampler: Samples) -> None:
        self._sampler = sampler
        self._times: Dict[VcpuOfLife, _Times] = {}
        self._drained: Dict[VcpuOfLife, Counts] = {}
        self._used: Dict[Life, float] = {}  # pcpus, lately
        self._now_ns = self._before_ns = 0  # of this poll and the one before

    def begin(self, lives: Iterable[Life]) -> None:
        """Begin a poll that has found these domains; forget all others."""
        there = set(lives)
        self._times = {vcpu: one for vcpu, one in self._times.items() if vcpu[:2] in there}
        self._used = {life: used for life, used in self._used.items() if life in there}
        self._drained = self._sampler.drain()
        self._before_ns = self._now_ns

    def of(
        self, domain: DomainInfo, vcpus: List[VcpuReport], cap: Optional[int], now_ns: int
    ) -> List[VcpuReport]:
        """Return the vcpus of a domain with their times; None where these are unknown now.

        One that has run all the time has waited for none of it, sample or not.
        """
        self._now_ns = now_ns
        used = self._use(domain, vcpus, now_ns)
        is_capped = cap is not None and 0 < cap / 100 * _CAP_USED <= used
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
        elif vcpu.cpu_ns < kept.cpu_ns or not self._before_ns <= kept.at_ns < now_ns:
            times = kept._replace(at_ns=now_ns, cpu_ns=vcpu.cpu_ns, is_known=False)
        else:
            counts = self._drained.get(life, Counts())
            times = _added(kept, counts, now_ns, vcpu.cpu_ns, is_capped)
        self._times[life] = times
        if not times.is_known:
            return vcpu
        return vcpu._replace(
            runnable_ns=times.runnable_ns,
            blocked_ns=times.blocked_ns,
            offline_ns=times.offline_ns,
            capped_ns=times.capped_ns,
        )

    def _use(self, domain: DomainInfo, vcpus: List[VcpuReport], now_ns: int) -> float:
        """Return how many pcpus a domain has kept running lately."""
        ran = 0.0
        passed_ns = 0
        for vcpu in vcpus:
            kept = self._times.get((domain.domid, domain.uuid, vcpu.vcpu))
            if kept is not None and vcpu.cpu_ns is not None and now_ns > kept.at_ns:
                passed_ns = now_ns - kept.at_ns
                ran += max(0, vcpu.cpu_ns - kept.cpu_ns) / passed_ns
        life = (domain.domid, domain.uuid)
        used = self._used.get(life)
        if passed_ns:
            used = ran if used is None else ran + (used - ran) * _kept_of_memory(passed_ns)
            self._used[life] = used
        return used or 0.0


def _kept_of_memory(passed_ns: int) -> float:
    return _MEMORY_NS / (_MEMORY_NS + passed_ns)


def _added(times: _Times, counts: Counts, now_ns: int, cpu_ns: int, is_capped: bool) -> _Times:
    """Divide the time since the last poll as samples are, if these cover enough of it."""
    passed_ns = now_ns - times.at_ns
    rest_ns = passed_ns - (cpu_ns - times.cpu_ns) - times.surplus_ns
    surplus_ns = min(max(0, -rest_ns), _MOST_SURPLUS_NS)
    rest_ns = max(0, rest_ns)
    seen, unseen = sum(counts[:3]), counts.unseen
    counted_ns = now_ns if seen else times.counted_ns
    if not seen:
        counts = times.counts if now_ns - counted_ns <= _OLDEST_SAMPLE_NS else Counts()
    memory = _kept_of_memory(passed_ns)
    taken = max(1, seen + unseen)
    times = times._replace(
        at_ns=now_ns,
        cpu_ns=cpu_ns,
        counts=counts,
        counted_ns=counted_ns,
        seen_ns=(times.seen_ns + rest_ns * seen / taken) * memory,
        unseen_ns=(times.unseen_ns + rest_ns * unseen / taken) * memory,
        surplus_ns=surplus_ns,
        is_known=False,
    )
    most_unseen_ns = (times.seen_ns + times.unseen_ns) * (1 - _LEAST_SEEN)
    if times.unseen_ns > max(most_unseen_ns, _MEMORY_NS * _MOST_REST):
        return times
    if not any(counts[:3]):
        return times._replace(is_known=rest_ns <= passed_ns * _MOST_REST)
    return _divided(times, rest_ns, is_capped)


def _divided(times: _Times, rest_ns: int, is_capped: bool) -> _Times:
    samples = sum(times.counts[:3])
    waiting_ns = rest_ns * times.counts.waiting // samples
    blocked_ns = rest_ns * times.counts.blocked // samples
    return times._replace(
        runnable_ns=times.runnable_ns + (0 if is_capped else waiting_ns),
        blocked_ns=times.blocked_ns + blocked_ns,
        offline_ns=times.offline_ns + rest_ns - waiting_ns - blocked_ns,
        capped_ns=times.capped_ns + (waiting_ns if is_capped else 0),
        is_known=True,
    )
