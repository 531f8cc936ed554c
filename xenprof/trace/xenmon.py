"""Computes what xenmon shows: trace records reduced to samples of 100 ms by pcpu and domain.

Per domain: ns it ran ("gotten"), was offered ("allocated"), waited for a pcpu, was blocked; how
often it was dispatched, and pages transferred to it (I/O). Source: tools/xenmon/xenbaked.c.
Times are kept by vcpu, so a domain with two vcpus may wait 200 % of the time; the original
keeps them by domain and is wrong there.
"""

from dataclasses import dataclass

import numpy as np

from hypervisor.trace_events import (
    BLOCK,
    GRANT_TRANSFER,
    IDLE_DOMAIN,
    LOST_RECORDS,
    SLEEP,
    SWITCH,
    SWITCH_INFNEXT,
    WAKE,
)
from xenprof.trace.records import Records
from xenprof.trace.states import scheduler_event

SAMPLE_NS = 100_000_000
KEEP_NS = 10_000_000_000
"""How long samples are kept, to show the last ten seconds."""
_RUNNING, _WAITING, _BLOCKED, _OFFLINE = range(4)
_GOTTEN, _ALLOCATED, _WAITED, _BLOCKED_NS, _EXECS, _IOS = range(6)
_FIELD_OF = {_RUNNING: _GOTTEN, _WAITING: _WAITED, _BLOCKED: _BLOCKED_NS}
_INFNEXT_WORDS_4 = 4
_SCHEDULER = (WAKE, BLOCK, SLEEP, SWITCH, SWITCH_INFNEXT)


@dataclass(frozen=True, slots=True)
class Usage:
    """One domain on one pcpu (or on all) over `passed_ns`."""

    passed_ns: int
    gotten_ns: int = 0
    allocated_ns: int = 0
    waited_ns: int = 0
    blocked_ns: int = 0
    executions: int = 0
    ios: int = 0

    def per_second(self, value: float) -> float:
        """Return a total per second."""
        return value * 1e9 / self.passed_ns if self.passed_ns else 0.0

    def percent(self, ns: int) -> float:
        """Return a time in percent of the time passed."""
        return 100 * ns / self.passed_ns if self.passed_ns else 0.0

    def each(self, value: float) -> float:
        """Return a total for each execution."""
        return value / self.executions if self.executions else 0.0

    def each_io(self, value: float) -> float:
        """Return a total for each page."""
        return value / self.ios if self.ios else 0.0


@dataclass(slots=True)
class _Vcpu:
    state: int
    since_ns: int
    pcpu: int
    pending: int = _WAITING  # its state after it is switched out


class Reducer:
    """Adds up lots of records that follow each other in time."""

    def __init__(
        self, mhz: float, start_ns: int, sample_ns: int = SAMPLE_NS, keep_ns: int = KEEP_NS
    ) -> None:
        """`mhz` is the speed of the tsc; samples older than `keep_ns` are forgotten."""
        self._keep = -(-keep_ns // sample_ns)
        self._cycles_per_ns = mhz / 1000
        self._sample_ns = sample_ns
        self._start_ns = start_ns
        self._now_ns = start_ns
        self._vcpus: dict[tuple[int, int], _Vcpu] = {}
        self._samples: dict[int, dict[tuple[int, int], list[int]]] = {}
        self.lost = 0

    @property
    def now_ns(self) -> int:
        """Return the time up to which everything is counted."""
        return self._now_ns

    def add(self, records: Records, now_ns: int) -> None:
        """Add the records up to `now_ns`."""
        records = records.take(np.argsort(records.tsc, kind="stable"))
        times = (records.tsc.astype(np.float64) / self._cycles_per_ns).astype(np.int64)
        self._count_ios(records, times)
        events = scheduler_event(records.event)
        rows = np.flatnonzero(np.isin(events, (*_SCHEDULER, LOST_RECORDS)))
        for row in rows.tolist():
            data = records.data[row].tolist()
            if events[row] == SWITCH_INFNEXT and records.words[row] == _INFNEXT_WORDS_4:
                del data[1]  # the vcpu, which Xen 3.0 does not tell
            time_ns = min(int(times[row]), now_ns)
            self._record(time_ns, int(records.pcpu[row]), int(events[row]), data)
        self._now_ns = max(self._now_ns, now_ns)
        for (domid, _), vcpu in self._vcpus.items():
            self._spend(domid, vcpu, self._now_ns)
        oldest = self._now_ns // self._sample_ns - self._keep
        for index in [index for index in self._samples if index < oldest]:
            del self._samples[index]

    def usage(self, span_ns: int) -> dict[tuple[int, int], Usage]:
        """Return the usage by (pcpu, domain) in the complete samples of the last `span_ns`."""
        number = max(1, span_ns // self._sample_ns)
        end = self._now_ns // self._sample_ns
        first = max(end - number, -(-self._start_ns // self._sample_ns))
        return self._sum(first, end)

    def usage_between(self, start_ns: int, end_ns: int) -> dict[tuple[int, int], Usage]:
        """Return the usage in the samples from `start_ns` to `end_ns`."""
        return self._sum(start_ns // self._sample_ns, end_ns // self._sample_ns)

    def _sum(self, first: int, end: int) -> dict[tuple[int, int], Usage]:
        sums: dict[tuple[int, int], list[int]] = {}
        for index in range(first, end):
            for place, values in self._samples.get(index, {}).items():
                total = sums.setdefault(place, [0] * 6)
                for number, value in enumerate(values):
                    total[number] += value
        passed_ns = max(0, end - first) * self._sample_ns
        return {place: Usage(passed_ns, *total) for place, total in sorted(sums.items())}

    def _record(self, now_ns: int, pcpu: int, event: int, data: list[int]) -> None:
        if event == LOST_RECORDS:
            self.lost += data[0]
            for key in [key for key, vcpu in self._vcpus.items() if vcpu.pcpu == pcpu]:
                del self._vcpus[key]  # until its next record
            return
        if event == SWITCH_INFNEXT:
            if data[0] != IDLE_DOMAIN:
                self._add(now_ns, pcpu, data[0], _ALLOCATED, data[2])
            return
        if event == SWITCH:
            self._switch_out(now_ns, pcpu, (data[0], data[1]))
            self._switch_in(now_ns, pcpu, (data[2], data[3]))
            return
        vcpu = self._vcpus.get((data[0], data[1]))
        state = {WAKE: _WAITING, BLOCK: _BLOCKED, SLEEP: _OFFLINE}[event]
        if vcpu is None:
            if event == WAKE:
                self._vcpus[data[0], data[1]] = _Vcpu(_WAITING, now_ns, pcpu)
        elif vcpu.state == _RUNNING:
            vcpu.pending = state
        else:
            self._spend(data[0], vcpu, now_ns)
            vcpu.state = state

    def _switch_out(self, now_ns: int, pcpu: int, key: tuple[int, int]) -> None:
        vcpu = self._vcpus.get(key)
        if vcpu is not None and vcpu.state == _RUNNING:
            self._spend(key[0], vcpu, now_ns)
            vcpu.state = vcpu.pending
        else:
            self._vcpus[key] = _Vcpu(_WAITING, now_ns, pcpu)

    def _switch_in(self, now_ns: int, pcpu: int, key: tuple[int, int]) -> None:
        vcpu = self._vcpus.get(key)
        if vcpu is None:
            vcpu = self._vcpus[key] = _Vcpu(_RUNNING, now_ns, pcpu)
        else:
            vcpu.pcpu = pcpu
            self._spend(key[0], vcpu, now_ns)
        vcpu.state = _RUNNING
        vcpu.pending = _WAITING
        self._add(now_ns, pcpu, key[0], _EXECS, 1)

    def _spend(self, domid: int, vcpu: _Vcpu, now_ns: int) -> None:
        """Add the time in its present state, sample by sample."""
        field = _FIELD_OF.get(vcpu.state)
        start_ns = vcpu.since_ns
        vcpu.since_ns = max(start_ns, now_ns)
        if field is None or (domid == IDLE_DOMAIN and field != _GOTTEN):
            return
        oldest = (now_ns // self._sample_ns - self._keep) * self._sample_ns
        start_ns = max(start_ns, oldest)
        while start_ns < now_ns:
            end_ns = min(now_ns, (start_ns // self._sample_ns + 1) * self._sample_ns)
            self._add(start_ns, vcpu.pcpu, domid, field, end_ns - start_ns)
            start_ns = end_ns

    def _add(self, time_ns: int, pcpu: int, domid: int, field: int, value: int) -> None:
        sample = self._samples.setdefault(time_ns // self._sample_ns, {})
        sample.setdefault((pcpu, domid), [0] * 6)[field] += value

    def _count_ios(self, records: Records, times: np.ndarray) -> None:
        """Count pages: for the domain that receives them, and for domain 0, which sends them."""
        rows = np.flatnonzero(records.event == GRANT_TRANSFER)
        if not len(rows):
            return
        table = np.stack(
            [times[rows] // self._sample_ns, records.pcpu[rows], records.data[rows, 0]], axis=1
        ).astype(np.int64)
        places, numbers = np.unique(table, axis=0, return_counts=True)
        for (index, pcpu, domid), number in zip(places.tolist(), numbers.tolist(), strict=True):
            for one in (domid, 0):
                self._add(index * self._sample_ns, pcpu, one, _IOS, number)
