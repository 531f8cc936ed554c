"""lmbench: one operation of the kernel again and again, and what each takes.

Source: McVoy and Staelin, USENIX 1996.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.workloads.base import Site, working_set_kib

SWITCH: Final = "context_switch"
PIPE: Final = "pipe"
TESTS: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "null_call": (("syscall", 1),),
    "null_io": (("null_io", 1),),
    "stat": (("stat_call", 1),),
    "open_close": (("open_close", 1),),
    "select": (("select_call", 1),),
    "signal_install": (("signal_install", 1),),
    "signal_handle": (("signal_handle", 1),),
    "page_fault": (("page_fault", 1),),
    "protection_fault": (("protection_fault", 1),),
    "mmap": (("map_file", 1),),
    "fork": (("fork", 1),),
    "exec": (("fork", 1), ("exec", 1)),
    "sh": (("fork", 2), ("exec", 2), ("shell", 1)),
    "create": (("file_create", 1),),
    "delete": (("file_delete", 1),),
    "create_10k": (("file_create_10k", 1),),
    "delete_10k": (("file_delete_10k", 1),),
    PIPE: (("pipe_exchange", 1),),
    SWITCH: (("syscall", 2),),  # a token goes round: written to a pipe, and read from it
}
"""The code paths of one operation of each test."""
_SHELL: Final = "hotplug_script"  # its program is at hand in every guest
_LOT_NS: Final = 1_000_000  # operations of one piece of work
PAGE_LINES: Final = 64
# What the kernel and the program touch on the way from one process to the next (judgement).
KERNEL_KIB: Final = 16


class Lmbench:
    """Repeats the operation of a test.

    That of `context_switch` hands a token over to the next of `processes`, each of which walks over
    an array of `working_kib`; that of `pipe` hands a message to another process. What a switch or
    the walk takes when nothing has to be fetched again does not count.
    """

    def __init__(
        self,
        site: Site,
        test: str,
        processes: int = 2,
        working_kib: int = 0,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._test = test
        guest = site.guest
        path = guest.code.paths[guest.code.index[_SHELL]].program or ""
        memory_kib = working_set_kib("lmbench", memory_mib)
        if test != SWITCH:
            processes = 2 if test == PIPE else 1
        self._tasks = [guest.spawn(path, 1, memory_kib // processes)[0] for _ in range(processes)]
        cycles = sum(guest.code.cycles[guest.path(name)] * count for name, count in TESTS[test])
        self._own_ns = cycles * 1000 // site.mhz
        self._parts = TESTS[test]
        if test == SWITCH:
            l2_kib = guest.execution.speeds.l2_kib
            self._parts += walked(processes, working_kib, l2_kib)
        self._lot = 1 if processes > 1 else max(1, _LOT_NS // self._own_ns)
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
        parts = guest.parts(*((path, count * lot) for path, count in self._parts))
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


def walked(processes: int, working_kib: int, l2_kib: int) -> tuple[tuple[str, int], ...]:
    """Return what a process fetches again of its array when it gets the token.

    Its TLB is empty and its lines are in the second-level cache, as long as the arrays of all are
    there; else all lines come from memory, since the array that is needed next left first.
    """
    pages = -(-working_kib // 4)
    is_held = processes * (working_kib + KERNEL_KIB) <= l2_kib
    lines = 0 if is_held else pages * PAGE_LINES
    return ("walk_page", pages), ("walk_line", lines)
