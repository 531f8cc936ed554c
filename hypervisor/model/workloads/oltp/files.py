"""The files of a database on the first disk of its domain, read and written past the page cache."""

from collections.abc import Callable
from typing import Final

from hypervisor.model.storage.blkio import AnyBlockIo, BlockIo
from hypervisor.model.workloads.base import Site
from hypervisor.toolstack.config.devices import SECTOR_BYTES

MIB_SECTORS: Final = 2**20 // SECTOR_BYTES
LOG_SECTOR: Final = 7 * 1024 * MIB_SECTORS  # behind the largest database (judgement)
LOG_MIB: Final = 512  # then it begins again (judgement)


class Files:
    """The data file, from the first sector on, and the log."""

    def __init__(self, site: Site, database_mib: int, page_bytes: int) -> None:
        self._site = site
        self._page_bytes = page_bytes
        self.pages = database_mib * 2**20 // page_bytes
        self._log_sectors = 0  # written since the start

    def page(self, is_write: bool, pid: int, done: Callable[[AnyBlockIo], None]) -> AnyBlockIo:
        """Return the request for a page somewhere in the data file."""
        number = self._site.stream.uniform(self.pages)
        return self._io(
            number * self._page_bytes // SECTOR_BYTES, self._page_bytes, is_write, pid, done
        )

    def log(self, size_bytes: int, pid: int, done: Callable[[AnyBlockIo], None]) -> AnyBlockIo:
        """Return the request that writes the next bytes of the log, which fill whole sectors."""
        sector = LOG_SECTOR + self._log_sectors % (LOG_MIB * MIB_SECTORS)
        self._log_sectors += size_bytes // SECTOR_BYTES
        return self._io(sector, size_bytes, True, pid, done)

    def _io(
        self,
        sector: int,
        size_bytes: int,
        is_write: bool,
        pid: int,
        done: Callable[[AnyBlockIo], None],
    ) -> AnyBlockIo:
        now = self._site.clock.now
        io: AnyBlockIo = BlockIo(sector, size_bytes, is_write, done, now, None)
        io.pid = pid
        io.is_direct = True
        return io
