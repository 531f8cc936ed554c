"""An emulated IDE disk: commands of at most 128 KiB, one at a time.

A command is some writes to registers; then the vcpu goes on while qemu-dm's DMA thread moves the
data in chunks through domain 0's page cache; then an interrupt, and some reads to complete.
Source: tools/ioemu/hw/ide.c (3.0.3: MAX_MULT_SECTORS, dma_thread_func); drivers/ide (Linux 2.6.18),
from whose register protocol the accesses are counted.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from hypervisor.model.codebook.work import Parts, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.hvm.devicemodel import DeviceModel
from hypervisor.model.storage.blkif import BlockFrontend
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.storage.loop import HostCache, Loop
from hypervisor.model.storage.request import AnyDiskRequest, DiskRequest
from hypervisor.toolstack.config.devices import SECTOR_BYTES

COMMAND_BYTES: Final = 128 * 1024  # LBA28: 256 sectors
CHUNK_BYTES: Final = 8 * 1024  # 16 sectors
ACCESSES_TO_START: Final = 12  # eight task registers, and four of the bus master
ACCESSES_TO_END: Final = 7  # two of the bus master, and status and error registers


class Command:
    """A command, which is a part of `io`."""

    __slots__ = ("begun_ns", "io", "missing", "sector", "size_bytes")

    def __init__(self, io: AnyBlockIo, sector: int, size_bytes: int, begun_ns: int) -> None:
        self.io = io
        self.sector = sector
        self.size_bytes = size_bytes
        self.begun_ns = begun_ns
        self.missing = 0  # chunks


class EmulatedDisk:
    """One disk of a guest. It is a `FirstDisk`; its counters are those of the guest's `vbd`."""

    def __init__(self, model: DeviceModel, vbd: BlockFrontend, cache: HostCache) -> None:
        self._model = model
        self._guest = model.guest
        self._vbd = vbd
        self._waiting: deque[Command] = deque()
        self._is_busy = False
        thread = (model.pid, model.disk_thread)
        self._data = Loop(
            vbd.place, cache, model.server, thread, model.domid, self._moved, "qemu_ide_chunk"
        )

    def parts(self, guest: Guest, ios: Sequence[AnyBlockIo]) -> Parts:
        """Return the cost of `ios` in the guest's driver, without accesses."""
        commands = sum(-(-io.size_bytes // COMMAND_BYTES) for io in ios)
        return guest.parts(("ide_request", commands))

    def submit(self, ios: Sequence[AnyBlockIo], vcpu_id: int) -> None:
        """Queue `ios`, cut into commands."""
        now = self._guest.execution.clock.now
        for io in ios:
            io.vcpu = vcpu_id
            self._vbd.io_wait.begin(vcpu_id, io.done, now)
            for at in range(0, io.size_bytes, COMMAND_BYTES):
                size = min(COMMAND_BYTES, io.size_bytes - at)
                sector = self._vbd.place.base_sector + io.sector + at // SECTOR_BYTES
                self._waiting.append(Command(io, sector, size, now))
                io.missing += 1
            self._vbd.use.begin(io.missing, now)
        self._start()

    def _start(self) -> None:
        if self._is_busy or not self._waiting:
            return
        self._is_busy = True
        command = self._waiting.popleft()
        parts = self._guest.parts(("hvm_device_access", ACCESSES_TO_START))
        self._guest.interrupt(command.io.vcpu, Work(parts, self._written, command))

    def _written(self, work: Work[Command]) -> None:
        command = work.arg
        costs = [("qemu_ide_command", 1)]
        self._model.access(command.io.vcpu, ACCESSES_TO_START, costs, self._accepted, command)

    def _accepted(self, command: Command) -> None:
        """Let the DMA thread move the data, chunk by chunk."""
        chunks: list[DiskRequest[Command]] = []
        for at in range(0, command.size_bytes, CHUNK_BYTES):
            size = min(CHUNK_BYTES, command.size_bytes - at)
            sector = command.sector + at // SECTOR_BYTES
            chunks.append(
                DiskRequest(self, sector, size, command.io.is_write, command, self._model.pid)
            )
        command.missing = len(chunks)
        self._data.submit(chunks)

    def completed(self, requests: Sequence[DiskRequest[Any]]) -> None:
        """Nothing comes from the disk itself: the page cache is in between."""

    def _moved(self, chunks: Sequence[AnyDiskRequest]) -> None:
        command: Command = chunks[0].tag
        command.missing -= len(chunks)
        if not command.missing:
            self._model.serve([("qemu_interrupt", 1)], self._interrupt, command)

    def _interrupt(self, command: Command) -> None:
        if self._guest.domain.dying:
            return
        self._model.interrupts += 1
        parts = self._guest.parts(("evtchn_upcall", 1), ("hvm_device_access", ACCESSES_TO_END))
        self._guest.interrupt(0, Work(parts, self._interrupted, command))

    def _interrupted(self, work: Work[Command]) -> None:
        self._model.access(0, ACCESSES_TO_END, [], self._ended, work.arg)

    def _ended(self, command: Command) -> None:
        """Go on in the guest: the read or write is done, and the next command may begin."""
        self._is_busy = False
        io, vbd = command.io, self._vbd
        now = self._guest.execution.clock.now
        vbd.use.end(command.size_bytes, command.begun_ns, now, is_write=io.is_write)
        (vbd.writes if io.is_write else vbd.reads).add(now - command.begun_ns, now)
        io.missing -= 1
        self._start()
        if not io.missing:
            vbd.io_wait.end(io.vcpu, io.done, now)
            io.done(io)
