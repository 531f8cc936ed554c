"""A real host's trace buffers as the programs above see tracers.

The records keep their events and words of Xen 4. Their times are the host's, counted from the
first record on, which is taken to be of the moment when the trace was begun.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

from hypervisor.errors import Refused
from hypervisor.live.agent.errors import AgentError, HypercallFailed
from hypervisor.live.agent.tracing.buffers import why_refused
from hypervisor.live.agent.tracing.records import LOST_RECORDS, records
from hypervisor.live.agent.tracing.rings import Window
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import TraceStatus

_EVERY_PCPU = (1 << 64) - 1


class Buffers(Protocol):
    """The trace buffers of a host: `agent.tracing.buffers.Tracing` or `FedTracing`."""

    @property
    def is_on(self) -> bool:
        """Whether it traces."""
        ...

    @property
    def pages(self) -> int:
        """The pages of each ring; 0: they are not known yet."""
        ...

    def start(
        self, events: int, pcpus: Sequence[int] | None = None, pages: int | None = None
    ) -> None:
        """Begin to trace."""
        ...

    def choose(self, events: int, pcpus: Sequence[int] | None = None) -> None:
        """Trace other events, or on other pcpus."""
        ...

    def read(self) -> list[Window]:
        """Return what was written since the last time."""
        ...

    def stop(self) -> list[Window]:
        """End the trace, and return what was left."""
        ...


class BufferTracer:
    """A tracer of a host with `pcpus` pcpus whose tsc counts `khz`.

    Whoever owns the host calls `read` often enough: nothing else empties the rings.
    """

    def __init__(
        self, buffers: Buffers, now_ns: Callable[[], int], *, pcpus: int, khz: int
    ) -> None:
        """`now_ns` tells the time of the host."""
        self._buffers = buffers
        self._now_ns = now_ns
        self._khz = khz
        self._pages: int | None = None
        self._masks = (0, 0)
        self._poll = (0, 0)
        self._begun_ns = 0
        self._first_tsc: int | None = None
        self._last_tsc: dict[int, int] = {}
        self._waiting: list[TraceRecord] = []  # taken while the masks were changed
        self._read = [0] * pcpus
        self._lost = [0] * pcpus

    def set_masks(self, event_mask: int, pcpu_mask: int) -> None:
        """Record these events (0: none) on these pcpus.

        Raises: Refused: another program uses the buffers, or the hypervisor denies them.
        """
        pcpus = None if pcpu_mask == _EVERY_PCPU else _bits(pcpu_mask)
        try:
            if not event_mask:
                self._waiting += self._records(self._buffers.stop())
            elif self._buffers.is_on:
                self._waiting += self._records(self._buffers.read())
                self._buffers.choose(event_mask, pcpus)
            else:
                self._begun_ns, self._first_tsc = self._now_ns(), None
                self._buffers.start(event_mask, pcpus, self._pages)
        except AgentError as error:
            raise _refused(error) from None
        self._masks = (event_mask, pcpu_mask)

    def set_ring_pages(self, pages: int) -> None:
        """Make rings of `pages` pages, once per boot. Raises: Refused where they exist already."""
        there = self._buffers.pages or self._pages
        if there and there != pages:
            raise Refused(f"the trace rings have {there} pages each until the host boots again")
        self._pages = pages

    def set_poll(self, poll_ns: int, threshold: int) -> None:
        """Note what is wanted; the rings are emptied by each `read`."""
        self._poll = (poll_ns, threshold)

    def read(self) -> list[TraceRecord]:
        """Return the records since the last call; those of each pcpu are in the order of time.

        Raises: Refused: another program has taken the buffers over.
        """
        taken, self._waiting = self._waiting, []
        if not self._buffers.is_on:
            return taken
        try:
            return taken + self._records(self._buffers.read())
        except AgentError as error:
            self._masks = (0, 0)
            self._waiting = taken
            raise _refused(error) from None

    def status(self) -> TraceStatus:
        """Return the masks, the sizes, and the numbers of records; what is held is not counted."""
        emitted = tuple(read + lost for read, lost in zip(self._read, self._lost, strict=True))
        return TraceStatus(
            self._buffers.pages,
            *self._masks,
            *self._poll,
            emitted=emitted,
            read=tuple(self._read),
            lost=tuple(self._lost),
            held=(0,) * len(emitted),
        )

    def _records(self, windows: Sequence[Window]) -> list[TraceRecord]:
        found = []
        known = [one for one in windows if one.pcpu < len(self._read)]  # others came up later
        if self._first_tsc is None and known:
            firsts = [one.tsc for window in known for one in islice(records(window), 1)]
            self._first_tsc = min(firsts, default=None)
        for window in known:
            tsc = self._last_tsc.get(window.pcpu, 0)
            for one in records(window, tsc):
                tsc = one.tsc
                found.append(self._record(window.pcpu, tsc, one.event, tuple(one.words)))
            self._last_tsc[window.pcpu] = tsc
        return found

    def _record(self, pcpu: int, tsc: int, event: int, words: tuple[int, ...]) -> TraceRecord:
        passed = tsc - (self._first_tsc or 0)
        time_ns = max(0, self._begun_ns + passed * 1_000_000 // self._khz)
        if event == LOST_RECORDS:
            self._lost[pcpu] += words[0] if words else 0
            words = words[:2]  # what follows is a tsc, of which nothing else here tells
        else:
            self._read[pcpu] += 1
        return TraceRecord(time_ns, pcpu, event, words)


def _bits(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _refused(error: AgentError) -> Refused:
    if isinstance(error, HypercallFailed):
        return Refused(f"the trace buffers: {why_refused(error)}")
    return Refused(str(error))
