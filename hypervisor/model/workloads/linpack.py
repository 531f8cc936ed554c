"""linpack: solves systems of N equations by LU with partial pivoting, as the Fortran program does.

For each column the rest of the matrix is walked over once. As long as that rest is in the cache, it
stays there; a larger one has left it before its turn comes again (least recently used). So of the
operations, all are streamed from memory until the rest fits, and none from there on.
"""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any, Final

from hypervisor.model.codebook.work import Q, TaskIdentity, Work
from hypervisor.model.workloads.base import Site

FLOPS_PER_UNIT: Final = 1000
NUMBER_BYTES: Final[Mapping[str, int]] = {"double": 8, "single": 4}
CACHED: Final = (
    (128, "linpack_cached_128k"),
    (512, "linpack_cached_512k"),
    (2048, "linpack_cached_2m"),
    (4096, "linpack_cached_4m"),
)
"""The paths of what is in the cache, by its size in KiB."""
_STREAMED: Final[Mapping[str, str]] = {
    "double": "linpack_streamed",
    "single": "linpack_streamed_single",
}
_LOT_FLOPS: Final = 1_000_000_000  # of one piece of work, so that its cycles stay small (judgement)

Phase = tuple[str, int]
"""A path, and operations of it."""


def flops_of(n: int) -> int:
    """Return the operations of a system: two thirds of the cube of `n`."""
    return 2 * n**3 // 3


def phases(n: int, precision: str, cache_kib: int) -> Sequence[Phase]:
    """Return the operations of a system of `n` equations, by path, in the order of their time."""
    number_bytes = NUMBER_BYTES[precision]
    sizes: list[tuple[int, str]] = []
    for kib, path in CACHED:
        sizes.append((isqrt(min(kib, cache_kib) * 1024 // number_bytes), path))
        if kib >= cache_kib:
            break
    found: list[Phase] = []
    below = 0
    for size, path in (*sizes, (n, _STREAMED[precision])):
        rest = min(size, n)
        if rest > below:
            found.append((path, flops_of(rest) - flops_of(below)))
            below = rest
    return found[::-1]


class Linpack:
    """Solves systems of `n` equations, one in each of `threads` of one process."""

    def __init__(
        self, site: Site, n: int, threads: int, precision: str, memory_mib: int | None = None
    ) -> None:
        self._site = site
        guest = site.guest
        self._phases = phases(n, precision, guest.execution.speeds.l2_kib)
        program = guest.code.paths[guest.path(self._phases[0][0])].program or ""
        if memory_mib is None:
            memory_kib = threads * n * n * NUMBER_BYTES[precision] // 1024 + 1024
        else:
            memory_kib = memory_mib * 1024
        self._tasks = guest.spawn(program, threads, memory_kib)
        self._at = [0] * threads  # the phase in which each thread is
        self._left = [0] * threads  # operations of that phase that are still to be begun
        self._works: list[Work[int] | None] = [None] * threads
        self._done_flops = 0
        self._solutions = 0
        self._began_ns = 0

    def start(self) -> None:
        """Start the threads at slightly different times, as programs do."""
        self._began_ns = self._site.clock.now
        for number in range(len(self._tasks)):
            delay_ns = self._site.stream.uniform(10_000_000)
            self._site.clock.schedule(self._site.clock.now + delay_ns, self._begin, number)

    def _begin(self, number: int) -> None:
        self._at[number] = 0
        self._left[number] = self._phases[0][1]
        self._run(number)

    def _run(self, number: int) -> None:
        guest = self._site.guest
        path = guest.path(self._phases[self._at[number]][0])
        flops = min(self._left[number], _LOT_FLOPS)
        self._left[number] -= flops
        cycles_q = (guest.code.cycles[path] * flops << Q) // FLOPS_PER_UNIT
        task: TaskIdentity = self._tasks[number]
        work = Work([(path, cycles_q)], self._next, number, task=task)
        self._works[number] = work
        guest.run(work)

    def _next(self, work: Work[int]) -> None:
        number = work.arg
        self._done_flops += self._flops_in(number)
        self._works[number] = None
        if self._site.domain.dying:
            return
        if self._left[number]:
            self._run(number)
            return
        self._at[number] += 1
        if self._at[number] < len(self._phases):
            self._left[number] = self._phases[self._at[number]][1]
            self._run(number)
            return
        self._solutions += 1
        self._begin(number)

    def _flops_in(self, number: int) -> int:
        """Return the operations that a thread has done of its present piece of work."""
        work = self._works[number]
        if work is None:
            return 0
        path = self._site.guest.path(self._phases[self._at[number]][0])
        cycles = self._site.guest.code.cycles[path]
        return -(-(work.executed_q * FLOPS_PER_UNIT) // (cycles << Q))

    def results(self) -> Mapping[str, Any]:
        """Return the operations done, and what linpack calls its result."""
        flops = self._done_flops + sum(self._flops_in(n) for n in range(len(self._works)))
        elapsed_ns = self._site.clock.now - self._began_ns
        return {
            "kind": "linpack",
            "flops": flops,
            "solutions": self._solutions,
            "mflops": flops * 1000 / elapsed_ns if elapsed_ns else 0.0,
        }
