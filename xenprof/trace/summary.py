"""Sums up a trace: how long each vcpu was in each state, and how often it changed.

The times of a vcpu begin with its first record. A record of losses makes the vcpus last seen on
that pcpu unknown ("lost") until their next record. It works in chunks on traces of any length.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from hypervisor.trace_events import (
    GRANT_MAP,
    GRANT_TRANSFER,
    GRANT_UNMAP,
    LOST_RECORDS,
    SWITCH,
)
from xenprof.trace.records import Records
from xenprof.trace.states import (
    CONTINUE_RUNNING,
    COUNTED,
    LOST,
    RUNNABLE,
    RUNNING,
    STATE_NAMES,
    Changes,
    cycles_per_ns,
    explicit_changes,
    is_runstate_change,
    keys,
    resolve,
    scheduler_event,
    scheduler_rows,
    split_key,
)

DEFAULT_MHZ = 2400
"""Used if neither the user nor the records give the speed. Source: xenalyze's own default."""
_STATES = len(STATE_NAMES)
_GRANTS = {"grant_maps": GRANT_MAP, "grant_unmaps": GRANT_UNMAP, "grant_transfers": GRANT_TRANSFER}


@dataclass(slots=True)
class VcpuSummary:
    """One vcpu; lists are by runstate (running, runnable, blocked, offline, lost), in cycles."""

    domain: int
    vcpu: int
    cycles: list[int] = field(default_factory=lambda: [0] * _STATES)
    intervals: list[int] = field(default_factory=lambda: [0] * _STATES)  # intervals that have ended
    open_cycles: list[int] = field(default_factory=lambda: [0] * _STATES)  # to the trace's end
    woken: int = 0  # waits that began with a wake
    preempted: int = 0  # waits that began with losing the pcpu
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """The sums of a whole trace."""

    format: str
    mhz: float
    records: int
    lost_records: int
    skipped_bytes: int
    first_tsc: int
    last_tsc: int
    by_pcpu: Mapping[int, int]  # records
    vcpus: tuple[VcpuSummary, ...]
    domains: Mapping[int, Mapping[str, int]]  # counts without a vcpu

    def seconds(self, cycles: int) -> float:
        """Return cycles of this trace as seconds."""
        return cycles / (self.mhz * 1e6)


class Summariser:
    """Adds up chunks of records that are ordered by time."""

    def __init__(self, mhz: float | None = None) -> None:
        """`mhz` is the speed of the tsc; None: as in the records."""
        self._mhz = mhz
        self._vcpus: dict[int, VcpuSummary] = {}
        self._domains: dict[int, dict[str, int]] = {}
        self._last: dict[int, tuple[int, int, int]] = {}  # key: since, state, pcpu
        self._pcpu_seen: dict[int, int] = {}
        self._by_pcpu: dict[int, int] = {}
        self._is_explicit = False
        self._records = self._lost = self._first = self._end = 0

    def add(self, records: Records) -> None:
        """Add the next chunk in time."""
        if not len(records):
            return
        if not self._records:
            self._first = int(records.tsc[0])
        self._records += len(records)
        self._end = max(self._end, int(records.tsc[-1]))
        if self._mhz is None:
            rate = cycles_per_ns(records)
            self._mhz = None if rate is None else rate * 1000
        self._count(records)
        self._is_explicit = self._is_explicit or bool(is_runstate_change(records.event).any())
        changes = explicit_changes(records) if self._is_explicit else scheduler_rows(records)
        rows = _by_vcpu(changes, self._known(changes))
        self._account(_with_losses(rows, self._losses(records)))
        for pcpu, number in zip(*np.unique(records.pcpu, return_counts=True), strict=True):
            self._by_pcpu[int(pcpu)] = self._by_pcpu.get(int(pcpu), 0) + int(number)

    def finish(self, format: str, skipped_bytes: int) -> TraceSummary:
        """Return the sums. A vcpu's last state lasts until the end."""
        for key, (since, state, _) in self._last.items():
            if state >= 0:
                self._vcpu(key).open_cycles[state] += max(0, self._end - since)
        return TraceSummary(
            format=format,
            mhz=self._mhz or DEFAULT_MHZ,
            records=self._records,
            lost_records=self._lost,
            skipped_bytes=skipped_bytes,
            first_tsc=self._first,
            last_tsc=self._end,
            by_pcpu=dict(sorted(self._by_pcpu.items())),
            vcpus=tuple(self._vcpus[key] for key in sorted(self._vcpus)),
            domains={domid: self._domains[domid] for domid in sorted(self._domains)},
        )

    def _vcpu(self, key: int) -> VcpuSummary:
        if key not in self._vcpus:
            self._vcpus[key] = VcpuSummary(*split_key(key))
        return self._vcpus[key]

    def _count(self, records: Records) -> None:
        event = scheduler_event(records.event)
        for name, one in COUNTED.items():
            rows = records.data[event == one]
            self._count_vcpus(name, keys(rows[:, 0], rows[:, 1]))
        rows = records.data[event == SWITCH]
        self._count_vcpus("switches", keys(rows[:, 2], rows[:, 3]))
        words = records.data[event == CONTINUE_RUNNING, 0]
        self._count_vcpus("continues", keys(words >> np.uint64(16), words))
        for name, one in _GRANTS.items():
            domains, numbers = np.unique(records.data[event == one, 0], return_counts=True)
            for domid, number in zip(domains.tolist(), numbers.tolist(), strict=True):
                counts = self._domains.setdefault(domid, {})
                counts[name] = counts.get(name, 0) + number

    def _count_vcpus(self, name: str, of: np.ndarray) -> None:
        for key, number in zip(*np.unique(of, return_counts=True), strict=True):
            counts = self._vcpu(int(key)).counts
            counts[name] = counts.get(name, 0) + int(number)

    def _losses(self, records: Records) -> dict[int, np.ndarray]:
        """Return by pcpu the times from which nothing is known, one for each record of losses."""
        found = {}
        is_loss = records.event == LOST_RECORDS
        self._lost += int((records.data[is_loss, 0] & np.uint64(0xFFFFFFFF)).sum())
        for pcpu in np.unique(records.pcpu).tolist():
            mine = records.pcpu == pcpu
            tsc = records.tsc[mine]
            before = self._pcpu_seen.get(pcpu, self._first)
            since = np.concatenate([np.array([before], np.uint64), tsc[:-1]])[is_loss[mine]]
            if len(since):
                found[pcpu] = since
            self._pcpu_seen[pcpu] = int(tsc[-1])
        return found

    def _known(self, changes: Changes) -> dict[int, tuple[int, int, int]]:
        """Return the last state of every vcpu, and no state of the new ones."""
        for key in np.unique(changes.key).tolist():
            self._vcpu(key)
            self._last.setdefault(key, (-1, -1, -1))
        return self._last

    def _account(self, rows: Changes) -> None:
        """Add up the time between the rows, which begin with the last state of every vcpu."""
        if not len(rows.tsc):
            return
        first = _firsts(rows.key)
        state = resolve(rows.state, first)
        keep = (state >= 0) | first
        keep[1:] &= first[1:] | (state[1:] != _carried(state, keep)[:-1])
        tsc, key, pcpu = rows.tsc[keep].astype(np.int64), rows.key[keep], rows.pcpu[keep]
        state, first = state[keep], first[keep]
        self._add_intervals(tsc, key, state, first)
        for index in np.flatnonzero(np.append(first[1:], True)).tolist():
            since, now = int(tsc[index]), int(state[index])
            self._last[int(key[index])] = (since, now, int(pcpu[index]))

    def _add_intervals(
        self,
        tsc: np.ndarray,
        key: np.ndarray,
        state: np.ndarray,
        first: np.ndarray,
    ) -> None:
        ends = ~first[1:] & (state[:-1] >= 0)
        spent = np.maximum(np.diff(tsc), 0)[ends]
        old, new, of = state[:-1][ends], state[1:][ends], key[:-1][ends]
        names, place = np.unique(of, return_inverse=True)
        cell = place * _STATES + old
        cycles = np.bincount(cell, spent, len(names) * _STATES)
        numbers = np.bincount(cell, minlength=len(names) * _STATES)
        waits = new == RUNNABLE
        woken = np.bincount(place[waits & (old != RUNNING)], minlength=len(names))
        preempted = np.bincount(place[waits & (old == RUNNING)], minlength=len(names))
        for index, name in enumerate(names.tolist()):
            vcpu = self._vcpu(name)
            for number in range(_STATES):
                vcpu.cycles[number] += int(cycles[index * _STATES + number])
                vcpu.intervals[number] += int(numbers[index * _STATES + number])
            vcpu.woken += int(woken[index])
            vcpu.preempted += int(preempted[index])


def _firsts(key: np.ndarray) -> np.ndarray:
    return np.concatenate([[True], key[1:] != key[:-1]])


def _carried(state: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return for each row the state of the last kept row up to it."""
    number = np.maximum.accumulate(np.where(keep, np.arange(len(state)), 0))
    return np.asarray(state[number])


def _by_vcpu(changes: Changes, known: dict[int, tuple[int, int, int]]) -> Changes:
    """Return rows ordered by vcpu and time: the last state of each vcpu, then its changes."""
    names = np.array(list(known), np.int64)
    since = np.array([max(0, entry[0]) for entry in known.values()], np.uint64)
    pcpu = np.array([entry[2] for entry in known.values()], np.int32)
    state = np.array([entry[1] for entry in known.values()], np.int64)
    tsc = np.concatenate([since, changes.tsc])
    key = np.concatenate([names, changes.key])
    is_known = np.arange(len(key)) >= len(names)
    order = np.lexsort((tsc, is_known, key))  # stable: rows of the same time keep their order
    return Changes(
        tsc[order],
        np.concatenate([pcpu, changes.pcpu])[order],
        key[order],
        np.concatenate([state, changes.state])[order],
    )


def _with_losses(rows: Changes, losses: dict[int, np.ndarray]) -> Changes:
    """Add a row of state LOST where records were lost on the pcpu where a vcpu was last seen."""
    at, times = [], []
    until = np.append(rows.tsc[1:], np.uint64(2**64 - 1))
    until[:-1][_firsts(rows.key)[1:]] = np.uint64(2**64 - 1)
    for pcpu, since in losses.items():
        mine = np.flatnonzero(rows.pcpu == pcpu)
        following = np.searchsorted(since, rows.tsc[mine])
        mine, following = mine[following < len(since)], following[following < len(since)]
        lost = since[following] < until[mine]
        at.append(mine[lost] + 1)
        times.append(since[following][lost])
    if not at:
        return rows
    places = np.concatenate(at)
    return Changes(
        np.insert(rows.tsc, places, np.concatenate(times)),
        np.insert(rows.pcpu, places, rows.pcpu[places - 1]),
        np.insert(rows.key, places, rows.key[places - 1]),
        np.insert(rows.state, places, LOST),
    )


def summarise(chunks: Iterable[Records], mhz: float | None = None) -> Summariser:
    """Return a summariser with all chunks, ordered by time, added; `finish` returns the sums."""
    summariser = Summariser(mhz)
    for records in chunks:
        summariser.add(records)
    return summariser
