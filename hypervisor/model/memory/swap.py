"""A guest's swap: a partition at the end of its first disk."""

from collections.abc import Callable
from typing import Final, TypeVar

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.io.devices import Devices
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.model.storage.blkif import BlockFrontend
from hypervisor.model.storage.blkio import AnyBlockIo, BlockIo
from hypervisor.model.timing.random_stream import Streams
from hypervisor.toolstack.config.devices import DISK_SECTORS, SECTOR_BYTES

Arg = TypeVar("Arg")

SECTORS_PER_KIB: Final = 1024 // SECTOR_BYTES
DISK_KIB: Final = DISK_SECTORS // SECTORS_PER_KIB
# RHEL 5 installation guide: twice the memory up to 2 GB, and what is beyond that once.
DOUBLE_UP_TO_KIB: Final = 2 * 1024 * 1024
# A fault reads 2**3 pages around the missing one (Linux 2.6.18, mm/swap.c, page_cluster).
CLUSTER_KIB: Final = 8 * PAGE_KIB


class Swap:
    """The partition, which does the transfers that its users request."""

    def __init__(self, guest: Guest, devices: Devices, streams: Streams) -> None:
        self._guest = guest
        self._devices = devices
        self._streams = streams
        self._first: BlockFrontend | None = None
        booted_kib = guest.domain.configured_kib
        self._size_kib = min(booted_kib + min(booted_kib, DOUBLE_UP_TO_KIB), DISK_KIB // 2)
        self._start_sector = (DISK_KIB - self._size_kib) * SECTORS_PER_KIB
        self._written_kib = 0  # offset of the next lot

    @property
    def _vbd(self) -> BlockFrontend | None:
        """Return the disk that was attached first, if it can be written."""
        vbds = self._devices.vbds
        if self._first is None and vbds:
            self._first = vbds[0]
        vbd = self._first
        return vbd if vbd is not None and vbd.spec.mode.startswith("w") else None

    @property
    def total_kib(self) -> int:
        """Return the size of the partition; 0 where there is none."""
        return self._size_kib if self._vbd is not None else 0

    def read(
        self,
        used_kib: int,
        kib: int,
        task: TaskIdentity,
        done: Callable[[BlockIo[Arg]], None],
        arg: Arg,
    ) -> None:
        """Read a cluster of `kib` somewhere in `used_kib`; call `done` when it has been read."""
        stream = self._streams.stream(f"{self._guest.domain.name}/swap")
        clusters = max(1, min(used_kib, self._size_kib) // CLUSTER_KIB)
        offset_kib = stream.uniform(clusters) * CLUSTER_KIB
        io = self._io(offset_kib, kib, False, done, arg)
        self._start(io, task, ("major_fault", 1), ("swap_in_page", kib // PAGE_KIB))

    def write(self, kib: int, task: TaskIdentity, done: Callable[[BlockIo[int]], None]) -> None:
        """Write a lot after the last one; call `done` when it is on the disk."""
        if self._written_kib + kib > self._size_kib:
            self._written_kib = 0
        io = self._io(self._written_kib, kib, True, done, kib)
        self._written_kib += kib
        self._start(io, task, ("swap_out_page", kib // PAGE_KIB))

    def _io(
        self,
        offset_kib: int,
        kib: int,
        is_write: bool,
        done: Callable[[BlockIo[Arg]], None],
        arg: Arg,
    ) -> BlockIo[Arg]:
        sector = self._start_sector + offset_kib * SECTORS_PER_KIB
        now = self._guest.execution.clock.now
        return BlockIo(sector, kib * 1024, is_write, done, now, arg)

    def _start(self, io: AnyBlockIo, task: TaskIdentity, *costs: tuple[str, int]) -> None:
        vbd = self._vbd
        assert vbd is not None  # without a disk nothing has been swapped out
        parts = self._guest.parts(*costs) + self._devices.driven(vbd).parts(self._guest, [io])
        self._guest.enqueue(Work(parts, self._submit, io, task=task))

    def _submit(self, work: Work[AnyBlockIo]) -> None:
        vbd = self._vbd
        assert vbd is not None
        self._devices.driven(vbd).submit([work.arg], work.task.vcpu)
