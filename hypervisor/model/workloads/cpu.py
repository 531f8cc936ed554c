"""cpu: threads that compute all the time."""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Q, Work
from hypervisor.model.workloads.base import Site, working_set_kib

UNIT_CYCLES: Final = 1000
"""What one unit of a computing path is to a program."""


class Cpu:
    """Runs endless computations in `threads` of one process; a unit is `cycles_per_unit`."""

    def __init__(
        self,
        site: Site,
        threads: int,
        cycles_per_unit: int,
        program: str,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._cycles_per_unit = cycles_per_unit
        path = site.guest.path(f"{program}_compute")
        self._program = site.guest.code.paths[path].program or program
        self._path = path
        self._threads = threads
        self._memory_kib = working_set_kib(program, memory_mib)
        self._works: list[Work[None]] = []

    def start(self) -> None:
        """Start the threads at slightly different times, as programs do."""
        guest = self._site.guest
        for task in guest.spawn(self._program, self._threads, self._memory_kib):
            work = Work.endless(self._path, task)
            self._works.append(work)
            delay_ns = self._site.stream.uniform(10_000_000)
            self._site.clock.schedule(self._site.clock.now + delay_ns, self._begin, work)

    def _begin(self, work: Work[None]) -> None:
        self._site.guest.run(work)

    def results(self) -> Mapping[str, Any]:
        """Return the units done, and their value in seconds of unshared pcpu time."""
        # An HVM guest's exits are in its path too, and are no work of the program.
        each = self._site.guest.code.cycles[self._path]
        cycles = sum(work.executed_q for work in self._works) * UNIT_CYCLES // each >> Q
        return {
            "kind": "cpu",
            "units": cycles // self._cycles_per_unit,
            "work_seconds": cycles / (self._site.mhz * 1e6),
        }
