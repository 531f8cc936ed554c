"""Has the hypervisor trace: makes its trace buffers, chooses the events, reads, and ends it.

The buffers are made once: their size stays until the host boots again. There is one of them for
the whole host, so one program at a time can use it; what another has begun is not disturbed.
Source: xen/common/trace.c (tb_control), xen/include/public/sysctl.h (xen_sysctl_tbuf_op).
"""

import errno
import time
from typing import Callable, List, Optional, Sequence

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.tracing.rings import Ring, RingsShared, Window, map_rings
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.privcmd import Privcmd

ALL_EVENTS = 0xFFFFF000
SCHEDULING = 0x0002F000
RUNSTATES = 0x00021000
"""The changes of runstates and what goes with them: all that times and waits are made of."""
DEFAULT_PAGES = 32  # of each ring, as xentrace has them

_LOOKS = 12
_LOOK_SECONDS = 0.1  # xentrace empties its rings as often as that
_IDLE_LOOKS = 3  # nothing was written all that time, so nothing is traced


class Tracing:
    """The trace buffers of a host while this process uses them: from `start` to `stop`.

    One thread uses it. Leave it by `stop` also when a signal ends the process: otherwise the
    hypervisor goes on to trace until the rings are full, which costs a little and loses nothing.
    """

    def __init__(
        self, xen: Xen, privcmd: Privcmd, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """`wait` waits for so many seconds."""
        self._xen = xen
        self._privcmd = privcmd
        self._wait = wait
        self._rings: List[Ring] = []
        self._events = 0
        self._events_before = ALL_EVENTS
        self.is_on = False
        self.pages = 0
        """The pages of each ring; 0: they are not known yet."""

    def start(
        self,
        events: int,
        pcpus: Optional[Sequence[int]] = None,
        pages: Optional[int] = None,
    ) -> None:
        """Begin to trace: these events, by Xen's mask, on these pcpus (None: all).

        Rings that are there already are used as they are, whatever `pages` says.

        Raises:
            RingsShared: Another program uses them.
            HypercallFailed: The hypervisor refuses; ENOMEM: it has no memory for the rings.
        """
        if not self._rings:
            self._make(DEFAULT_PAGES if pages is None else pages)
        self._xen.disable_trace()  # which forgets the losses of a trace before this one
        self._xen.set_trace_events(events)
        self._events = events
        self.is_on = True
        self._choose(pcpus)
        for ring in self._rings:
            ring.skip()
        self._xen.enable_trace()

    def choose(self, events: int, pcpus: Optional[Sequence[int]] = None) -> None:
        """Trace other events, or on other pcpus, from now on."""
        self._xen.set_trace_events(events)
        self._events = events
        self._choose(pcpus)

    def read(self) -> List[Window]:
        """Return what was written since the last time, ring by ring.

        Raises:
            RingsShared: Another program has begun to use them; `stop` leaves them to it.
        """
        if self._xen.trace_info().event_mask != self._events:
            self._leave()
            raise RingsShared("has chosen other events")
        return self._taken()

    def stop(self) -> List[Window]:
        """End the trace, put the masks back, and return what was left in the rings."""
        if not self.is_on:
            return []
        # Losses are told with the record after them, so the rings are emptied before as well.
        windows = self._taken()
        self._xen.disable_trace()
        windows += self._taken()
        self._xen.set_trace_events(self._events_before)
        self._choose(None)  # which is Xen's default; what was there cannot be asked for
        self.is_on = False
        return windows

    def _taken(self) -> List[Window]:
        windows = []
        for ring in self._rings:
            try:
                data = ring.take()
            except RingsShared:
                self._leave()
                raise
            if data:
                windows.append(Window(ring.pcpu, data))
        return windows

    def _leave(self) -> None:
        """Leave the rings as they are to the program that uses them."""
        self.is_on = False
        self._rings = []

    def _choose(self, pcpus: Optional[Sequence[int]]) -> None:
        chosen = self._host_pcpus() if pcpus is None else pcpus
        self._xen.set_trace_pcpus(list(chosen))

    def _host_pcpus(self) -> Sequence[int]:
        return range(self._xen.physinfo().highest_pcpu + 1)

    def _make(self, pages: int) -> None:
        info = self._xen.trace_info()
        is_new = not info.size
        self._events_before = info.event_mask
        if is_new:
            # Making them begins the trace, with the events that are chosen already.
            self._xen.set_trace_size(pages)
            info = self._xen.trace_info()
        rings = map_rings(self._privcmd, info, len(self._host_pcpus()))
        if not is_new:
            self._look_around(rings)
        self._rings = rings
        self.pages = rings[0].pages

    def _look_around(self, rings: Sequence[Ring]) -> None:
        """Watch whether somebody reads the rings. Raises: RingsShared.

        Rings that are written and not read were left by a program that was killed.
        """
        positions = [ring.position() for ring in rings]
        for look in range(_LOOKS):
            self._wait(_LOOK_SECONDS)
            now = [ring.position() for ring in rings]
            if [one.read_to for one in now] != [one.read_to for one in positions]:
                raise RingsShared("reads them")
            if now == positions and look + 1 >= _IDLE_LOOKS:
                return


def why_refused(error: HypercallFailed) -> str:
    """Return what a refusal of the trace buffers means, in words."""
    return {
        errno.ENOMEM: "the hypervisor has no memory for rings of this size",
        errno.ENOSYS: "this hypervisor was built without trace buffers (CONFIG_TRACEBUFFER)",
    }.get(error.errno, str(error))
