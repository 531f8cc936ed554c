"""A disk array, or the disks of a server: striped drives behind a cache.

Sequential reads are fetched ahead; with `is_write_back` a write is done when it is in the cache,
which has a battery, and goes to the drives later, in the order of sectors.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from hypervisor.model.storage.drive import Drive
from hypervisor.model.storage.request import BlockRequest, DiskRequest
from hypervisor.model.storage.writecache import LOT_SECTORS, WriteCache
from hypervisor.model.timing.clock import Clock
from hypervisor.toolstack.config.devices import SECTOR_BYTES

STRIPE_SECTORS: Final = 128  # 64 KiB on a drive before the next (judgement)
AHEAD_SECTORS: Final = 2048  # 1 MiB is fetched ahead (judgement)
STREAMS: Final = 32  # so many sequential readers are recognised (judgement)
DESTAGE_LOTS: Final = 4  # lots on their way to the drives at a time (judgement)

Done = Callable[[], None]


class _Transfer:
    """A transfer that several drives share; the last of them ends it."""

    __slots__ = ("done", "missing")

    def __init__(self, done: Done) -> None:
        self.done = done
        self.missing = 0

    def completed(self, requests: object) -> None:
        """Do nothing: the drives tell `part_done`."""

    def part_done(self, _: BlockRequest) -> None:
        self.missing -= 1
        if not self.missing:
            self.done()


class Array:
    """Drives with a cache; times are those inside the array."""

    def __init__(
        self,
        clock: Clock,
        drives: list[Drive],
        *,
        cache_bytes: int,
        is_write_back: bool,
        cached_read_ns: int,
        cached_write_ns: int,
    ) -> None:
        self._clock = clock
        self._drives = drives
        self._is_write_back = is_write_back
        self._cached_read_ns = cached_read_ns
        self._cached_write_ns = cached_write_ns
        self.sectors = sum(drive.sectors for drive in drives) // STRIPE_SECTORS * STRIPE_SECTORS
        self._dirty = WriteCache(cache_bytes // 2)
        self._room: deque[tuple[int, int, Done]] = deque()  # writes that wait for room
        self._destaging = 0
        self._destage_at = 0  # the sector behind the last lot that was destaged
        # Sequential readers: the sector behind the last read -> the sector fetched up to.
        self._streams: dict[int, int] = {}
        self._fetching: dict[int, list[tuple[int, Done]]] = {}  # by the end of what is fetched

    def transfer(self, start: int, end: int, *, is_write: bool, done: Done) -> None:
        """Read or write sectors, and call `done()`."""
        if not is_write:
            self._read(start, end, done)
        elif not self._is_write_back:
            self._move(start, end, is_write=True, done=done)
        elif self._room or not self._dirty.has_room((end - start) * SECTOR_BYTES):
            self._room.append((start, end, done))
            self._destage()
        else:
            self._keep(start, end, done)

    def _keep(self, start: int, end: int, done: Done) -> None:
        self._dirty.add(start, end)
        self._clock.schedule(self._clock.now + self._cached_write_ns, _call, done)
        self._destage()

    def _destage(self) -> None:
        """Write what the cache holds, a few lots at a time."""
        while self._destaging < DESTAGE_LOTS and self._dirty.bytes:
            start, end = self._dirty.next(self._destage_at)
            self._dirty.remove(start, end)
            self._destage_at = end
            self._destaging += 1
            self._move(start, end, is_write=True, done=self._destaged)

    def _destaged(self) -> None:
        self._destaging -= 1
        while self._room and self._dirty.has_room((self._room[0][1] - self._room[0][0]) * 512):
            start, end, done = self._room.popleft()
            self._dirty.add(start, end)
            self._clock.schedule(self._clock.now + self._cached_write_ns, _call, done)
        self._destage()

    def _read(self, start: int, end: int, done: Done) -> None:
        fetched = self._streams.pop(start, -1)
        if fetched < 0:  # no reader that is known: the next read of it will be
            self._remember(end, end)
            self._move(start, end, is_write=False, done=done)
            return
        first = max(start, fetched)
        # Fetch on when half of what was fetched ahead is used up.
        target = fetched
        if fetched - end < AHEAD_SECTORS // 2:
            target = min(max(end, fetched) + AHEAD_SECTORS, self.sectors)
        self._remember(end, target)
        if target > first:
            for at in range(first, target, LOT_SECTORS):
                lot_end = min(at + LOT_SECTORS, target)
                self._fetching[lot_end] = []
                self._move(at, lot_end, is_write=False, done=_Fetched(self, lot_end).done)
        waits = sorted(one for one in self._fetching if one - LOT_SECTORS < end and one > start)
        if waits:
            self._fetching[waits[-1]].append((end, done))
        else:
            self._clock.schedule(self._clock.now + self._cached_read_ns, _call, done)

    def _remember(self, end: int, fetched: int) -> None:
        self._streams[end] = fetched
        if len(self._streams) > STREAMS:
            del self._streams[next(iter(self._streams))]

    def fetched(self, lot_end: int) -> None:
        """Answer those who have waited for a lot that was fetched ahead."""
        for _, done in self._fetching.pop(lot_end, []):
            self._clock.schedule(self._clock.now + self._cached_read_ns, _call, done)

    def _move(self, start: int, end: int, *, is_write: bool, done: Done) -> None:
        """Move sectors between cache and drives, which are striped."""
        transfer = _Transfer(done)
        pieces: dict[int, list[tuple[int, int]]] = {}
        at = start
        while at < end:
            stripe, inside = divmod(at, STRIPE_SECTORS)
            size = min(STRIPE_SECTORS - inside, end - at)
            row, drive = divmod(stripe, len(self._drives))
            place = row * STRIPE_SECTORS + inside
            parts = pieces.setdefault(drive, [])
            if parts and parts[-1][1] == place:
                parts[-1] = (parts[-1][0], place + size)
            else:
                parts.append((place, place + size))
            at += size
        transfer.missing = sum(len(parts) for parts in pieces.values())
        for drive, parts in pieces.items():
            for first, last in parts:
                size_bytes = (last - first) * SECTOR_BYTES
                one = DiskRequest(transfer, first, size_bytes, is_write, None)
                self._drives[drive].start(BlockRequest(one, self._clock.now), transfer.part_done)


class _Fetched:
    """Tells an array that a lot has been fetched."""

    __slots__ = ("_array", "_lot_end")

    def __init__(self, array: Array, lot_end: int) -> None:
        self._array = array
        self._lot_end = lot_end

    def done(self) -> None:
        self._array.fetched(self._lot_end)


def _call(done: Done) -> None:
    done()
