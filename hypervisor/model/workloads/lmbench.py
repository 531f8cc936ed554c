"""lmbench: one operation of the kernel again and again, and what each takes.

Source: McVoy and Staelin, USENIX 1996.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Q, Work
from hypervisor.model.workloads.base import Site, working_set_kib

SWITCH: Final = "context_switch"
TESTS: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "null_call": (("syscall", 1),),
    "page_fault": (("page_fault", 1),),
    "fork": (("fork", 1),),
    "exec": (("fork", 1), ("exec", 1)),
    "sh": (("fork", 2), ("exec", 2), ("shell", 1)),
    SWITCH: (("syscall", 2),),  # a token goes round: written to a pipe, and read from it
}
"""The code paths of one operation of each test."""
_SHELL: Final = "hotplug_script"  # its program is at hand in every guest
_LOT_NS: Final = 1_000_000  # operations of one piece of work


class Lmbench:
    """Repeats the operation of a test; that of `context_switch` hands over to another process."""

    def __init__(self, site: Site, test: str, memory_mib: int | None = None) -> None:
        self._site = site
        self._test = test
        guest = site.guest
        path = guest.code.paths[guest.code.index[_SHELL]].program or ""
        memory_kib = working_set_kib("lmbench", memory_mib)
        processes = 2 if test == SWITCH else 1
        self._tasks = [guest.spawn(path, 1, memory_kib // processes)[0] for _ in range(processes)]
        cycles_q = sum(cycles for _, cycles in guest.parts(*TESTS[test]))
        self._own_ns = (cycles_q * 1000 // site.mhz) >> Q
        self._lot = 1 if test == SWITCH else max(1, _LOT_NS // self._own_ns)
        self._operations = 0
        self._began_ns = 0

    def start(self) -> None:
        """Start after a random delay."""
        delay_ns = self._site.stream.uniform(10_000_000)
        self._site.clock.schedule(self._site.clock.now + delay_ns, self._begin, None)

    def _begin(self, _: None) -> None:
        self._began_ns = self._site.clock.now
        self._go_on()

    def _go_on(self) -> None:
        guest, lot = self._site.guest, self._lot
        parts = guest.parts(*((path, count * lot) for path, count in TESTS[self._test]))
        task = self._tasks[self._operations % len(self._tasks)]
        guest.run(Work(parts, self._done, None, task=task))

    def _done(self, _: Work[None]) -> None:
        self._operations += self._lot
        if not self._site.domain.dying:
            self._go_on()

    def results(self) -> Mapping[str, Any]:
        """Return the operations done and what each took; of a switch, what it took besides."""
        each_ns = 0.0
        if self._operations:
            each_ns = (self._site.clock.now - self._began_ns) / self._operations
            each_ns -= self._own_ns if self._test == SWITCH else 0
        return {
            "kind": "lmbench",
            "test": self._test,
            "operations": self._operations,
            "operation_seconds": max(0.0, each_ns) / 1e9,
        }
