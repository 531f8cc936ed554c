"""Records every operation of the toolstack: what it was, how long it took, how it ended."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from hypervisor.durations import Durations
from hypervisor.errors import HostError
from hypervisor.telemetry import (
    OPERATION_BUCKETS_NS,
    OperationCount,
    OperationRecord,
    OperationStep,
)
from hypervisor.toolstack.records.steps import Steps, covers
from hypervisor.toolstack.timers import Timers
from hypervisor.traceids import boot_name, trace_id

KEPT: Final = 256
LONGEST: Final = 1000  # characters of a text that somebody has typed, or that repeats it
NEAR: Final = 8
DONE: Final = "done"
FAILED: Final = "failed"


class Entry:
    """An operation that goes on. `steps` are those of the work that it has started, if any."""

    __slots__ = ("began_ns", "domain", "domid", "kind", "number", "steps", "trace_id")

    def __init__(self, kind: str, number: int, trace: str, began_ns: int) -> None:
        self.kind = kind
        self.number = number
        self.trace_id = trace
        self.began_ns = began_ns
        self.domain: str | None = None
        self.domid: int | None = None
        self.steps: Steps | None = None


class OperationLog:
    """Counts a host's operations by kind and result, and keeps the records of the last ones."""

    def __init__(self, host: str, timers: Timers, epoch_ns: int) -> None:
        """`epoch_ns` is the Unix time of the host's time 0."""
        self._boot = boot_name(host, epoch_ns)
        self._timers = timers
        self._epoch_ns = epoch_ns
        self._begun = 0
        self._ended = 0
        self._typed: Entry | None = None  # what is being asked for now
        self._going_on: dict[int, Entry] = {}
        self._last: deque[OperationRecord] = deque(maxlen=KEPT)
        self._durations: dict[tuple[str, str], Durations] = {}

    @contextmanager
    def asked(self, kind: str, domain: str | None, domid: int | None) -> Iterator[None]:
        """Record what somebody asks for; inside another such request it is part of that one.

        It ends here, unless it has started work that goes on (see `started`).
        """
        if self._typed is not None:
            yield
            return
        entry = self._typed = self._begin(kind)
        entry.domain, entry.domid = domain, domid
        try:
            yield
        except HostError as error:
            self.end(entry, error)
            raise
        else:
            if entry.steps is None:
                self.end(entry, None)
        finally:
            self._typed = None
            if entry.steps is None:  # not ended before: a bug, which is nobody's operation
                self._going_on.pop(entry.number, None)

    def started(self, kind: str, steps: Steps) -> Entry:
        """Record work that goes on: for what is being asked for, or else of xend's own accord."""
        entry = self._typed
        if entry is None or entry.steps is not None:
            entry = self._begin(kind)
        entry.steps = steps
        return entry

    def _begin(self, kind: str) -> Entry:
        self._begun += 1
        trace = trace_id(self._boot, "operation", self._begun)
        entry = Entry(kind, self._begun, trace, self._timers.now)
        self._going_on[entry.number] = entry
        return entry

    def end(self, entry: Entry, error: HostError | None) -> None:
        """Record that an operation has ended, unless that is recorded already."""
        if self._going_on.pop(entry.number, None) is None:
            return
        now_ns = self._timers.now
        self._ended += 1
        result = DONE if error is None else FAILED
        steps: tuple[OperationStep, ...] = ()
        if entry.steps is not None:
            steps = entry.steps.all_ended()
        self._last.append(
            OperationRecord(
                serial=self._ended,
                trace_id=entry.trace_id,
                operation=entry.kind,
                result=result,
                domain=_cut(entry.domain),
                domid=entry.domid,
                error=_cut(None if error is None else str(error)),
                began_ns=entry.began_ns,
                ended_ns=now_ns,
                steps=steps,
            )
        )
        key = entry.kind, result
        if key not in self._durations:
            self._durations[key] = Durations(OPERATION_BUCKETS_NS)
        self._durations[key].add(now_ns - entry.began_ns, now_ns, entry.trace_id)

    def counts(self) -> tuple[OperationCount, ...]:
        """Return the counts, by operation and result."""
        return tuple(
            OperationCount(kind, result, spent.histogram(self._epoch_ns, self.trace_at))
            for (kind, result), spent in sorted(self._durations.items(), key=_key)
        )

    def last(self) -> tuple[OperationRecord, ...]:
        """Return the operations that ended last, the latest at the end."""
        return tuple(self._last)

    def trace_at(self, time_ns: int) -> str | None:
        """Return the trace of an operation a step of which went on at a host time, if any did."""
        for entry in reversed(self._going_on.values()):
            if entry.steps is not None and entry.steps.go_on_at(time_ns):
                return entry.trace_id
        last = self._last
        if not last or time_ns > last[-1].ended_ns:
            return None
        first = bisect_left(last, time_ns, key=_end)
        # Those that ended much later were begun later as well.
        for record in islice(last, first, first + NEAR):
            if any(covers(step, time_ns) for step in record.steps):
                return record.trace_id
        return None


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _end(record: OperationRecord) -> int:
    return record.ended_ns


def _key(item: tuple[tuple[str, str], Durations]) -> tuple[str, str]:
    return item[0]
