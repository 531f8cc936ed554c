"""Sybase's way: a process for each processor, which takes the sessions in turns by itself.

An engine without a session that could run looks for one for a while before it lets its processor
go: what it looks for is work by the answers of the disk and by packets.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.oltp.session import Session

# Source: "runnable process search count", which is 2000 as delivered; a look takes 2.5 us of a P4
# (judgement), so that an engine looks for 5 ms.
SEARCHES: Final = 2000
SEARCH_UNITS: Final = 8
_LOOKS: Final = 20  # by how many pieces of work an engine looks as long


class Engines:
    """Lets sessions run on engines."""

    def __init__(self, site: Site, engines: Sequence[TaskIdentity]) -> None:
        self._site = site
        self._runnable: deque[Session] = deque()
        self._asleep = list(engines)
        self._looked: dict[int, int] = {task.tid: 0 for task in engines}
        self.searches = 0  # of all engines, for nothing

    def ready(self, session: Session) -> None:
        """Put a session into the queue, and wake an engine if none looks for it."""
        self._runnable.append(session)
        if self._asleep:
            self._next(self._asleep.pop())

    def freed(self, task: TaskIdentity) -> None:
        """Let an engine look for another session."""
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

    def _found_nothing(self, work: Work[Any]) -> None:
        self._looked[work.task.tid] += 1
        self.searches += SEARCHES // _LOOKS
        self._next(work.task)
