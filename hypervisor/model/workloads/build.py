"""build: compiles the objects of a kernel, all files of which are in the page cache.

Source: Barham et al., SOSP 2003: Linux 2.4.21 takes 263 s alone on a 2.4 GHz Xeon, 7 % of it in the
kernel.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.workloads.base import Site, working_set_kib

# A kernel with its usual configuration has 1300 to 1500 objects. Each takes 5 to 6 forks, 4 to 6
# execs (of make, sh, gcc, cc1, as) and 2500 to 3500 minor faults, and some thousands of calls find
# and read its headers (judgement).
OBJECTS: Final = 1400
FAULTS: Final = 3000
_FORKS: Final = 5
_EXECS: Final = 5
_CALLS: Final = 5000
_FAULTS_OF_FORK: Final = 25  # in the paths of costs.toml
_FAULTS_OF_EXEC: Final = 72
# 263 s less 7 %, for each object, in units of a thousand cycles.
_COMPILE_UNITS: Final = 263 * 2_400_000 * 93 // 100 // OBJECTS
_PATHS: Final = (
    ("cc1_compute", _COMPILE_UNITS),
    ("fork", _FORKS),
    ("exec", _EXECS),
    ("page_fault", FAULTS - _FORKS * _FAULTS_OF_FORK - _EXECS * _FAULTS_OF_EXEC),
    ("file_lookup", _CALLS),
)


class Build:
    """Compiles `jobs` objects at a time, as `make -j` does, and begins again at the end."""

    def __init__(self, site: Site, jobs: int, memory_mib: int | None = None) -> None:
        self._site = site
        guest = site.guest
        program = guest.code.paths[guest.code.index["cc1_compute"]].program or ""
        memory_kib = working_set_kib("cc1", memory_mib)
        self._tasks = [guest.spawn(program, 1, memory_kib)[0] for _ in range(jobs)]
        self._objects = 0

    def start(self) -> None:
        """Start the jobs at slightly different times."""
        for task in self._tasks:
            delay_ns = self._site.stream.uniform(10_000_000)
            self._site.clock.schedule(self._site.clock.now + delay_ns, self._compile, task)

    def _compile(self, task: TaskIdentity) -> None:
        guest = self._site.guest
        guest.run(Work(guest.parts(*_PATHS), self._done, None, task=task))

    def _done(self, work: Work[None]) -> None:
        self._objects += 1
        if not self._site.domain.dying:
            self._compile(work.task)

    def results(self) -> Mapping[str, Any]:
        """Return the objects compiled."""
        return {"kind": "build", "objects": self._objects}
