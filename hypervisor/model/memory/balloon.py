"""A guest's balloon driver: moves memory towards the target in batches of one frame list.

Source: drivers/xen/balloon/balloon.c (2.6.18): 512 frames a hypercall on x86_64. Its goal is the
least of the target, the hard limit and the memory map that the guest was booted with. If Xen has
too little, the memory reached becomes the hard limit until the next target; if the guest has too
little, the driver takes unneeded pages, and tries again one second later.
"""

from typing import Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.cpu.processtable import EVENTS
from hypervisor.model.domain.domain import Domain
from hypervisor.model.memory.pages import PAGE_KIB, Memory
from hypervisor.model.memory.paging import Paging
from hypervisor.model.timing.clock import Timer
from hypervisor.shutdown import SUSPEND
from hypervisor.trace_events import DECREASE_RESERVATION, INCREASE_RESERVATION

BATCH_KIB: Final = 2048
RETRY_NS: Final = 1_000_000_000


class Balloon:
    """The balloon of one domain, which takes pages from its memory management."""

    def __init__(self, guest: Guest, memory: Memory, paging: Paging) -> None:
        self._guest = guest
        self._kernel_thread = guest.table.kernel_thread(EVENTS)
        self._memory = memory
        self.paging = paging
        # Without a maximum (domain 0), the map has the pages that it was booted with.
        self._map_kib = self._domain.maximum_kib or self._domain.configured_kib
        self._is_busy = False
        self._hard_limit_kib: int | None = None  # unknown until Xen refuses pages
        self._is_host_short = False  # Xen had no more pages free when it set the hard limit
        self._is_guest_short = False  # the guest had too few unneeded pages for the last lot
        self._timer: Timer | None = None

    @property
    def _domain(self) -> Domain:
        return self._guest.domain

    def set_target(self, kib: int) -> None:
        """Set the target; the work is done in the guest's own time. HVM guests have no driver."""
        self._domain.target_kib = kib
        if self._domain.kind == "hvm":
            return
        self._hard_limit_kib = None
        self._is_host_short = False
        if not self._is_busy:
            self._step()

    def state(self, target_kib: int) -> str:
        """Return why the guest's memory is not `target_kib`: see `DomainSnapshot.balloon`.

        `target_kib` is xend's target, which the guest may not have read yet.
        """
        domain = self._domain
        memory_kib = domain.memory_kib
        if memory_kib == target_kib:
            return "reached"
        if domain.kind == "hvm" or self._is_gone():
            return "no_driver"
        if memory_kib > target_kib:
            return "guest_short" if self._is_guest_short else "shrinking"
        if memory_kib >= self._maximum_kib():
            return "maximum"
        if self._is_host_short:
            return "host_short"
        # A limit that mem-max has set holds until the next target, also if it is raised.
        hard_limit_kib = self._hard_limit_kib
        is_at_limit = hard_limit_kib is not None and memory_kib >= hard_limit_kib
        return "maximum" if is_at_limit else "growing"

    def _maximum_kib(self) -> int:
        """Return the most that the guest can have: its memory map, and what mem-max allows."""
        maximum_kib = self._domain.maximum_kib
        return self._map_kib if maximum_kib is None else min(self._map_kib, maximum_kib)

    def _is_gone(self) -> bool:
        """Return whether the guest's kernel runs no driver any more."""
        domain = self._domain
        has_ended = domain.shutdown_reason not in (None, SUSPEND)
        return has_ended or domain.dying or self.paging.has_panicked

    def proc_text(self) -> str:
        """Return the text of /proc/xen/balloon."""
        hard_limit = self._hard_limit_kib
        current_kib = self._domain.memory_kib
        lines = [
            ("Current allocation", f"{current_kib:8} kB"),
            ("Requested target", f"{self._domain.target_kib:8} kB"),
            ("Low-mem balloon", f"{max(0, self._map_kib - current_kib):8} kB"),
            ("High-mem balloon", f"{0:8} kB"),  # none on x86_64
            ("Driver pages", f"{0:8} kB"),  # pages of drivers are not modelled
            ("Xen hard limit", "     ??? kB" if hard_limit is None else f"{hard_limit:8} kB"),
        ]
        return "".join(f"{head + ':':20}{value}\n" for head, value in lines)

    def _goal_kib(self) -> int:
        goal = min(self._domain.target_kib, self._map_kib)
        if self._hard_limit_kib is not None:
            goal = min(goal, self._hard_limit_kib)
        return goal

    def _step(self) -> None:
        missing = self._goal_kib() - self._domain.memory_kib
        if missing >= 0:
            self.paging.release()
        if not missing or self._domain.dying or self.paging.has_panicked:
            self._is_busy = False
            return
        kib = wanted = min(abs(missing), BATCH_KIB)
        self._is_guest_short = False
        if missing < 0:
            kib = self.paging.take(wanted)
            self._is_guest_short = kib < wanted
            if kib < wanted:
                if not self._is_stopped():
                    self.paging.reclaim(wanted - kib)
                self._try_later()
        self._is_busy = kib > 0
        if kib:
            parts = self._guest.parts(("balloon_page", kib // PAGE_KIB))
            arg = (kib if missing > 0 else -kib, kib < wanted)
            self._guest.run(Work(parts, self._done, arg, task=self._kernel_thread))

    def _done(self, work: Work[tuple[int, bool]]) -> None:
        kib, is_short = work.arg
        domain = self._domain
        if kib > 0:
            got_kib = self._grown(kib)
            self._trace(INCREASE_RESERVATION, got_kib)
            if got_kib < kib:  # give a partial lot back, and fetch it when the goal is known
                self._memory.give_back(got_kib)
                self._trace(DECREASE_RESERVATION, got_kib)
                self._hard_limit_kib = domain.memory_kib + got_kib
                self._is_host_short = self._hard_limit_kib < self._maximum_kib()
                is_short = True
                self._try_later()
            else:
                domain.memory_kib += kib
        else:
            self._memory.give_back(-kib)
            self._trace(DECREASE_RESERVATION, -kib)
            domain.memory_kib += kib
            self.paging.shrunk(-kib)
        if is_short:
            self._is_busy = False
        else:
            self._step()

    def _grown(self, kib: int) -> int:
        """Return how much of `kib` Xen gives: what it has free and mem-max allows."""
        domain = self._domain
        if domain.maximum_kib is not None:
            kib = max(0, min(kib, domain.maximum_kib - domain.memory_kib))
        return self._memory.take_up_to(kib, self._guest.execution.clock.now)

    def _trace(self, event: int, kib: int) -> None:
        trace = self._guest.execution.trace
        if trace.is_on and kib:
            trace.reservation(event, self._domain.domid, kib // PAGE_KIB)

    def _try_later(self) -> None:
        if self._timer is None and not self._domain.dying and not self.paging.has_panicked:
            clock = self._guest.execution.clock
            self._timer = clock.schedule(clock.now + RETRY_NS, self._retry)

    def _retry(self, _: object) -> None:
        self._timer = None
        if self._is_stopped():
            self._try_later()
        elif not self._is_busy:
            self._step()

    def _is_stopped(self) -> bool:
        domain = self._domain
        return domain.pause_count > 0 or domain.shutdown_reason is not None
