"""Finds the runstates of vcpus in trace records: which vcpu enters which one, and when.

Later Xens record each change of runstate. Xen 3.0 does not: there a vcpu that is switched out
is blocked or offline if a record (block, sleep) said so before, and otherwise runnable.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hypervisor.trace_events import BLOCK, SLEEP, SWITCH, SWITCH_INFPREV, WAKE, YIELD
from xenprof.trace.records import Records

RUNNING, RUNNABLE, BLOCKED, OFFLINE, LOST = range(5)
STATE_NAMES = ("running", "runnable", "blocked", "offline", "lost")
VCPU_BITS = 16
"""A vcpu's key is its domain's id, shifted, and its own number."""

_SCHED_3, _SCHED_4 = 0x2F000, 0x28000
_RUNSTATE_CHANGE = 0x21001
CONTINUE_RUNNING = 0x21002
"""A decision that changes nothing (later Xens record it)."""
# What a row means before it is resolved to a state.
_IN, _OUT, _WAKE, _BLOCK, _SLEEP = range(10, 15)

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Changes:
    """Columns: at `tsc`, on `pcpu`, the vcpu `key` enters `state` (or what it does: see below)."""

    tsc: npt.NDArray[np.uint64]
    pcpu: npt.NDArray[np.int32]
    key: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]


def scheduler_event(event: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return events with the scheduler's own renamed to their numbers of Xen 3.0."""
    is_new = event & np.uint32(0xFFFFF000) == _SCHED_4
    return np.where(is_new, event - np.uint32(_SCHED_4) + np.uint32(_SCHED_3), event)


def keys(domain: npt.NDArray[np.uint64], vcpu: npt.NDArray[np.uint64]) -> Rows:
    """Return vcpu keys; an invalid id becomes some other key rather than an error."""
    mask = np.uint64((1 << VCPU_BITS) - 1)
    return ((domain & mask) << np.uint64(VCPU_BITS) | (vcpu & mask)).astype(np.int64)


def split_key(key: int) -> tuple[int, int]:
    """Return (domain, vcpu) of a key."""
    return key >> VCPU_BITS, key & (1 << VCPU_BITS) - 1


def is_runstate_change(event: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Return which records are changes of runstate (Xen 3.3 and later)."""
    return np.asarray(event & np.uint32(0xFFFFF00F) == _RUNSTATE_CHANGE)


def explicit_changes(records: Records) -> Changes:
    """Return the changes that records state explicitly."""
    rows = records.take(is_runstate_change(records.event))
    # The word holds vcpu (low half) and domain.
    domain, vcpu = rows.data[:, 0] >> np.uint64(16), rows.data[:, 0]
    state = (rows.event >> 4 & 3).astype(np.int64)
    return Changes(rows.tsc, rows.pcpu, keys(domain, vcpu), state)


def scheduler_rows(records: Records) -> Changes:
    """Return what vcpus do as rows whose state is one of the private codes: `resolve` them."""
    event = scheduler_event(records.event)
    parts = []
    switch = event == SWITCH
    for code, first in ((_OUT, 0), (_IN, 2)):
        parts.append((records.take(switch), code, first))
    for one, code in ((WAKE, _WAKE), (BLOCK, _BLOCK), (SLEEP, _SLEEP)):
        parts.append((records.take(event == one), code, 0))
    tsc = np.concatenate([rows.tsc for rows, _, _ in parts])
    pcpu = np.concatenate([rows.pcpu for rows, _, _ in parts])
    key = np.concatenate([keys(rows.data[:, at], rows.data[:, at + 1]) for rows, _, at in parts])
    state = np.concatenate([np.full(len(rows), code, np.int64) for rows, code, _ in parts])
    # Records of the same time keep their order in the file.
    place = np.concatenate(
        [np.flatnonzero(switch), np.flatnonzero(switch)]
        + [np.flatnonzero(event == one) for one in (WAKE, BLOCK, SLEEP)]
    )
    order = np.lexsort((place, tsc))
    return Changes(tsc[order], pcpu[order], key[order], state[order])


def resolve(state: Rows, group: npt.NDArray[np.bool_]) -> Rows:
    """Return the runstates of codes; -1 where a row changes nothing. Rows are by vcpu and time.

    `group` is True at the first row of each vcpu, which holds a runstate or -1.
    """
    number = np.arange(len(state))
    start = np.maximum.accumulate(np.where(group, number, 0))

    def latest(among: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """Return for each row the last one of `among` before it; -1 if its vcpu has none."""
        seen = np.maximum.accumulate(np.where(among, number, -1))
        before = np.concatenate([[-1], seen[:-1]]) if len(seen) else seen
        return np.where(before >= start, before, -1)

    # Between switches: whether the vcpu runs.
    switches = (state == _IN) | (state == _OUT) | group
    last = latest(switches)
    runs = (last >= 0) & ((state[last] == _IN) | (state[last] == RUNNING))
    # A vcpu that is switched out: its last block, sleep or wake decides.
    told = latest(((state >= _IN) & (state != _OUT)) | (state == LOST) | group)
    why = np.where(told >= 0, state[told], _IN)
    result = np.full(len(state), -1, np.int64)
    plain = (state < _IN) & (state >= 0)
    result[plain] = state[plain]
    result[state == _IN] = RUNNING
    out = state == _OUT
    reasons = [why == _BLOCK, why == _SLEEP, why == LOST]
    result[out] = np.select(reasons, [BLOCKED, OFFLINE, LOST], RUNNABLE)[out]
    result[(state == _WAKE) & ~runs] = RUNNABLE
    result[(state == _BLOCK) & ~runs] = BLOCKED
    result[(state == _SLEEP) & ~runs] = OFFLINE
    return result


COUNTED = {"wakes": WAKE, "blocks": BLOCK, "sleeps": SLEEP, "yields": YIELD}
"""The events that a summary counts, by their numbers in Xen 3.0."""


def cycles_per_ns(records: Records) -> float | None:
    """Return the speed of the tsc: the records of switches tell how many ns a vcpu ran.

    None if there are too few of them.
    """
    event = scheduler_event(records.event)
    rates = []
    for pcpu in np.unique(records.pcpu).tolist():
        rows = np.flatnonzero((event == SWITCH_INFPREV) & (records.pcpu == pcpu))
        if len(rows) < 2:
            continue
        cycles = np.diff(records.tsc[rows].astype(np.int64))
        # The time is the last word, after the domain and in later Xens the vcpu.
        last = np.where(records.words[rows] == 3, 2, 1)
        ns = records.data[rows, last].astype(np.float64)[1:]
        long = (ns > 10_000) & (cycles > 0)
        rates += (cycles[long] / ns[long]).tolist()
    return float(np.median(rates)) if len(rates) >= 3 else None
