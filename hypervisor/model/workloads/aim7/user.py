"""A user of AIM7: a process that runs its list of tests, and begins again with a new one."""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.timing.random_stream import RandomStream
from hypervisor.model.workloads.aim7.mixes import Mix
from hypervisor.model.workloads.aim7.tests import FILES, OPERATIONS, FileTest
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.filework import FileWork
from hypervisor.model.workloads.places import AIM7

LIST_TESTS: Final = 100
RECORD_BYTES: Final = 1024


class User:
    """Runs tests one after the other."""

    def __init__(
        self,
        site: Site,
        task: TaskIdentity,
        number: int,
        file_bytes: int,
        tests: "Deck",
        tested: Callable[[str], None],
    ) -> None:
        """`number` is that of the user; `tested(test)` is called when a test has been done.

        Files lie one behind the other; users whose files do not fit any more share the others'.
        """
        self._site = site
        self._task = task
        self._tests = tests
        self._tested = tested
        pages = -(-file_bytes // 4096)
        first = AIM7.first + number % (AIM7.pages // pages) * pages
        self._file = FileWork(site, task, first, file_bytes, "aim7_record")
        self._list: list[str] = []
        self._test = ""
        self._steps: list[FileTest] = []
        self.lists = 0

    def begin(self, _: object) -> None:
        """Begin with the first list."""
        self._next()

    def _next(self) -> None:
        """Begin the next test."""
        if not self._list:
            self._list = self._tests.deal()
        self._test = self._list.pop()
        guest = self._site.guest
        parts = OPERATIONS.get(self._test)
        if parts is None:
            self._steps = list(FILES[self._test])
            self._step()
        else:
            counts = list(parts)
            guest.run(Work(guest.parts_of(counts), self._computed, None, task=self._task))

    def _computed(self, _: Work[None]) -> None:
        self._done()

    def _step(self) -> None:
        """Begin the next step of a test with files."""
        if not self._steps:
            self._done()
            return
        step = self._steps.pop(0)
        records = max(1, self._file.size_bytes // RECORD_BYTES * step.percent // 100)
        if step.access == "read":
            self._file.read(RECORD_BYTES, records, self._step, is_random=step.is_random)
        else:
            self._file.write(
                RECORD_BYTES, records, self._step, is_random=step.is_random, is_sync=step.is_sync
            )

    def _done(self) -> None:
        self._tested(self._test)
        if not self._list:
            self.lists += 1
        if not self._site.domain.dying:
            self._next()


class Deck:
    """The tests of a mix, from which lists are dealt."""

    def __init__(self, mix: Mix, stream: RandomStream) -> None:
        self._stream = stream
        # As many of each test as its weight makes of a list; remainders go to the largest ones.
        total = sum(mix.weights.values())
        due = {test: weight * LIST_TESTS / total for test, weight in mix.weights.items()}
        counts = {test: int(count) for test, count in due.items()}
        missing = LIST_TESTS - sum(counts.values())
        for test in sorted(due, key=lambda test: counts[test] - due[test])[:missing]:
            counts[test] += 1
        self.counts = counts

    def deal(self) -> list[str]:
        """Return the tests of a list in random order."""
        tests = [test for test, count in self.counts.items() for _ in range(count)]
        for last in range(len(tests) - 1, 0, -1):
            other = self._stream.uniform(last + 1)
            tests[last], tests[other] = tests[other], tests[last]
        return tests
