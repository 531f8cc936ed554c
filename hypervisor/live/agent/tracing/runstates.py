"""Adds up from trace records how long each vcpu was in each runstate, and its waits for a pcpu.

The times are exact: each change of a runstate is a record. Nothing is added where records were
lost, or before the first thing that is known of a vcpu.
Source: xen/common/sched/core.c (vcpu_runstate_change).
"""

from bisect import bisect_left
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from hypervisor.live.agent.report.fields import WaitsReport
from hypervisor.live.agent.tracing.records import LOST_RECORDS, Record, records
from hypervisor.live.agent.tracing.rings import Window

RUNNING, RUNNABLE, BLOCKED, OFFLINE = range(4)
WAIT_BUCKETS_NS = (
    1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000, 30000000, 100000000,
    300000000, 1000000000,
)  # fmt: skip
"""The bounds of the buckets of waits: those of hypervisor.telemetry.histogram."""

_UNKNOWN = -1
_CHANGE, _CHANGE_MASK = 0x21001, 0xFFFFF00F
_FIRST_IDLE_DOMID = 0x7FF0
_MOST_VCPUS = 65536

_Key = Tuple[int, int]


class StateTimes(NamedTuple):
    """How long a vcpu was in each state, of the time that is known."""

    running_ns: int
    runnable_ns: int
    blocked_ns: int
    offline_ns: int


class _Vcpu:
    """What is known of a vcpu."""

    __slots__ = ("before", "cycles", "pcpu", "since", "state")

    def __init__(self) -> None:
        self.state = _UNKNOWN
        self.before = _UNKNOWN  # the state before that
        self.since = 0
        self.pcpu = -1  # whose ring has told it
        self.cycles = [0, 0, 0, 0]


class Traced:
    """Times and waits since the trace began. Feed it windows, round by round."""

    def __init__(self, khz: int) -> None:
        """`khz` is the speed of the tsc."""
        self._khz = max(1, khz)
        self._vcpus: Dict[_Key, _Vcpu] = {}
        self._waits: Dict[Tuple[int, bool], List[int]] = {}
        self._held: List[Record] = []
        self._last_tsc: Dict[int, int] = {}
        self._horizon = 0  # up to here all records are known
        self.lost = 0
        """How many records were lost."""

    def add(self, windows: Iterable[Window]) -> None:
        """Add what one round of the rings has brought.

        The rings are read one after the other, so that of the last moments of a round a part is
        missing. The next round has it: therefore that time is added up then. After the last
        round, one without windows does it.
        """
        before = self._newest()
        self._hold(windows)
        self._add_until(before)

    def note(self, domid: int, vcpu: int, state: int) -> None:
        """Note the state that a vcpu was found in, which counts if no record has told one yet."""
        key = (domid, vcpu)
        if key not in self._vcpus and self._horizon and len(self._vcpus) < _MOST_VCPUS:
            one = self._vcpus[key] = _Vcpu()
            one.state, one.since = state, self._horizon

    def times(self, domid: int, vcpu: int) -> Optional[StateTimes]:
        """Return the times of a vcpu; None if nothing is known of it."""
        one = self._vcpus.get((domid, vcpu))
        if one is None:
            return None
        cycles = list(one.cycles)
        if one.state != _UNKNOWN:
            cycles[one.state] += max(0, self._horizon - one.since)
        return StateTimes(*[self._ns(spent) for spent in cycles])

    def waits(self, domid: int) -> Tuple[WaitsReport, WaitsReport]:
        """Return the waits of a domain's vcpus that began by waking, and by losing the pcpu."""
        found = []
        for is_preempted in (False, True):
            numbers = self._waits.get((domid, is_preempted)) or [0] * (len(WAIT_BUCKETS_NS) + 2)
            found.append(WaitsReport(tuple(numbers[:-1]), self._ns(numbers[-1])))
        return found[0], found[1]

    def keep(self, domids: Iterable[int]) -> None:
        """Forget the domains that are not among these: their ids may be given to others.

        What is still held of them could be of either, and is forgotten too.
        """
        there = set(domids)
        self._held = [one for one in self._held if _domid(one) in there or _domid(one) is None]
        self._vcpus = {key: one for key, one in self._vcpus.items() if key[0] in there}
        self._waits = {key: one for key, one in self._waits.items() if key[0] in there}

    def _ns(self, cycles: int) -> int:
        return cycles * 1000000 // self._khz

    def _newest(self) -> int:
        return max(self._last_tsc.values()) if self._last_tsc else 0

    def _hold(self, windows: Iterable[Window]) -> None:
        for window in windows:
            tsc = self._last_tsc.get(window.pcpu, 0)
            for record in records(window, tsc):
                tsc = record.tsc
                if record.event & _CHANGE_MASK == _CHANGE or record.event == LOST_RECORDS:
                    self._held.append(record)
            self._last_tsc[window.pcpu] = tsc

    def _add_until(self, horizon: int) -> None:
        self._held.sort(key=_by_tsc)
        ready = len(self._held)
        while ready and self._held[ready - 1].tsc > horizon:
            ready -= 1
        for record in self._held[:ready]:
            if record.event == LOST_RECORDS:
                self._lose(record)
            elif record.words:
                self._change(record)
        del self._held[:ready]
        self._horizon = max(self._horizon, horizon)

    def _lose(self, record: Record) -> None:
        """Know nothing of the vcpus of a pcpu from the first record on that was lost there."""
        self.lost += record.words[0] if record.words else 0
        since = record.words[2] | record.words[3] << 32 if len(record.words) >= 4 else record.tsc
        for one in self._vcpus.values():
            if one.pcpu == record.pcpu and one.state != _UNKNOWN and one.since <= since:
                one.cycles[one.state] += since - one.since
                one.state = _UNKNOWN

    def _change(self, record: Record) -> None:
        key = (record.words[0] >> 16, record.words[0] & 0xFFFF)
        one = self._vcpus.get(key)
        if one is None:
            if key[0] >= _FIRST_IDLE_DOMID or len(self._vcpus) >= _MOST_VCPUS:
                return
            one = self._vcpus[key] = _Vcpu()
        old, new = record.event >> 8 & 3, record.event >> 4 & 3
        if one.state == old and record.tsc >= one.since:
            spent = record.tsc - one.since
            one.cycles[old] += spent
            if old == RUNNABLE and new == RUNNING and one.before != _UNKNOWN:
                self._wait(key[0], one.before == RUNNING, spent)
            one.before = old
        else:  # records are missing
            one.before = _UNKNOWN
        one.state, one.since, one.pcpu = new, record.tsc, record.pcpu

    def _wait(self, domid: int, is_preempted: bool, cycles: int) -> None:
        numbers = self._waits.get((domid, is_preempted))
        if numbers is None:
            numbers = self._waits[domid, is_preempted] = [0] * (len(WAIT_BUCKETS_NS) + 2)
        numbers[bisect_left(WAIT_BUCKETS_NS, self._ns(cycles))] += 1
        numbers[-1] += cycles


def _domid(record: Record) -> Optional[int]:
    """Return whose change a record tells; None if it tells of none."""
    return record.words[0] >> 16 if record.event != LOST_RECORDS and record.words else None


def _by_tsc(record: Record) -> int:
    return record.tsc
