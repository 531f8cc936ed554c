"""The database writer: dirty pages are written in bursts, and nobody waits for them at first."""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.work import AnyWork, TaskIdentity, Work
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.oltp.files import Files
from hypervisor.model.workloads.oltp.runner import Runner

BURST_PAGES: Final = 64  # written at a time (judgement)
LEAST_DIRTY: Final = 4 * BURST_PAGES  # pages that may be dirty in a small cache (judgement)


class Writer:
    """Writes pages that transactions have changed."""

    def __init__(
        self,
        site: Site,
        files: Files,
        runner: Runner,
        task: TaskIdentity | None,
        path: str,
        cache_pages: int,
    ) -> None:
        """`task` is its own process; it executes `path` for a page.

        No more than a quarter of `cache_pages` may be dirty (judgement).
        """
        self._site = site
        self._files = files
        self._runner = runner
        self.task = task
        self._path = path
        self._most_dirty = max(LEAST_DIRTY, cache_pages // 4)
        self._dirty = 0
        self._under_way = 0
        self._waiting: list[Callable[[], None]] = []
        self.pages = 0

    @property
    def is_behind(self) -> bool:
        """Return whether so much is dirty that transactions have to wait for free buffers."""
        return self._dirty >= self._most_dirty

    def wait(self, go_on: Callable[[], None]) -> None:
        """Call `go_on()` when pages have been written."""
        self._waiting.append(go_on)

    def changed(self, pages: int) -> None:
        """Note that a transaction has changed pages."""
        self._dirty += pages
        if self._dirty >= BURST_PAGES and not self._under_way:
            self._burst()

    def _burst(self) -> None:
        self._under_way = BURST_PAGES
        self._runner.ready(self)

    def work(self, task: TaskIdentity) -> AnyWork:
        """Return the work of writing a burst."""
        guest = self._site.guest
        ios = [self._files.page(True, task.tid, self._written) for _ in range(BURST_PAGES)]
        ios.sort(key=_sector)
        parts = guest.parts(
            (self._path, len(ios)),
            ("kernel_wake", 1),
            ("asynchronous_request", len(ios)),
            ("syscall", 2),
        )
        parts += self._site.disk.parts(guest, ios)
        return Work(parts, self._submit, ios, task=task)

    def _submit(self, work: Work[list[AnyBlockIo]]) -> None:
        self._site.disk.submit(work.arg, work.task.vcpu)
        self._runner.freed(work.task)

    def _written(self, io: AnyBlockIo) -> None:
        self.pages += 1
        self._dirty -= 1
        self._under_way -= 1
        if self._under_way:
            return
        if self._dirty >= BURST_PAGES:
            self._burst()
        waiting, self._waiting = self._waiting, []
        for go_on in waiting:
            go_on()


def _sector(io: AnyBlockIo) -> int:
    return io.sector
