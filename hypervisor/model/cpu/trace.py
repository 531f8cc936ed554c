"""Trace rings: one bounded ring for each pcpu, off until a reader sets masks.

A batch (grants) is one row, however many records it stands for; rows become records when they
are read. A reader's process empties the rings at every poll interval; records that find a ring
full are lost and counted, and a record of its own reports them as soon as there is room again.
Tracing costs the host nothing: it runs in the same way with and without it.
Source: xen/common/trace.c, tools/xentrace/xentrace.c (3.0.3).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from hypervisor.errors import Refused
from hypervisor.model.codebook.work import AnyWork
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.domain.runstate import RUNNABLE
from hypervisor.model.timing.clock import Clock, Timer
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import (
    DEFAULT_POLL_NS,
    DEFAULT_RING_PAGES,
    IDLE_DOMAIN,
    LOST_RECORDS,
    SWITCH,
    SWITCH_INFNEXT,
    SWITCH_INFPREV,
    TraceStatus,
    is_selected,
    ring_records,
)

MAX_RING_PAGES: Final = 16384  # 64 MiB for each pcpu (judgement): more is a typing error
# Records that may wait for a reader that has a process but does not read (judgement). Above this
# the rings are not emptied, and lose what does not fit.
MAX_TAKEN: Final = 200_000


class _Row(NamedTuple):
    """Records of one event: `fits` of `records` fit, spread evenly over (start_ns, time_ns]."""

    time_ns: int
    event: int
    data: tuple[int, ...]
    records: int
    fits: int
    start_ns: int


class _Ring:
    """The ring of one pcpu with its counts, in records."""

    __slots__ = ("emitted", "floor_ns", "held", "idle_ns", "lost", "read", "rows", "untold")

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.held = 0  # records that the rows stand for, including those that report losses
        self.emitted = self.read = self.lost = 0
        self.untold = 0  # lost since the last record that reported losses
        self.floor_ns = 0  # no record may be older: a reader has read the earlier ones
        self.idle_ns = 0  # since when its idle vcpu has run, or waited

    def put(self, row: _Row, capacity: int) -> None:
        """Keep the records of a row that fit."""
        self.emitted += row.records
        if self.untold and self.held + 2 <= capacity:
            self.floor_ns = row.time_ns
            told = _Row(row.time_ns, LOST_RECORDS, (self.untold,), 1, 1, row.time_ns)
            self.rows.append(told)
            self.held += 1
            self.untold = 0
        fits = 0 if self.untold else min(row.records, capacity - self.held)
        if fits:
            start_ns = min(max(row.start_ns, self.floor_ns), row.time_ns)
            self.rows.append(row._replace(fits=fits, start_ns=start_ns))
            self.held += fits
        self.untold += row.records - fits
        self.lost += row.records - fits


class Trace:
    """The rings of all pcpus. Callers on a hot path test `is_on` first."""

    __slots__ = (
        "_capacity",
        "_clock",
        "_event_mask",
        "_here",
        "_here_ns",
        "_here_since_ns",
        "_pages",
        "_pcpu_mask",
        "_poll_ns",
        "_rings",
        "_stamp",
        "_taken",
        "_taken_records",
        "_threshold",
        "_timer",
        "_unpaid",
        "is_on",
        "reader",
    )

    def __init__(self, clock: Clock, pcpus: int) -> None:
        self.is_on = False
        # The process that polls the rings is told how many records it got, and of which events.
        self.reader: Callable[[int, int], object] | None = None
        self._unpaid = [0] * pcpus  # records whose cost no vcpu has been charged with
        self._clock = clock
        self._rings = [_Ring() for _ in range(pcpus)]
        self._pages = self._capacity = 0
        self._event_mask = 0
        self._pcpu_mask = (1 << pcpus) - 1
        self._poll_ns = DEFAULT_POLL_NS
        self._threshold = 1
        self._timer: Timer | None = None
        self._taken: list[tuple[int, list[_Row]]] = []
        self._taken_records = 0
        # Time of the last record. As with a real tsc, no two records have the same time: those of
        # one moment are a nanosecond apart, in the order in which they happened (judgement).
        self._stamp = -1
        self._here = 0  # the pcpu whose work ended last, at _here_ns, and when it began
        self._here_ns = self._here_since_ns = -1

    # Operations for a reader.

    def set_masks(self, event_mask: int, pcpu_mask: int) -> None:
        """Record these events (0: none) on these pcpus; the rings are made if necessary."""
        was_on = self.is_on
        self._event_mask = event_mask
        self._pcpu_mask = pcpu_mask & ((1 << len(self._rings)) - 1)
        self.is_on = bool(event_mask and self._pcpu_mask)
        if self.is_on and not self._pages:
            self.set_ring_pages(DEFAULT_RING_PAGES)
        if self.is_on and not was_on:
            for ring in self._rings:
                ring.idle_ns = self._clock.now
        self._set_timer()

    def set_ring_pages(self, pages: int) -> None:
        """Make the rings. Raises: Refused where they exist already, or for a bad size."""
        if self._pages:
            raise Refused(
                f"the trace buffers have {self._pages} pages already, and their size can be set "
                "only once per boot: leave out -S"
            )
        if not 1 <= pages <= MAX_RING_PAGES:
            raise Refused(
                f"the trace buffers cannot have {pages} pages: 1 to {MAX_RING_PAGES} are possible"
            )
        self._pages = pages
        self._capacity = ring_records(pages)

    def set_poll(self, poll_ns: int, threshold: int) -> None:
        """Empty the rings every `poll_ns`, if they hold `threshold` records or more."""
        if poll_ns < 1_000_000:
            raise Refused("the trace buffers cannot be polled more often than each millisecond")
        self._poll_ns = poll_ns
        self._threshold = threshold
        self._set_timer()

    def read(self) -> list[TraceRecord]:
        """Return the records since the last call, as they were taken, by pcpu."""
        self._take(1)
        records: list[TraceRecord] = []
        for pcpu, rows in self._taken:
            mine = [record for row in rows for record in _records(pcpu, row)]
            mine.sort(key=_time_ns)
            records += mine
            self._rings[pcpu].read += _counted(rows)
        self._taken = []
        self._taken_records = 0
        return records

    def status(self) -> TraceStatus:
        """Return the status of the rings."""
        rings = self._rings
        held = [_counted(ring.rows) for ring in rings]
        for pcpu, rows in self._taken:
            held[pcpu] += _counted(rows)
        return TraceStatus(
            ring_pages=self._pages,
            event_mask=self._event_mask,
            pcpu_mask=self._pcpu_mask,
            poll_ns=self._poll_ns,
            threshold=self._threshold,
            emitted=tuple(ring.emitted for ring in rings),
            read=tuple(ring.read for ring in rings),
            lost=tuple(ring.lost for ring in rings),
            held=tuple(held),
        )

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._clock.cancel(self._timer)
            self._timer = None
        if self.is_on:
            self._timer = self._clock.schedule(self._clock.now + self._poll_ns, self._poll)

    def _poll(self, _: object) -> None:
        self._timer = None
        before = self._taken_records
        self._take(self._threshold)
        if self.reader is not None:
            self.reader(self._taken_records - before, self._event_mask)
        self._set_timer()

    def _take(self, threshold: int) -> None:
        """Empty the rings that hold `threshold` records, as a reader's process does."""
        for pcpu, ring in enumerate(self._rings):
            if ring.held < threshold or self._taken_records + ring.held > MAX_TAKEN:
                continue
            self._taken.append((pcpu, ring.rows))
            self._taken_records += ring.held
            ring.rows = []
            ring.held = 0
            ring.floor_ns = self._clock.now

    # Events.

    def emit(
        self, pcpu: int, event: int, data: tuple[int, ...], count: int = 1, start_ns: int = -1
    ) -> None:
        """Record an event, or `count` of them since `start_ns`."""
        if not (self._pcpu_mask >> pcpu & 1 and is_selected(event, self._event_mask)):
            return
        now = self._stamp = max(self._clock.now, self._stamp + 1)
        ring = self._rings[pcpu]
        self._unpaid[pcpu] += count
        if count == 1 and not ring.untold and ring.held < self._capacity:
            ring.emitted += 1
            ring.held += 1
            ring.rows.append(_Row(now, event, data, 1, 1, now))
        else:
            row = _Row(now, event, data, count, 0, now if start_ns < 0 else start_ns)
            ring.put(row, self._capacity)

    def unpaid(self, pcpu: int) -> int:
        """Return how many records there have been since the last call."""
        records = self._unpaid[pcpu]
        self._unpaid[pcpu] = 0
        return records

    def switch(self, pcpu: int, previous: Vcpu | None, following: Vcpu | None, ns: int) -> None:
        """Record that `pcpu` switches from one vcpu to another (None: idle), for `ns` at most."""
        now = self._clock.now
        ring = self._rings[pcpu]
        if previous is None:
            old = (IDLE_DOMAIN, pcpu)
            ran_ns = now - ring.idle_ns
        else:
            old = (previous.domain.domid, previous.vcpu_id)
            ran_ns = now - previous.runstate.since_ns
        if following is None:
            new = (IDLE_DOMAIN, pcpu)
            waited_ns = now - ring.idle_ns
        else:
            new = (following.domain.domid, following.vcpu_id)
            runstate = following.runstate
            waited_ns = now - runstate.since_ns if runstate.state == RUNNABLE else 0
        if previous is None or following is None:
            ring.idle_ns = now
        self.emit(pcpu, SWITCH_INFPREV, (old[0], ran_ns))
        self.emit(pcpu, SWITCH_INFNEXT, (new[0], waited_ns, ns))
        self.emit(pcpu, SWITCH, old + new)

    def vcpu(self, event: int, vcpu: Vcpu, *more: int) -> None:
        """Record an event of a vcpu, on the pcpu that it belongs to (judgement)."""
        if self.is_on:
            self.emit(vcpu.processor, event, (vcpu.domain.domid, vcpu.vcpu_id, *more))

    def domain(self, event: int, domain: Domain) -> None:
        """Record an event of a domain, on the pcpu of its first vcpu (judgement)."""
        if self.is_on:
            self.emit(domain.vcpus[0].processor, event, (domain.domid,))

    def enter(self, vcpu: Vcpu, work: AnyWork) -> None:
        """Note which work of a running vcpu has ended, for later calls of `pages`."""
        pcpu = vcpu.pcpu
        if pcpu is not None:
            self._here = pcpu.number
            self._here_ns = self._clock.now
            self._here_since_ns = max(work.begun_ns, vcpu.runstate.since_ns)

    def pages(self, event: int, domid: int, count: int) -> None:
        """Record an operation on each of `count` pages of a domain.

        The records are spread over the work that has just ended, on its pcpu. Those of a device's
        own operation have the present time, on the pcpu that worked last (judgement).
        """
        if self.is_on and count:
            start_ns = self._here_since_ns if self._here_ns == self._clock.now else -1
            self.emit(self._here, event, (domid,), count, start_ns)

    def reservation(self, event: int, domid: int, pages: int) -> None:
        """Record one hypercall of a balloon driver."""
        if self.is_on:
            self.emit(self._here, event, (domid, pages))


def _records(pcpu: int, row: _Row) -> list[TraceRecord]:
    if row.records == 1:
        return [TraceRecord(row.time_ns, pcpu, row.event, row.data)]
    span_ns = row.time_ns - row.start_ns
    return [
        TraceRecord(row.start_ns + span_ns * number // row.records, pcpu, row.event, row.data)
        for number in range(1, row.fits + 1)
    ]


def _counted(rows: list[_Row]) -> int:
    """Return the number of records that rows stand for, without those that report losses."""
    return sum(row.fits for row in rows if row.event != LOST_RECORDS)


def _time_ns(record: TraceRecord) -> int:
    return record.time_ns
