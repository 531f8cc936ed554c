"""Has reports completed by whatever is traced, and traces runstates for reports alone."""

import contextlib
import threading
from typing import List, Optional, Sequence

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.tracing.buffers import RUNSTATES, Tracing
from hypervisor.live.agent.tracing.reports import TracedReports
from hypervisor.live.agent.tracing.rings import Window

_PERIOD_SECONDS = 0.2
_RETRY_SECONDS = 60.0  # after another program has taken the buffers


class FedTracing:
    """A use of the trace buffers, as `Tracing` is, that completes reports as it is read."""

    def __init__(self, tracing: Tracing, reports: TracedReports, khz: int) -> None:
        """`khz` is the speed of the tsc."""
        self._tracing = tracing
        self._reports = reports
        self._khz = khz

    @property
    def is_on(self) -> bool:
        """Whether it traces."""
        return self._tracing.is_on

    @property
    def pages(self) -> int:
        """The pages of each ring; 0: they are not known yet."""
        return self._tracing.pages

    def start(
        self, events: int, pcpus: Optional[Sequence[int]] = None, pages: Optional[int] = None
    ) -> None:
        """Begin to trace; see `Tracing.start`."""
        self._tracing.start(events, pcpus, pages)
        self._feed(events, pcpus)

    def choose(self, events: int, pcpus: Optional[Sequence[int]] = None) -> None:
        """Trace other events, or on other pcpus."""
        self._tracing.choose(events, pcpus)
        self._feed(events, pcpus)

    def read(self) -> List[Window]:
        """Return what was written since the last time."""
        try:
            windows = self._tracing.read()
            self._reports.add(windows)
        except Exception:
            self._reports.end()
            raise
        return windows

    def stop(self) -> List[Window]:
        """End the trace, and return what was left."""
        try:
            return self._tracing.stop()
        finally:
            self._reports.end()

    def _feed(self, events: int, pcpus: Optional[Sequence[int]]) -> None:
        """Begin to add up runstates if all of their changes are traced, and end it if not."""
        if events & RUNSTATES == RUNSTATES and pcpus is None:
            self._reports.begin(self._khz)
        else:
            self._reports.end()


def trace_runstates(tracing: FedTracing, reports: TracedReports, stop: threading.Event) -> None:
    """Trace runstates for reports until told to stop, again a minute after a failure."""
    while not stop.is_set():
        try:
            tracing.start(RUNSTATES)
            reports.problem = None
            while not stop.wait(_PERIOD_SECONDS):
                tracing.read()
        except AgentError as error:
            reports.problem = "trace: %s" % error
            stop.wait(_RETRY_SECONDS)
        except Exception as error:  # of rings that hold what they cannot
            reports.problem = "trace: it has failed: %r" % error
            stop.wait(_RETRY_SECONDS)
        finally:
            _stopped(tracing)


def _stopped(tracing: FedTracing) -> None:
    with contextlib.suppress(Exception):  # another program has the buffers, or they are broken
        tracing.stop()
