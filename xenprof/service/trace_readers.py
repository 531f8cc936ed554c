"""Reads the trace rings for the service, and distributes the records to its readers.

The original's rings have one consumer; a second one would take records from the first. Here each
reader (xentrace, xenmon, the API) has masks and a queue of its own: the host records what any of
them needs, and each gets the records that it asked for. A slow reader loses the newest records and
is told how many; one that does not read for a minute is removed. On a real host another program
may take the rings over: that ends all readers, and each is told.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypervisor.errors import HostError, Refused
from hypervisor.host import Tracer
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import LOST_RECORDS, is_selected
from xenprof.errors import XenprofError
from xenprof.wire.trace import TraceReader

MAX_READERS = 8
MAX_WAITING = 200_000
"""Records that may wait for a reader (judgement: about 40 MB)."""
FORGET_SECONDS = 60.0


class UnknownReader(XenprofError):
    """Says that no reader has this number, or that it was removed."""

    http_status = 404

    def __init__(self, reader: int) -> None:
        """Name the reader in the message."""
        super().__init__(
            f"there is no trace reader {reader}; one that does not read for "
            f"{FORGET_SECONDS:.0f} seconds is ended"
        )


@dataclass(slots=True)
class _Reader:
    event_mask: int
    pcpu_mask: int
    poll_ns: int
    threshold: int
    seen_at: float
    waiting: list[TraceRecord] = field(default_factory=list)
    lost: Counter[int] = field(default_factory=Counter)  # by pcpu, not reported yet

    def give(self, records: Sequence[TraceRecord]) -> None:
        for record in records:
            if not self.pcpu_mask >> record.pcpu & 1:
                continue
            is_loss = record.event == LOST_RECORDS
            if not is_loss and not is_selected(record.event, self.event_mask):
                continue
            if len(self.waiting) >= MAX_WAITING:
                self.lost[record.pcpu] += record.data[0] if is_loss else 1
                continue
            if self.lost[record.pcpu]:
                count = self.lost.pop(record.pcpu)
                told = TraceRecord(record.time_ns, record.pcpu, LOST_RECORDS, (count,))
                self.waiting.append(told)
            self.waiting.append(record)

    def take(self) -> list[TraceRecord]:
        taken, self.waiting = self.waiting, []
        return taken


class TraceReaders:
    """Keeps all readers of a host. All methods run on the thread that owns the host."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds, by which readers that are gone are noticed."""
        self._clock = clock
        self._readers: dict[int, _Reader] = {}
        self._last_number = 0
        self._failure: HostError | None = None  # what ended all readers

    def start(
        self,
        tracer: Tracer,
        *,
        event_mask: int,
        pcpu_mask: int,
        ring_pages: int | None,
        poll_ns: int,
        threshold: int,
    ) -> int:
        """Start to record for a new reader; return its number.

        Raises: Refused for rings of another size, too many readers, or an empty mask.
        """
        if len(self._readers) >= MAX_READERS:
            raise Refused(f"{MAX_READERS} programs read the trace already: stop one of them first")
        pcpus = len(tracer.status().lost)
        if not pcpu_mask & (1 << pcpus) - 1:
            raise Refused(f"the cpu mask 0x{pcpu_mask:x} has none of the {pcpus} cpus in it")
        if not is_selected(event_mask, event_mask):
            raise Refused(f"the event mask 0x{event_mask:x} lets no event through: try 0x0002f000")
        if ring_pages is not None:
            tracer.set_ring_pages(ring_pages)
        self._deal(tracer)
        self._last_number += 1
        self._failure = None
        self._readers[self._last_number] = _Reader(
            event_mask, pcpu_mask, poll_ns, threshold, self._clock()
        )
        try:
            self._apply(tracer)
        except HostError:
            del self._readers[self._last_number]
            raise
        return self._last_number

    def read(self, tracer: Tracer, number: int) -> list[TraceRecord]:
        """Return the records for a reader. Raises: UnknownReader, Refused."""
        reader = self._find(number)
        reader.seen_at = self._clock()
        self._deal(tracer)
        return reader.take()

    def stop(self, tracer: Tracer, number: int) -> list[TraceRecord]:
        """End a reader; return its remaining records. Raises: UnknownReader, Refused."""
        self._find(number)
        self._deal(tracer)
        reader = self._readers.pop(number)
        self._apply(tracer)
        return reader.take()

    def tend(self, tracer: Tracer) -> None:
        """Remove readers that no longer read, and keep the host's own queue short."""
        if not self._readers:
            return
        with contextlib.suppress(HostError):  # readers are told of it when they read
            self._deal(tracer)
        oldest = self._clock() - FORGET_SECONDS
        gone = [number for number, one in self._readers.items() if one.seen_at < oldest]
        for number in gone:
            del self._readers[number]
        if gone:
            self._apply(tracer)

    def status(self) -> tuple[TraceReader, ...]:
        """Return the status of all readers."""
        return tuple(
            TraceReader(number, one.event_mask, one.pcpu_mask, len(one.waiting))
            for number, one in self._readers.items()
        )

    def _find(self, number: int) -> _Reader:
        if number not in self._readers:
            raise self._failure or UnknownReader(number)
        return self._readers[number]

    def _deal(self, tracer: Tracer) -> None:
        try:
            records = tracer.read()
        except HostError as error:
            self._failure = error
            self._readers.clear()
            raise
        for reader in self._readers.values():
            reader.give(records)

    def _apply(self, tracer: Tracer) -> None:
        """Set the host's masks and polling to satisfy all readers."""
        events = pcpus = 0
        for reader in self._readers.values():
            events |= reader.event_mask
            pcpus |= reader.pcpu_mask
        if self._readers:
            poll_ns = min(reader.poll_ns for reader in self._readers.values())
            threshold = min(reader.threshold for reader in self._readers.values())
            tracer.set_poll(poll_ns, threshold)
        tracer.set_masks(events, pcpus)
