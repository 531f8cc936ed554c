"""mm/page-writeback.c's dirty limits: background at 10 %, writers wait at 40 % of what can be cached."""

import pytest

from hypervisor.model.storage.pagecache import PageCache
from hypervisor.model.storage.writeback import Writeback
from hypervisor.model.timing.clock import Clock

SECOND = 1_000_000_000


class Disk:
    """Writes nothing until it is told to."""

    def __init__(self, room=1000, mapped=0):
        self.clock = Clock()
        self.cache = PageCache(lambda: room)
        self.started = []
        self.writeback = Writeback(self.clock, self.cache, lambda: (room, mapped), self.start)

    def start(self, extents):
        self.started.append(sum(count for _, count in extents))

    def write(self, page, count):
        self.cache.write(page, count, self.clock.now)
        self.writeback.dirtied()


@pytest.mark.parametrize(
    ("room", "mapped", "expected"),
    [(1000, 0, (100, 400)), (500, 500, (100, 250)), (200, 800, (50, 100)), (50, 950, (20, 50))],
)
def test_limits_are_parts_of_memory_and_less_where_much_is_mapped(room, mapped, expected):
    assert Disk(room, mapped).writeback.thresholds() == expected


def test_nothing_is_written_below_the_background_limit_and_what_is_old_after_30_seconds():
    disk = Disk()
    disk.write(0, 100)
    disk.clock.run_until(29 * SECOND)
    assert disk.started == []
    disk.clock.run_until(36 * SECOND)
    assert disk.started == [100]


def test_pdflush_writes_above_the_background_limit():
    disk = Disk()
    disk.write(0, 101)
    assert disk.started == [101]


def test_a_writer_waits_above_the_limit_until_enough_is_written():
    disk = Disk()
    disk.write(0, 401)
    assert disk.writeback.is_over()
    went_on = []
    disk.writeback.throttle(lambda: went_on.append(disk.clock.now))
    assert went_on == []
    disk.writeback.written(disk.started[0])
    assert len(went_on) == 1


def test_a_flush_ends_when_all_is_on_the_disk():
    disk = Disk()
    disk.write(0, 10)
    done = []
    disk.writeback.flush(lambda: done.append(True))
    assert (disk.started, done) == ([10], [])
    disk.writeback.written(10)
    assert done == [True]
