"""An emulated network card (rtl8139) and the tap device behind it, which is on a bridge.

Each packet that the guest sends is one access; qemu-dm writes it to the tap device while the vcpu
waits, and raises the interrupt that it has been sent at once. Of those that come, qemu-dm takes
one in a pass of its loop, so that few are ready at an interrupt. There is no TSO, and the guest
computes checksums.

Once netfront has been loaded the guest moves its address to the vif, and with it the streams that
are open.
Source: tools/ioemu/hw/rtl8139.c, vl.c (tap_send); Linux 2.6.18, drivers/net/8139cp.c.
"""

from typing import Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.hvm.devicemodel import DeviceModel
from hypervisor.model.network.lot import Costs, Lot
from hypervisor.model.network.netfront import NetFrontend
from hypervisor.model.network.traffic import CLOSED, Traffic

# The real queue of a tap device is shorter; but packets that come one by one are one lot here
# (judgement).
TAP_PACKETS: Final = 500
PACKETS_PER_INTERRUPT: Final = 2  # one to three (judgement)
# Status read, acknowledged, masked and read back; in the poll the same again to unmask.
ACCESSES_PER_INTERRUPT: Final = 8
# Of a packet sent: status read and acknowledged (cp_interrupt; cp_tx reads only memory).
ACCESSES_PER_COMPLETION: Final = 2
KIB: Final = 1024


class EmulatedCard:
    """A card of a guest, in the place of its `vif`, whose counters it keeps. It is a `Station`."""

    def __init__(self, model: DeviceModel, vif: NetFrontend) -> None:
        self._model = model
        self._kernel = model.guest
        self.guest: Guest | None = model.guest
        self.domid = model.domid
        self.vif = vif
        self.has_tso = False
        self.is_replaced = False  # by the vif
        self._waiting = 0  # packets in the tap device's queue and in qemu-dm

    @property
    def traffic(self) -> Traffic:
        """Return the counters of the interface."""
        return self.vif.traffic

    @property
    def mtu_bytes(self) -> int:
        """Return the MTU, which is that of the bridge."""
        return self.vif.mtu_bytes

    def sending(self, lot: Lot) -> Costs:
        """Return what the guest's driver does for a lot that it sends: an exit for each packet."""
        if self.is_replaced:
            return self.vif.sending(lot)
        return [
            ("rtl8139_transmit_packet", lot.packets),
            ("checksum_kib", -(-lot.payload_bytes // KIB)),
            ("hvm_device_access", lot.packets),
        ]

    def send(self, lot: Lot, vcpu_id: int) -> None:
        """Let qemu-dm write a lot to the tap device, while this vcpu waits."""
        if self.is_replaced:
            lot.source = self.vif
            self.vif.send(lot, vcpu_id)
            return
        if self.vif.is_closed:
            self.traffic.transmit_drops[CLOSED] += lot.packets
            return
        costs = [
            ("qemu_transmit_packet", lot.packets),
            ("qemu_packet_kib", -(-lot.ip_bytes // KIB)),
            ("qemu_interrupt", lot.packets),
        ]
        self._model.access(vcpu_id, lot.packets, costs, self._sent, lot)

    def _sent(self, lot: Lot) -> None:
        self.traffic.transmitted(lot.packets, lot.ip_bytes)
        self.vif.bridge.carry(lot, [], self.domid)
        if not self._kernel.domain.dying:
            self._model.interrupts += lot.packets
            accesses = lot.packets * ACCESSES_PER_COMPLETION
            costs = [("evtchn_upcall", lot.packets), ("hvm_device_access", accesses)]
            parts = self._kernel.parts_of(costs)
            self._kernel.interrupt(0, Work(parts, self._completing, accesses))

    def _completing(self, work: Work[int]) -> None:
        self._model.access(0, work.arg, [], _completed, 0)

    def passed(self, lot: Lot) -> None:
        """Take no notice: the packets were copied when qemu-dm sent them."""

    def left(self, lot: Lot) -> None:
        """Free the sender's buffers of a lot."""
        if not self._kernel.domain.dying:
            lot.flow.left(lot)

    def toll(self, lot: Lot) -> Costs:
        """Return what domain 0 does to put a lot into the tap device's queue."""
        return self.vif.toll(lot) if self.is_replaced else [("dummy_packet", lot.packets)]

    def take(self, lot: Lot) -> int:
        """Put a lot into the tap device's queue; what does not fit is dropped."""
        if self.is_replaced:
            return self.vif.take(lot)
        if self._kernel.domain.dying or self.vif.is_closed:
            self.vif.refuse(CLOSED, lot)
            return 0
        accepted = self.vif.accept(lot, TAP_PACKETS - self._waiting)
        if accepted is None:
            return 0
        lot = accepted
        self._waiting += lot.packets
        costs = [
            ("qemu_receive_packet", lot.packets),
            ("qemu_packet_kib", -(-lot.ip_bytes // KIB)),
            ("qemu_interrupt", _interrupts(lot)),
        ]
        self._model.serve(costs, self._put, lot)
        return 0

    def _put(self, lot: Lot) -> None:
        if self._kernel.domain.dying:
            return
        interrupts = _interrupts(lot)
        self._model.interrupts += interrupts
        costs = [
            ("evtchn_upcall", interrupts),
            ("hvm_device_access", interrupts * ACCESSES_PER_INTERRUPT),
            ("rtl8139_receive_packet", lot.packets),
            (lot.receive_path, lot.packets),
        ]
        self._kernel.interrupt(0, self._kernel.work(costs, self._interrupted, lot))

    def _interrupted(self, work: Work[Lot]) -> None:
        lot = work.arg
        accesses = _interrupts(lot) * ACCESSES_PER_INTERRUPT
        self._model.access(0, accesses, [], self._received, lot)

    def _received(self, lot: Lot) -> None:
        self._waiting -= lot.packets
        self.traffic.received(lot.packets, lot.ip_bytes)
        lot.flow.arrived(lot)


def _completed(_: int) -> None:
    """Take no notice: the packets have left."""


def _interrupts(lot: Lot) -> int:
    return -(-lot.packets // PACKETS_PER_INTERRUPT)
