"""A guest's balloon driver: works its way to the target in batches of one frame list.

Source: drivers/xen/balloon/balloon.c (2.6.18): 512 frames a hypercall on x86_64, retry after
one second when pages cannot be had.
"""

from hypervisor.errors import Refused
from hypervisor.model.domain import Domain
from hypervisor.model.guest import Guest
from hypervisor.model.memory import Memory
from hypervisor.model.work import Work

BATCH_KIB = 2048
RETRY_NS = 1_000_000_000


class Balloon:
    """The worker of one domain."""

    def __init__(self, guest: Guest, memory: Memory) -> None:
        self._guest = guest
        self._domain: Domain = guest.domain
        self._memory = memory
        self._is_busy = False
        self._hard_limit_kib: int | None = None

    def set_target(self, kib: int) -> None:
        """Ask for `kib`; the work is done in the guest's own time."""
        self._domain.target_kib = kib
        self._hard_limit_kib = None
        if not self._is_busy:
            self._step(None)

    def _goal_kib(self) -> int:
        goal = self._domain.target_kib
        if self._domain.maximum_kib is not None:
            goal = min(goal, self._domain.maximum_kib)
        if self._hard_limit_kib is not None:
            goal = min(goal, self._hard_limit_kib)
        return goal

    def _step(self, _: object) -> None:
        missing = self._goal_kib() - self._domain.memory_kib
        if not missing or self._domain.dying:
            self._is_busy = False
            return
        self._is_busy = True
        kib = min(abs(missing), BATCH_KIB)
        pages = kib // 4
        parts = self._guest.parts(("balloon_page", pages))
        self._guest.run(Work(parts, self._done, kib if missing > 0 else -kib))

    def _done(self, work: Work) -> None:
        kib: int = work.arg
        domain = self._domain
        if kib > 0:
            try:
                self._memory.take(kib)
            except Refused:  # Xen has no more: stick here, look again later
                self._hard_limit_kib = domain.memory_kib
                clock = self._guest.execution.clock
                clock.schedule(clock.now + RETRY_NS, self._retry)
                self._is_busy = False
                return
        else:
            self._memory.give_back(-kib)
        domain.memory_kib += kib
        self._step(None)

    def _retry(self, _: object) -> None:
        self._hard_limit_kib = None
        if not self._is_busy:
            self._step(None)
