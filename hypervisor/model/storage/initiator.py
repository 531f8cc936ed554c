"""The initiator of a guest (open-iscsi): a LUN that the guest attaches itself.

Its commands and data are packets of the guest's own interface: domain 0 moves them from card to
bridge to netback, and its block layer has no part in it. Source: drivers/scsi/iscsi_tcp.c (2.6.18).
"""

from collections.abc import Callable
from typing import Final, Protocol

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.scenario.scsinames import MOST_DISKS, scsi_name, scsi_number
from hypervisor.model.storage.blkstat import IoWait
from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.elevators import DEFAULT_ELEVATOR
from hypervisor.model.storage.owndisk import OwnDisk
from hypervisor.model.storage.request import BlockRequest, Device, Finished
from hypervisor.model.storage.stores import Place, Stores

MSS_BYTES: Final = 1448
HEADER_BYTES: Final = 52
SUPER_BYTES: Final = 22 * MSS_BYTES  # TSO cuts to half of a window of 64 KiB
PAGE_BYTES: Final = 4096
COMMAND_BYTES: Final = 48  # a basic header segment
# MaxRecvDataSegmentLength of open-iscsi. A larger command comes in as several of these, which the
# stack takes one after the other: here a command is no larger.
PDU_BYTES: Final = 128 * 1024

Costs = list[tuple[str, int]]


class Counters(Protocol):
    """The counters of an interface."""

    def received(self, packets: int, size_bytes: int) -> None:
        """Count IP packets of this size together that have come in."""
        ...

    def transmitted(self, packets: int, size_bytes: int) -> None:
        """Count IP packets of this size together that have gone out."""
        ...


class _Command:
    """A command of a session, and whom to tell of its end."""

    __slots__ = ("finished", "request")

    def __init__(self, request: BlockRequest, finished: Finished) -> None:
        self.request = request
        self.finished = finished


class Session:
    """Takes commands of a guest's block queue to a target, and data back (`Device`).

    It charges what packets cost in the guest and in domain 0, and counts them at the interface.
    They are not held up by `rate=` or by other traffic of the card, and their acknowledgements
    are in the initiator's cost (a plain default, for flows of `hypervisor.model.network`).
    """

    def __init__(
        self,
        guest: Guest,
        server: Guest,
        target: Device,
        traffic: Callable[[], Counters | None],
        *,
        flip: bool,
    ) -> None:
        """`server` is domain 0; `traffic()` are the counters of the guest's interface."""
        self._guest = guest
        self._server = server
        self._target = target
        self._traffic = traffic
        self._receive_packet = f"netback_receive_packet_{'flip' if flip else 'copy'}"
        self._is_flipping = flip
        self.depth = target.depth
        self.sectors = target.sectors

    def start(self, request: BlockRequest, finished: Finished) -> None:
        """Send a command, a write with its data, through the guest's stack and netfront."""
        size_bytes = request.bytes if request.is_write else COMMAND_BYTES
        packets, pages = -(-size_bytes // SUPER_BYTES), -(-size_bytes // PAGE_BYTES)
        traffic = self._traffic()
        if traffic is not None:
            traffic.transmitted(packets, size_bytes + packets * HEADER_BYTES)
        costs: Costs = [
            ("netfront_transmit_batch", 1),
            ("netfront_transmit_packet", packets),
            ("netfront_transmit_slot", pages - packets),
            ("lun_kib", size_bytes // 1024),
        ]
        work = self._guest.work(costs, self._sent, _Command(request, finished))
        self._guest.interrupt(0, work)

    def _sent(self, work: Work[_Command]) -> None:
        request = work.arg.request
        size_bytes = request.bytes if request.is_write else COMMAND_BYTES
        packets, pages = -(-size_bytes // SUPER_BYTES), -(-size_bytes // PAGE_BYTES)
        costs: Costs = [
            ("evtchn_upcall", 1),
            ("netback_transmit_batch", 1),
            ("netback_transmit_packet", packets),
            ("netback_transmit_slot", pages - packets),
            ("bridge_packet", packets),
            ("nic_transmit_packet", packets),
        ]
        self._serve(costs, self._forwarded, work.arg)

    def _serve(
        self, costs: Costs, handler: Callable[[Work[_Command]], None], command: _Command
    ) -> None:
        parts = self._server.parts(*costs)
        beneficiary = self._guest.domain.domid
        self._server.interrupt(0, Work(parts, handler, command, beneficiary=beneficiary))

    def _forwarded(self, work: Work[_Command]) -> None:
        command = work.arg
        if not self._guest.domain.dying:
            self._target.start(command.request, _Answer(self, command).answered)

    def answered(self, command: _Command) -> None:
        """Take the packets of an answer from the card, a read's with its data."""
        request = command.request
        size_bytes = COMMAND_BYTES if request.is_write else request.bytes
        packets = -(-size_bytes // MSS_BYTES)
        costs: Costs = [
            ("nic_interrupt", 1),
            ("nic_receive_packet", packets),
            ("bridge_packet", packets),
            ("netback_receive_batch", 1),
            (self._receive_packet, packets),
            ("evtchn_send", 1),
        ]
        if not self._is_flipping:
            costs.append(("grant_copy_kib", -(-size_bytes // 1024)))
        self._serve(costs, self._delivered, command)

    def _delivered(self, work: Work[_Command]) -> None:
        command = work.arg
        if self._guest.domain.dying:
            return
        request = command.request
        size_bytes = COMMAND_BYTES if request.is_write else request.bytes
        packets = -(-size_bytes // MSS_BYTES)
        traffic = self._traffic()
        if traffic is not None:
            traffic.received(packets, size_bytes + packets * HEADER_BYTES)
        costs: Costs = [
            ("evtchn_upcall", 1),
            ("netfront_receive_batch", 1),
            ("netfront_receive_packet", packets),
            ("lun_kib", size_bytes // 1024),
        ]
        if self._is_flipping:
            costs += [("netfront_flip_batch", 1), ("netfront_flip_page", packets)]
        self._guest.interrupt(0, self._guest.work(costs, self._received, command))

    def _received(self, work: Work[_Command]) -> None:
        work.arg.finished(work.arg.request)


class _Answer:
    """Tells a session that its target has served a command."""

    __slots__ = ("_command", "_session")

    def __init__(self, session: Session, command: _Command) -> None:
        self._session = session
        self._command = command

    def answered(self, _: BlockRequest) -> None:
        """Take the answer."""
        self._session.answered(self._command)


class Initiator:
    """Logs a guest in to LUNs; each is a disk of the guest, and has an elevator there."""

    def __init__(
        self,
        guest: Guest,
        server: Guest,
        stores: Stores,
        io_wait: IoWait,
        traffic: Callable[[], Counters | None],
        held: Callable[[], set[int]],
        *,
        flip: bool,
    ) -> None:
        """`held()` are the numbers of the guest's virtual disks."""
        self._guest = guest
        self._server = server
        self._held = held
        self._stores = stores
        self._io_wait = io_wait
        self._traffic = traffic
        self._is_flipping = flip
        self.disks: list[Disk] = []
        self._luns: dict[str, OwnDisk] = {}

    def lun(self, store: str) -> OwnDisk:
        """Return a LUN of a store, to which the guest logs in if it has not."""
        found = self._luns.get(store)
        if found is None:
            found = self._luns[store] = self._log_in(self._stores.lun(store))
        return found

    def _log_in(self, place: Place) -> OwnDisk:
        target = place.disk.queue.device
        guest = self._guest
        session = Session(guest, self._server, target, self._traffic, flip=self._is_flipping)
        names = {disk.name for disk in self.disks}
        held = self._held()
        free = (scsi_name(at) for at in range(MOST_DISKS) if scsi_number(at) not in held)
        name = next(name for name in free if name not in names)
        disk = Disk(guest.execution.clock, name, session, DEFAULT_ELEVATOR, guest.ticks.hz)
        disk.queue.max_bytes = PDU_BYTES
        self.disks.append(disk)
        paths = ("lun_request", "lun_done")
        return OwnDisk(guest, disk, 0, self._io_wait, place.base_sector, paths)
