"""Trace rings that hold what a test puts there."""

from hypervisor.errors import Refused
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import TraceStatus


class FakeTracer:
    """A tracer of two pcpus; `queued` is read once. `masks` are those set last."""

    def __init__(self) -> None:
        self.queued: list[TraceRecord] = []
        self.masks = (0, 0)
        self.poll = (0, 0)
        self.pages = 0

    def set_masks(self, event_mask: int, pcpu_mask: int) -> None:
        self.masks = (event_mask, pcpu_mask)

    def set_ring_pages(self, pages: int) -> None:
        if self.pages:
            raise Refused("the size is set")
        self.pages = pages

    def set_poll(self, poll_ns: int, threshold: int) -> None:
        self.poll = (poll_ns, threshold)

    def read(self) -> list[TraceRecord]:
        taken, self.queued = self.queued, []
        return taken

    def status(self) -> TraceStatus:
        zeros = (0, 0)
        return TraceStatus(self.pages, *self.masks, *self.poll, zeros, zeros, zeros, zeros)
