"""A guest's balloon driver: works its way to the target in batches of one frame list.

Source: drivers/xen/balloon/balloon.c (2.6.18): 512 frames a hypercall on x86_64. Where Xen has too
little, what it has becomes a hard limit; the driver goes there one second later, and stays until
the next target.
"""

from hypervisor.errors import Refused
from hypervisor.model.clock import Timer
from hypervisor.model.domain import Domain
from hypervisor.model.guest import Guest
from hypervisor.model.memory import Memory
from hypervisor.model.work import Work

PAGE_KIB = 4
BATCH_KIB = 2048
RETRY_NS = 1_000_000_000


class Balloon:
    """The worker of one domain."""

    def __init__(self, guest: Guest, memory: Memory) -> None:
        self._guest = guest
        self._domain: Domain = guest.domain
        self._memory = memory
        self._is_busy = False
        self._hard_limit_kib: int | None = None  # unknown until Xen refuses pages
        self._timer: Timer | None = None

    def set_target(self, kib: int) -> None:
        """Ask for `kib`; the work is done in the guest's own time."""
        self._domain.target_kib = kib
        self._hard_limit_kib = None
        if not self._is_busy:
            self._step()

    def _goal_kib(self) -> int:
        domain = self._domain
        # Without a maximum (domain 0) there are no more pages than it was booted with.
        goal = min(domain.target_kib, domain.maximum_kib or domain.configured_kib)
        if self._hard_limit_kib is not None:
            goal = min(goal, self._hard_limit_kib)
        return goal

    def _step(self) -> None:
        missing = self._goal_kib() - self._domain.memory_kib
        if not missing or self._domain.dying:
            self._is_busy = False
            return
        self._is_busy = True
        kib = min(abs(missing), BATCH_KIB)
        pages = kib // PAGE_KIB
        parts = self._guest.parts(("balloon_page", pages))
        self._guest.run(Work(parts, self._done, kib if missing > 0 else -kib))

    def _done(self, work: Work) -> None:
        kib: int = work.arg
        domain = self._domain
        if kib > 0:
            clock = self._guest.execution.clock
            try:
                self._memory.take(kib, clock.now)
            except Refused:
                there_kib = self._memory.free_kib // PAGE_KIB * PAGE_KIB
                self._hard_limit_kib = domain.memory_kib + there_kib
                self._is_busy = False
                if self._timer is None:
                    self._timer = clock.schedule(clock.now + RETRY_NS, self._retry)
                return
        else:
            self._memory.give_back(-kib)
        domain.memory_kib += kib
        self._step()

    def _retry(self, _: object) -> None:
        self._timer = None
        if not self._is_busy:
            self._step()
