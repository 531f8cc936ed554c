"""Writes a recorded trace in Chrome's trace format, for Perfetto: vcpus on pcpus over time.

The process `pcpus` has a thread for each pcpu, with a slice wherever a vcpu ran; each domain is
a process with a thread for each vcpu, with slices for all its runstates. A pcpu where no vcpu
ran is idle. Times are microseconds since the first record. Lost records are instants on their
pcpu.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hypervisor.trace_events import IDLE_DOMAIN, LOST_RECORDS
from xenprof.report.formats.request import Request
from xenprof.report.views.paths import Ints
from xenprof.trace.reading import TraceFile, open_trace
from xenprof.trace.records import Records, joined
from xenprof.trace.states import (
    LOST,
    RUNNING,
    STATE_NAMES,
    cycles_per_ns,
    explicit_changes,
    is_runstate_change,
    resolve,
    scheduler_rows,
    split_key,
)
from xenprof.trace.summary import DEFAULT_MHZ

_PCPUS = 1
_DOMAINS = 100
"""Process ids: that of the pcpus, and that of domain 0, from which the others count up."""
_TOP = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Intervals:
    """Columns: a vcpu was in `state` from `start` to `end` (tsc), last seen on `pcpu`."""

    key: Ints
    pcpu: Ints
    state: Ints
    start: Ints
    end: Ints


def render(request: Request) -> Iterator[bytes]:
    """Yield the object in parts, one event per line. Raises: TraceFileError."""
    with open_trace(request.trace) as trace:
        records = _read(trace)
        origin = int(records.tsc[0]) if len(records) else 0
        rate = (request.mhz or 0) / 1000 or cycles_per_ns(records) or DEFAULT_MHZ / 1000
        found = intervals(records)
        yield b'{"traceEvents":[\n'
        events = [*_names(found), *_slices(found, origin, rate)]
        events += _losses(records, origin, rate)
        yield ",\n".join(json.dumps(event, separators=(",", ":")) for event in events).encode()
        other = {"format": trace.format, "cycles_per_us": round(rate * 1000, 3)}
        if trace.skipped_bytes:
            other["skipped_bytes"] = trace.skipped_bytes
        tail = {"displayTimeUnit": "ns", "otherData": other}
        yield b"\n]," + json.dumps(tail, separators=(",", ":"))[1:].encode() + b"\n"


def _read(trace: TraceFile) -> Records:
    parts = list(trace.ordered())
    if parts:
        return joined(parts)
    empty = np.empty(0, np.uint64)
    return Records(
        empty.astype(np.int32), empty, empty.astype(np.uint32), empty.reshape(0, 1),
        empty.astype(np.uint8),
    )  # fmt: skip


def intervals(records: Records) -> Intervals:
    """Return the intervals of each vcpu by runstate; its last state lasts until the end.

    Records are ordered by time.
    """
    if not len(records):
        return Intervals(*(np.empty(0, np.int64) for _ in range(5)))
    is_explicit = bool(is_runstate_change(records.event).any())
    changes = explicit_changes(records) if is_explicit else scheduler_rows(records)
    # One row is added before each vcpu's first, for the time when nothing is known of it.
    names = np.unique(changes.key)
    key = np.concatenate([names, changes.key])
    tsc = np.concatenate([np.zeros(len(names), np.uint64), changes.tsc])
    pcpu = np.concatenate([np.full(len(names), -1), changes.pcpu]).astype(np.int64)
    state = np.concatenate([np.full(len(names), -1), changes.state]).astype(np.int64)
    order = np.lexsort((tsc, key))
    key, tsc, pcpu, state = key[order], tsc[order], pcpu[order], state[order]
    key, tsc, pcpu, state = _with_losses(key, tsc, pcpu, state, records)
    first = np.ones(len(key), np.bool_)
    first[1:] = key[1:] != key[:-1]
    entered = resolve(state, first)
    # A row that changes nothing, or repeats the one before, ends no interval.
    kept = first | (entered >= 0)
    key, tsc, pcpu, entered = key[kept], tsc[kept], pcpu[kept], entered[kept]
    fresh = np.ones(len(key), np.bool_)
    fresh[1:] = (key[1:] != key[:-1]) | (entered[1:] != entered[:-1]) | (pcpu[1:] != pcpu[:-1])
    key, tsc, pcpu, entered = key[fresh], tsc[fresh], pcpu[fresh], entered[fresh]
    end = np.append(tsc[1:], np.uint64(records.tsc[-1]))
    last = np.append(key[1:] != key[:-1], True)
    end[last] = np.uint64(records.tsc[-1])
    known = (entered >= 0) & (end > tsc)
    return Intervals(
        key[known], pcpu[known], entered[known],
        tsc[known].astype(np.int64), end[known].astype(np.int64),
    )  # fmt: skip


def _with_losses(
    key: Ints, tsc: np.ndarray, pcpu: Ints, state: Ints, records: Records
) -> tuple[Ints, np.ndarray, Ints, Ints]:
    """Add a row of state LOST where records were lost on the pcpu that saw a vcpu last."""
    is_loss = records.event == LOST_RECORDS
    until = np.append(tsc[1:], np.uint64(_TOP))
    until[:-1][key[1:] != key[:-1]] = np.uint64(_TOP)
    places, times = [], []
    for number in np.unique(records.pcpu[is_loss]).tolist():
        seen = records.pcpu == number
        tsc_seen = records.tsc[seen]
        # They were lost between the record before and the one that reports the loss.
        lost_at = np.concatenate([records.tsc[:1], tsc_seen[:-1]])[is_loss[seen]]
        mine = np.flatnonzero(pcpu == number)
        following = np.searchsorted(lost_at, tsc[mine])
        mine, following = mine[following < len(lost_at)], following[following < len(lost_at)]
        cut = lost_at[following] < until[mine]
        places.append(mine[cut] + 1)
        times.append(lost_at[following][cut])
    if not places:
        return key, tsc, pcpu, state
    at = np.concatenate(places)
    return (
        np.insert(key, at, key[at - 1]),
        np.insert(tsc, at, np.concatenate(times)),
        np.insert(pcpu, at, pcpu[at - 1]),
        np.insert(state, at, LOST),
    )


def _names(found: Intervals) -> Iterator[dict[str, object]]:
    yield _named("process_name", _PCPUS, 0, "pcpus")
    yield _sorted("process_sort_index", _PCPUS, 0, 0)
    for pcpu in np.unique(found.pcpu[found.state == RUNNING]).tolist():
        yield _named("thread_name", _PCPUS, pcpu, f"pcpu {pcpu}")
    seen = set()
    for key in np.unique(found.key).tolist():
        domain, vcpu = split_key(key)
        if domain == IDLE_DOMAIN:
            continue
        if domain not in seen:
            seen.add(domain)
            yield _named("process_name", _DOMAINS + domain, 0, f"domain {domain}")
            yield _sorted("process_sort_index", _DOMAINS + domain, 0, _DOMAINS + domain)
        yield _named("thread_name", _DOMAINS + domain, vcpu, f"vcpu {vcpu}")


def _named(what: str, process: int, thread: int, name: str) -> dict[str, object]:
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}


def _sorted(what: str, process: int, thread: int, place: int) -> dict[str, object]:
    return {
        "ph": "M", "name": what, "pid": process, "tid": thread, "args": {"sort_index": place},
    }  # fmt: skip


def _slices(found: Intervals, origin: int, rate: float) -> Iterator[dict[str, object]]:
    order = np.lexsort((found.key, found.start))
    columns = (found.key, found.pcpu, found.state, found.start, found.end)
    for key, pcpu, state, start, end in zip(
        *(column[order].tolist() for column in columns), strict=True
    ):
        domain, vcpu = split_key(key)
        begin = _microseconds(start - origin, rate)
        wide = round(_microseconds(end - origin, rate) - begin, 3)
        if domain == IDLE_DOMAIN:
            if state == RUNNING:
                yield {
                    "ph": "X", "name": "idle", "cat": "idle", "pid": _PCPUS, "tid": pcpu,
                    "ts": begin, "dur": wide, "cname": "grey",
                }  # fmt: skip
            continue
        yield {
            "ph": "X", "name": STATE_NAMES[state], "cat": "vcpu",
            "pid": _DOMAINS + domain, "tid": vcpu, "ts": begin, "dur": wide, "args": {"pcpu": pcpu},
        }  # fmt: skip
        if state == RUNNING:
            yield {
                "ph": "X", "name": f"d{domain}v{vcpu}", "cat": "pcpu", "pid": _PCPUS, "tid": pcpu,
                "ts": begin, "dur": wide, "args": {"domain": domain, "vcpu": vcpu},
            }  # fmt: skip


def _losses(records: Records, origin: int, rate: float) -> Iterator[dict[str, object]]:
    lost = records.take(records.event == LOST_RECORDS)
    for pcpu, tsc, number in zip(
        lost.pcpu.tolist(), lost.tsc.tolist(), lost.data[:, 0].tolist(), strict=True
    ):
        yield {
            "ph": "i", "name": f"{number & 0xFFFFFFFF} records lost", "cat": "lost", "s": "t",
            "pid": _PCPUS, "tid": pcpu, "ts": _microseconds(tsc - origin, rate),
        }  # fmt: skip


def _microseconds(cycles: int, rate: float) -> float:
    return round(cycles / rate / 1000, 3)
