"""The programs that read the trace buffers: xenbaked, and xenmon.py, which shows what it counts.

Whoever reads costs what xenbaked does. With the events that xenmon asks for, xenmon.py runs too.
Source: tools/xenmon (3.0.3).
"""

from typing import Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.trace_events import GENERAL, GRANT_TRANSFER, SCHED

XENMON_EVENTS: Final = GENERAL | SCHED | GRANT_TRANSFER & 0xFFFFF000
# xenmon.py reads 100 samples of 32 domains, six values each, every second: 19 200 values that
# Python of that time unpacks and adds up at about 0.4 us each (judgement).
REFRESH_NS: Final = 1_000_000_000
REFRESH_KILOCYCLES: Final = 25_000


class TraceReader:
    """A reader's processes in domain 0, which start when the buffers are first polled."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._refreshed_ns = 0
        self._tasks: list[TaskIdentity] = []  # of xenbaked and xenmon.py

    def poll(self, records: int, event_mask: int) -> None:
        """Have the process that polls the buffers wake, and count as many records."""
        guest = self._guest
        paths = guest.code.paths
        if not self._tasks:
            for name in ("xenbaked_record", "xenmon_refresh"):
                self._tasks += guest.spawn(paths[guest.code.index[name]].program or "")
        parts = guest.parts(("xenbaked_poll", 1), ("xenbaked_record", records))
        guest.run(Work(parts, None, None, task=self._tasks[0]))
        now = guest.execution.clock.now
        if event_mask == XENMON_EVENTS and now - self._refreshed_ns >= REFRESH_NS:
            self._refreshed_ns = now
            refresh = guest.parts(("xenmon_refresh", REFRESH_KILOCYCLES))
            guest.run(Work(refresh, None, None, task=self._tasks[1]))
