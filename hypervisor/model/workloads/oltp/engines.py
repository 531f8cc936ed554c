"""Sybase's way: a process for each processor, which takes all that is to run in turns by itself.

An engine that finds nothing that could run looks for it for a while before it lets its processor
go: what it looks for is work by the answers of the disk and by packets.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.oltp.runner import Runnable

# Source: "runnable process search count", which is 2000 as delivered; a look takes 2.5 us of a P4
# (judgement), so that an engine looks for 5 ms.
SEARCHES: Final = 2000
SEARCH_UNITS: Final = 8
_LOOKS: Final = 20  # by how many pieces of work an engine looks so long: a grain (judgement)


class Engines:
    """Lets sessions, the log and the writer run on engines."""

    def __init__(self, site: Site, engines: Sequence[TaskIdentity]) -> None:
        self._site = site
        self._runnable: deque[Runnable] = deque()
        self._asleep = list(engines)
        self._looked: dict[int, int] = {task.tid: 0 for task in engines}
        self.searches = 0  # of all engines, for nothing

    def ready(self, one: Runnable) -> None:
        """Put it into the queue, and wake an engine if none looks for it."""
        self._runnable.append(one)
        if self._asleep:
            self._next(self._asleep.pop())

    def freed(self, task: TaskIdentity) -> None:
        """Let an engine look for what is next."""
        self._looked[task.tid] = 0
        self._next(task)

    def _next(self, task: TaskIdentity) -> None:
        if self._site.domain.dying:
            return
        if self._runnable:
            self._site.guest.run(self._runnable.popleft().work(task))
        elif self._looked[task.tid] < _LOOKS:
            units = SEARCHES * SEARCH_UNITS // _LOOKS
            parts = self._site.guest.parts(("sybase_poll", units))
            self._site.guest.run(Work(parts, self._found_nothing, None, task=task))
        else:
            self._looked[task.tid] = 0
            self._asleep.append(task)

    def _found_nothing(self, work: Work[None]) -> None:
        self._looked[work.task.tid] += 1
        self.searches += SEARCHES // _LOOKS
        self._next(work.task)
