"""build: compiles the objects of a kernel.

All files are in the page cache; or its sources are read from the disk, until they are cached, and
its objects are written to it.

Source: Barham et al., SOSP 2003: Linux 2.4.21 takes 263 s alone on a 2.4 GHz Xeon, 7 % of it in the
kernel.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.workloads.base import Site, working_set_kib
from hypervisor.model.workloads.filework import FileWork
from hypervisor.model.workloads.places import BUILD

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


# A source with the headers that no other has read yet, and an object with its symbols (judgement):
# some 60 MB of sources, and 100 MB of objects.
SOURCE_BYTES: Final = 48 * 1024
OBJECT_BYTES: Final = 72 * 1024
RECORD_BYTES: Final = 4096
_FILE_PAGES: Final = (SOURCE_BYTES + OBJECT_BYTES) // 4096


class Build:
    """Compiles `jobs` objects at a time, as `make -j` does, and begins again at the end."""

    def __init__(
        self,
        site: Site,
        jobs: int,
        memory_mib: int | None = None,
        *,
        writes_objects: bool = False,
    ) -> None:
        self._site = site
        self._writes = writes_objects
        self._next_object = 0
        guest = site.guest
        program = guest.code.paths[guest.code.index["cc1_compute"]].program or ""
        memory_kib = working_set_kib("cc1", memory_mib)
        self._tasks = [guest.spawn(program, 1, memory_kib)[0] for _ in range(jobs)]
        self._objects = 0

    def start(self) -> None:
        """Start the jobs at slightly different times."""
        for task in self._tasks:
            delay_ns = self._site.stream.uniform(10_000_000)
            self._site.clock.schedule(self._site.clock.now + delay_ns, self._begin, task)

    def _begin(self, task: TaskIdentity) -> None:
        if self._writes:
            Compilation(self._site, task, self._next_object, self._compile, self._finished).read()
            self._next_object = (self._next_object + 1) % OBJECTS
        else:
            self._compile(task, self._done)

    def _compile(self, task: TaskIdentity, done: Callable[[Work[None]], None]) -> None:
        guest = self._site.guest
        guest.run(Work(guest.parts(*_PATHS), done, None, task=task))

    def _done(self, work: Work[None]) -> None:
        self._finished(work.task)

    def _finished(self, task: TaskIdentity) -> None:
        self._objects += 1
        if not self._site.domain.dying:
            self._begin(task)

    def results(self) -> Mapping[str, Any]:
        """Return the objects compiled."""
        return {"kind": "build", "objects": self._objects}


class Compilation:
    """The source and the object of one compilation, one behind the other on the disk."""

    def __init__(
        self,
        site: Site,
        task: TaskIdentity,
        number: int,
        compile_it: Callable[[TaskIdentity, Callable[[Work[None]], None]], None],
        finished: Callable[[TaskIdentity], None],
    ) -> None:
        """`number` is that of the object; `finished(task)` is called when it is written."""
        self._task = task
        self._compile = compile_it
        self._finished = finished
        page = BUILD.first + number * _FILE_PAGES
        self._source = FileWork(site, task, page, SOURCE_BYTES, "syscall")
        object_page = page + SOURCE_BYTES // RECORD_BYTES
        self._object = FileWork(site, task, object_page, OBJECT_BYTES, "syscall")

    def read(self) -> None:
        """Read the source, compile it, and write the object."""
        self._source.read(RECORD_BYTES, SOURCE_BYTES // RECORD_BYTES, self._was_read)

    def _was_read(self) -> None:
        self._compile(self._task, self._compiled)

    def _compiled(self, _: Work[None]) -> None:
        records = OBJECT_BYTES // RECORD_BYTES
        self._object.write(RECORD_BYTES, records, self._written, is_new=True)

    def _written(self) -> None:
        self._finished(self._task)
