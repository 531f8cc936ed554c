"""Puts what a trace tells into reports, while one runs: exact runstates, and waits for a pcpu.

What is counted must never go back, so a report has sums of differences: what the trace has added
while it ran, and the samples before and after. Time offline is capped time in a domain that has a
cap and that nobody has stopped. (Xen's credit scheduler takes a vcpu offline whose domain has used
up its cap. credit2 does not: there such a vcpu waits.) A trace is read at other moments than
running times are: what it tells beyond the time that has passed and was not run is left to the next
report.
"""

import threading
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from hypervisor.live.agent.report.bounds import within_bounds
from hypervisor.live.agent.report.fields import DomainReport, HostReport, VcpuReport
from hypervisor.live.agent.report.states import stands
from hypervisor.live.agent.tracing.rings import Window
from hypervisor.live.agent.tracing.runstates import BLOCKED, OFFLINE, RUNNABLE, RUNNING, Traced
from hypervisor.live.agent.xen.life import VcpuOfLife

_RUNSTATES, _WAITS, _TRACE = "runstates", "waits", "trace"

_Times = Tuple[int, int, int, int]  # runnable, blocked, offline, capped
_NONE = (0, 0, 0, 0)
_MOST_OWED_NS = 1000000000  # a round of the rings comes several times a second; more is no delay


class _Kept(NamedTuple):
    """What was shown of a vcpu last, and what its source had told then; None: there was none."""

    is_traced: bool
    told: Optional[_Times]
    shown: _Times
    time_ns: int = 0  # of the report, and how long the vcpu had run
    cpu_ns: Optional[int] = None
    owed: _Times = _NONE  # told, and not shown yet


class TracedReports:
    """Completes reports. One thread adds what is traced, another one reads reports."""

    def __init__(self) -> None:
        self.problem: Optional[str] = None
        """Why nothing is traced, for reports."""
        self._lock = threading.Lock()
        self._traced: Optional[Traced] = None
        self._was_traced = False
        self._kept: Dict[VcpuOfLife, _Kept] = {}
        self._time_ns = 0  # of the report that is completed
        self._lives: Dict[int, str] = {}  # uuids by domid, as the last report had them

    def begin(self, khz: int) -> None:
        """Begin a trace; `khz` is the speed of the tsc."""
        with self._lock:
            self._traced = Traced(khz)
            self._was_traced = True

    def add(self, windows: Iterable[Window]) -> None:
        """Add what one round of the rings has brought."""
        with self._lock:
            if self._traced is not None:
                self._traced.add(windows)

    def end(self) -> None:
        """End the trace."""
        with self._lock:
            self._traced = None

    def completed(self, report: HostReport) -> HostReport:
        """Return a report with what the trace tells."""
        if self.problem is not None:
            report = report._replace(problems=(*report.problems, self.problem))
        with self._lock:
            kept_domids = self._same_lives(report)
            self._time_ns = report.time_ns
            if not self._was_traced:
                return report
            if self._traced is not None:
                self._traced.keep(kept_domids)
            kept, self._kept = self._kept, {}
            domains = tuple(self._domain(domain, kept) for domain in report.domains)
            sources = dict(report.sources)
            problems = list(report.problems)
            if self._traced is not None:
                sources[_RUNSTATES] = sources[_WAITS] = _TRACE
                if self._traced.lost:
                    problems.append("trace: %d records were lost" % self._traced.lost)
            traced = report._replace(domains=domains, sources=sources, problems=tuple(problems))
        return within_bounds(traced)

    def _same_lives(self, report: HostReport) -> List[int]:
        """Return the domids but those that other domains had in the report before.

        A trace knows domids alone.
        """
        before = self._lives
        self._lives = {domain.domid: domain.uuid for domain in report.domains}
        return [domid for domid, uuid in self._lives.items() if before.get(domid, uuid) == uuid]

    def _domain(self, domain: DomainReport, kept: Dict[VcpuOfLife, _Kept]) -> DomainReport:
        vcpus: List[VcpuReport] = []
        for vcpu in domain.vcpus:
            key = (domain.domid, domain.uuid, vcpu.vcpu)
            before = kept.get(key)
            told = self._told(domain, vcpu, before)
            if told is None:
                if before is not None:  # it goes on from there when somebody tells again
                    self._kept[key] = before._replace(told=None)
                    vcpu = _without_times(vcpu)
                vcpus.append(vcpu)
                continue
            now = self._kept[key] = self._now(vcpu, told, before)
            runnable, blocked, offline, capped = now.shown
            vcpus.append(
                vcpu._replace(
                    runnable_ns=runnable,
                    blocked_ns=blocked,
                    offline_ns=offline,
                    capped_ns=capped,
                )
            )
        if self._traced is not None:
            wakes, preempted = self._traced.waits(domain.domid)
            domain = domain._replace(wake_waits=wakes, preempted_waits=preempted)
        return domain._replace(vcpus=tuple(vcpus))

    def _told(
        self, domain: DomainReport, vcpu: VcpuReport, before: Optional[_Kept]
    ) -> Optional[_Times]:
        """Return the times by the source of now; None if nothing is known of them."""
        if self._traced is None:
            return _told_by_report(vcpu)
        return self._told_by_trace(domain, vcpu, before)

    def _now(self, vcpu: VcpuReport, told: _Times, before: Optional[_Kept]) -> _Kept:
        """Return what to keep and show of a vcpu."""
        is_traced = self._traced is not None
        now = _Kept(is_traced, told, _NONE, self._time_ns, vcpu.cpu_ns)
        if before is None:
            return now._replace(shown=_told_by_report(vcpu) or _NONE)
        if before.told is None or before.is_traced != is_traced:
            return now._replace(shown=before.shown)
        grown = _of_each(
            lambda now, then, owed: max(0, now - then) + owed, told, before.told, before.owed
        )
        added, owed = _within(grown, _room_ns(before, now))
        return now._replace(shown=_of_each(int.__add__, before.shown, added), owed=owed)

    def _told_by_trace(
        self, domain: DomainReport, vcpu: VcpuReport, before: Optional[_Kept]
    ) -> Optional[_Times]:
        assert self._traced is not None
        times = self._traced.times(domain.domid, vcpu.vcpu)
        if times is None:
            state = _state(domain, vcpu)
            if state is not None:
                self._traced.note(domain.domid, vcpu.vcpu, state)
            times = self._traced.times(domain.domid, vcpu.vcpu)
            if times is None:
                return None
        last = before.told if before is not None and before.is_traced else None
        offline, capped = last[2:] if last is not None else (0, 0)
        parked = max(0, times.offline_ns - offline - capped)
        if _is_capped(domain, vcpu):
            capped += parked
        else:
            offline += parked
        return times.runnable_ns, times.blocked_ns, offline, capped


def _of_each(make: Callable[..., int], *times: _Times) -> _Times:
    runnable, blocked, offline, capped = (make(*each) for each in zip(*times))
    return runnable, blocked, offline, capped


def _room_ns(before: _Kept, now: _Kept) -> Optional[int]:
    """Return for how long a vcpu has not run between two reports; None if nobody knows."""
    passed_ns = now.time_ns - before.time_ns
    if passed_ns <= 0 or before.cpu_ns is None or now.cpu_ns is None:
        return None
    return max(0, passed_ns - max(0, now.cpu_ns - before.cpu_ns))


def _within(grown: _Times, room_ns: Optional[int]) -> Tuple[_Times, _Times]:
    """Divide what was told into what there was time for, and what is owed."""
    told_ns = sum(grown)
    if room_ns is None or told_ns <= room_ns:
        return grown, _NONE
    added = _of_each(lambda one: one * room_ns // told_ns, grown)
    left_ns = told_ns - sum(added)
    kept_ns = min(left_ns, _MOST_OWED_NS)
    return added, _of_each(lambda one, now: (one - now) * kept_ns // left_ns, grown, added)


def _without_times(vcpu: VcpuReport) -> VcpuReport:
    return vcpu._replace(runnable_ns=None, blocked_ns=None, offline_ns=None, capped_ns=None)


def _told_by_report(vcpu: VcpuReport) -> Optional[_Times]:
    if vcpu.runnable_ns is None or vcpu.blocked_ns is None:
        return None
    return vcpu.runnable_ns, vcpu.blocked_ns, vcpu.offline_ns or 0, vcpu.capped_ns or 0


def _is_capped(domain: DomainReport, vcpu: VcpuReport) -> bool:
    return bool(domain.cap_percent) and bool(vcpu.online) and not stands(domain)


def _state(domain: DomainReport, vcpu: VcpuReport) -> Optional[int]:
    """Return the runstate that the flags of a vcpu mean."""
    if vcpu.online is None:
        return None
    if vcpu.running:
        return RUNNING
    if not vcpu.online or domain.paused:
        return OFFLINE
    return BLOCKED if vcpu.blocked else RUNNABLE
