"""Write-back: when dirty pages are written, and when those who make them have to wait.

Source: Linux 2.6.18, mm/page-writeback.c (get_dirty_limits, balance_dirty_pages,
background_writeout, wb_kupdate).
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from hypervisor.model.storage.pagecache import Extent, PageCache
from hypervisor.model.timing.clock import Clock

DIRTY_PERCENT: Final = 40  # vm.dirty_ratio
BACKGROUND_PERCENT: Final = 10  # vm.dirty_background_ratio
LEAST_PERCENT: Final = 5
PERIOD_NS: Final = 5_000_000_000  # dirty_writeback_centisecs
EXPIRE_NS: Final = 30_000_000_000  # dirty_expire_centisecs
# So much is on its way at a time: what a ring of 32 requests holds, and as much again, waits in a
# queue that pdflush finds congested (judgement).
UNDER_WAY_PAGES: Final = 704
_ALWAYS: Final = 1 << 62


class Writeback:
    """Writes the dirty pages of a cache (pdflush), and holds back who makes too many."""

    def __init__(
        self,
        clock: Clock,
        cache: PageCache,
        limits: Callable[[], tuple[int, int]],
        start: Callable[[list[Extent]], None],
    ) -> None:
        """`limits()` are the pages that may be cached, and those of programs, which are mapped.

        `start(extents)` begins to write; the caller tells `written` of each when it is done.
        """
        self._clock = clock
        self._cache = cache
        self._limits = limits
        self._start = start
        self.under_way_pages = 0
        self._at = 0  # the page behind the last one that was written
        self._is_periodic = False
        self._is_flushing = False
        self._throttled: deque[Callable[[], None]] = deque()
        self._flushed: deque[Callable[[], None]] = deque()

    def thresholds(self) -> tuple[int, int]:
        """Return the pages from which pdflush writes, and from which writers have to wait."""
        room, mapped = self._limits()
        available = room + mapped
        unmapped_percent = 100 - mapped * 100 // max(1, available)
        dirty = max(LEAST_PERCENT, min(DIRTY_PERCENT, unmapped_percent // 2))
        background = BACKGROUND_PERCENT if dirty > BACKGROUND_PERCENT else dirty // 2
        return available * background // 100, available * dirty // 100

    @property
    def unwritten_pages(self) -> int:
        """Return the pages that are dirty or being written."""
        return self._cache.dirty_pages + self.under_way_pages

    def dirtied(self) -> None:
        """Look after pages that have become dirty."""
        if not self._is_periodic:
            self._is_periodic = True
            self._clock.schedule(self._clock.now + PERIOD_NS, self._period)
        self._write()

    def is_over(self) -> bool:
        """Return whether who makes pages dirty has to wait."""
        return self.unwritten_pages > self.thresholds()[1]

    def throttle(self, go_on: Callable[[], None]) -> None:
        """Call `go_on()` when enough has been written."""
        self._throttled.append(go_on)
        self._write()

    def flush(self, done: Callable[[], None]) -> None:
        """Write all that is dirty, and call `done()` (fsync)."""
        self._flushed.append(done)
        self._is_flushing = True
        self._write()
        self._wake()

    def written(self, pages: int) -> None:
        """Note that pages have been written."""
        self.under_way_pages -= pages
        self._write()
        self._wake()

    def _wake(self) -> None:
        if self._throttled and not self.is_over():
            waiting = list(self._throttled)
            self._throttled.clear()
            for go_on in waiting:
                go_on()
        if not self.unwritten_pages:
            self._is_flushing = False
            flushed = list(self._flushed)
            self._flushed.clear()
            for done in flushed:
                done()

    def _period(self, _: object) -> None:
        self._is_periodic = self._cache.dirty_pages > 0
        if self._is_periodic:
            self._clock.schedule(self._clock.now + PERIOD_NS, self._period)
        self._begin(self._clock.now - EXPIRE_NS)

    def _write(self) -> None:
        """Write while there is more than pdflush leaves alone."""
        is_due = self._is_flushing or bool(self._throttled)
        if not is_due:
            is_due = self.unwritten_pages > self.thresholds()[0]
        if is_due:
            self._begin(_ALWAYS)

    def _begin(self, before_ns: int) -> None:
        room = UNDER_WAY_PAGES - self.under_way_pages
        if room < UNDER_WAY_PAGES // 4 or not self._cache.dirty_pages:
            return
        extents = self._cache.take_dirty(self._at, room, before_ns)
        if extents:
            self._at = extents[-1][0] + extents[-1][1]
            self.under_way_pages += sum(count for _, count in extents)
            self._start(extents)
