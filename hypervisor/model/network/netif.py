"""The split network driver: netfront in a guest, netback and the bridge in domain 0.

Frames move in batches, as interrupts and the backend's tasklets move them. A guest's tx ring
and rx ring have 256 slots each; frames that find the rx ring full are dropped, and a full tx ring
stops the guest's queue. Source: drivers/xen/netfront, drivers/xen/netback (2.6.18).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from hypervisor.model.codebook.work import AnyWork, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.evtchn import Port
from hypervisor.model.network.nic import Nic
from hypervisor.model.network.shaper import shaper_of
from hypervisor.model.network.traffic import (
    CLOSED,
    ETHERNET_BYTES,
    RING_FULL,
    TCP_IP_BYTES,
    Traffic,
)
from hypervisor.toolstack.config.devices import VifSpec
from hypervisor.trace_events import GRANT_MAP, GRANT_TRANSFER, GRANT_UNMAP

RING_SLOTS: Final = 256
PAGE_BYTES: Final = 4096
# Packets of one run of a tasklet, if no interrupt decides (judgement; costs.toml assumes it).
PACKETS_PER_BATCH: Final = 8
# Interrupts of the NIC in this time are handled together: the most that one decision of this
# model may move (judgement; the real card interrupts every 125 us under load).
NIC_BATCH_NS: Final = 8_000_000

Deliver = Callable[[int, int], None]
"""Called with (frames, bytes) that a socket has received."""


class ReceiveFlow(Protocol):
    """A stream from outside that ends in a socket of this host."""

    vif: "NetFrontend | None"  # None: the socket is in domain 0

    def deliver(self, frames: int, size_bytes: int) -> None:
        """Pass frames to the socket."""
        ...

    def dropped(self, frames: int) -> None:
        """Count frames that were lost; the sender will send them again."""
        ...


@dataclass(slots=True)
class Batch:
    """Frames (or TSO packets) of a flow in transit. `done(batch)`: the socket has room again."""

    packets: int
    frames: int
    size_bytes: int
    deliver: Deliver | None  # the receiving socket inside this host, None = outside
    receiver: "NetFrontend | None"  # None with a `deliver`: the receiver is domain 0
    done: Callable[["Batch"], None]
    dropped: Callable[[int], None]  # called with the number of packets dropped at a full ring
    payload_bytes: int = 0  # without headers
    shaped: int = 0  # packets that the rate limit has let through so far

    @property
    def packet_bytes(self) -> int:
        """Return the bytes of one packet."""
        return -(-self.size_bytes // self.packets)

    @property
    def runs(self) -> int:
        """Return the number of runs of netback's tasklet for the batch."""
        return -(-self.packets // PACKETS_PER_BATCH)

    @property
    def slots_each(self) -> int:
        """Return the ring slots of a packet: one for each page."""
        return max(1, -(-self.packet_bytes // PAGE_BYTES))

    @property
    def slots(self) -> int:
        """Return the ring slots of all packets."""
        return self.packets * self.slots_each

    @property
    def wire_bytes(self) -> int:
        """Return the bytes after the card has split TSO packets into frames with headers."""
        return self.size_bytes + (self.frames - self.packets) * TCP_IP_BYTES


class NetFrontend:
    """A vif in its guest; `traffic` is as the guest sees it."""

    def __init__(
        self,
        guest: Guest,
        index: int,
        spec: VifSpec,
        backend: "NetBackend",
        backend_port: Port,
    ) -> None:
        """`backend_port` is the port of domain 0."""
        self._guest = guest
        domain = guest.domain
        self.domain = domain
        self.index = index
        self.spec = spec
        self.mac = spec.mac
        self.name = vif_name(domain.domid, index, spec)
        # Like netfront, claim an entry for each slot and the two ring pages permanently.
        self.ring_refs, self.port = domain.share(2, 2 * RING_SLOTS, self.name)
        self.backend = backend
        self.backend_port = backend_port
        self.shaper = shaper_of(spec.rate)
        self.shaped: deque[Batch] = deque()  # held back by the rate limit
        self.rx_free = self.tx_free = RING_SLOTS  # rx: buffers posted for netback
        self.queue: deque[Batch] = deque()  # stopped for lack of slots
        self.is_waking = False  # an interrupt that continues the queue is pending
        self.is_closed = False
        self.traffic = Traffic()
        self.ring_full = 0

    def close(self) -> None:
        """Close the interface; frames that come for it from now on are dropped."""
        self.is_closed = True
        for batches in (self.queue, self.shaped):
            for batch in batches:
                self.traffic.transmit_drops[CLOSED] += batch.packets - batch.shaped
            batches.clear()
        self.domain.unshare(self.ring_refs, 2 * RING_SLOTS, self.port)

    def transmit(self, batch: Batch, vcpu_id: int) -> None:
        """Put a batch into the tx ring, on this vcpu; the caller charges the guest's cost."""
        if self.is_closed:
            self.traffic.transmit_drops[CLOSED] += batch.packets
            return
        if self.queue or min(batch.slots, RING_SLOTS) > self.tx_free:
            self.ring_full += 1
            self.queue.append(batch)
        else:
            self._push(batch, vcpu_id)

    def _push(self, batch: Batch, vcpu_id: int) -> None:
        self.tx_free -= min(batch.slots, RING_SLOTS)
        self._guest.notify(self.port, self.backend_port, vcpu_id, batch.runs)
        self.backend.transmit(self, batch)

    def transmitted(self, batch: Batch) -> None:
        """Free the slots of a batch whose responses are in the ring."""
        self.tx_free += min(batch.slots, RING_SLOTS)
        self.traffic.transmitted(batch.packets, batch.size_bytes)
        # Other responses need no interrupt: the next transmission finds them.
        if (
            self.queue
            and not self.is_waking
            and min(self.queue[0].slots, RING_SLOTS) <= self.tx_free
        ):
            self.is_waking = True
            guest = self._guest
            self.backend_port.notify(self.port)
            guest.interrupt(0, Work(guest.parts(("evtchn_upcall", 1)), self._wake_queue))

    def _wake_queue(self, _: Work[None]) -> None:
        self.is_waking = False
        while self.queue and min(self.queue[0].slots, RING_SLOTS) <= self.tx_free:
            self._push(self.queue.popleft(), 0)

    def receive(
        self,
        frames: int,
        size_bytes: int,
        deliver: Deliver,
        batches: int,
        slots: int,
        *,
        flip: bool,
    ) -> None:
        """Interrupt the guest, whose stack takes the frames from its rx ring."""
        guest = self._guest
        self.backend_port.notify(self.port, batches)
        costs = [
            ("evtchn_upcall", batches),
            ("netfront_receive_batch", batches),
            ("netfront_receive_packet", frames),
        ]
        if flip:
            costs.append(("netfront_flip_page", slots))
        work = Work(guest.parts(*costs), self._received, (frames, size_bytes, deliver, slots))
        guest.interrupt(0, work)

    def _received(self, work: Work[tuple[int, int, Deliver, int]]) -> None:
        frames, size_bytes, deliver, slots = work.arg
        self.rx_free += slots  # the poll loop posts new buffers
        self.traffic.received(frames, size_bytes)
        deliver(frames, size_bytes)


Sent = tuple[NetFrontend | None, Batch]
"""A batch that is leaving domain 0, and the guest that sent it, if any."""


class NetBackend:
    """netback, the bridge and the NIC driver in domain 0."""

    def __init__(self, guest: Guest, vcpu: int, *, flip: bool) -> None:
        """`flip`: receive by page flipping, the default of 3.0.3, instead of copying."""
        self._guest = guest
        self._vcpu = vcpu
        self._receive_packet = f"netback_receive_packet_{'flip' if flip else 'copy'}"
        self.is_flipping = flip
        self._clock = guest.execution.clock
        self.nic: Nic[ReceiveFlow] = Nic(self._clock, self._interrupted, NIC_BATCH_NS)
        self.own = Traffic()  # domain 0's own interface on the bridge
        self.bridge = Traffic()  # received: every frame that comes to the bridge
        self.undelivered = Traffic()  # received: those of them that a guest could not take

    def _run(self, work: AnyWork) -> None:
        self._guest.interrupt(self._vcpu, work)

    # From outside: NIC -> bridge -> netback -> guest, or NIC -> domain 0's own stack.

    def _interrupted(self, interrupts: int) -> None:
        """Run the poll loop for `interrupts`: take the packets in the ring, by flow."""
        waiting = self.nic.peek()
        if not waiting:
            self.nic.poll_done()
        for index, (flow, frames) in enumerate(waiting):
            # There are as many runs of netback's tasklet as interrupts with such frames.
            batches = min(frames, max(1, interrupts // len(waiting)))
            costs = [("nic_receive_packet", frames), ("bridge_packet", frames)]
            if not index:
                costs.append(("nic_interrupt", interrupts))
            if flow.vif is None:
                costs.append(("ip_receive_packet", frames))
            else:
                costs += self._to_guest(frames, batches)
            work = Work(
                self._guest.parts(*costs),
                self._polled,
                (flow, frames, batches, index == len(waiting) - 1),
                beneficiary=-1 if flow.vif is None else flow.vif.domain.domid,
            )
            self._run(work)

    def _to_guest(self, slots: int, batches: int) -> list[tuple[str, int]]:
        return [
            ("netback_receive_batch", batches),
            (self._receive_packet, slots),  # every page is moved separately
            ("evtchn_send", batches),
        ]

    def _polled(self, work: Work[tuple[ReceiveFlow, int, int, bool]]) -> None:
        flow, frames, batches, is_last = work.arg
        received = self.nic.take_flow(flow, frames)
        if received.dropped:
            flow.dropped(received.dropped)
        self.bridge.received(received.packets, received.bytes)
        if flow.vif is None:
            self.own.received(received.packets, received.bytes)
            flow.deliver(received.packets, received.bytes)
        else:
            fits = self._put(flow.vif, received.packets, 1, received.bytes, flow.deliver, batches)
            if fits < received.packets:
                flow.dropped(received.packets - fits)
        if is_last:
            self.nic.poll_done()

    def _put(
        self,
        vif: NetFrontend,
        frames: int,
        slots_each: int,
        size_bytes: int,
        deliver: Deliver,
        batches: int,
    ) -> int:
        """Put frames into the rx ring of a guest; return the number that fits."""
        if not frames:
            return frames
        if vif.domain.dying or vif.is_closed:  # the sender is not told
            self._drop(vif, CLOSED, frames, size_bytes)
            return frames
        fits = min(frames, vif.rx_free // slots_each)
        if fits < frames:
            lost_bytes = size_bytes - size_bytes * fits // frames
            self._drop(vif, RING_FULL, frames - fits, lost_bytes)
        if fits:
            slots = fits * slots_each
            vif.rx_free -= slots
            grants = vif.domain.grants
            if self.is_flipping:
                grants.transferred += slots
                self._guest.execution.trace.pages(GRANT_TRANSFER, vif.domain.domid, slots)
            else:
                grants.copied += slots
            size_bytes = size_bytes * fits // frames
            vif.receive(fits, size_bytes, deliver, batches, slots, flip=self.is_flipping)
        return fits

    def _drop(self, vif: NetFrontend, reason: str, frames: int, size_bytes: int) -> None:
        vif.traffic.receive_drops[reason] += frames
        self.undelivered.received(frames, size_bytes)

    # From a guest: netback -> bridge -> NIC, another guest, or domain 0.

    def transmit(self, vif: NetFrontend, batch: Batch) -> None:
        """Take a batch that a guest has put into its tx ring."""
        vif.shaped.append(batch)
        if len(vif.shaped) == 1:
            self._admit(vif)

    def _admit(self, vif: NetFrontend) -> None:
        """Admit the packets that the rate limit allows; the rest stay in the ring."""
        while vif.shaped and not vif.domain.dying:
            batch = vif.shaped[0]
            if vif.shaper is not None:
                sent, again_ns = vif.shaper.admit(
                    self._clock.now,
                    batch.packets - batch.shaped,
                    batch.packet_bytes + ETHERNET_BYTES,
                )
                batch.shaped += sent
                if again_ns is not None:
                    self._clock.schedule(again_ns, self._admit, vif)
                    return
            vif.shaped.popleft()
            costs = [
                ("evtchn_upcall", batch.runs),
                ("netback_transmit_batch", batch.runs),
                ("netback_transmit_packet", batch.packets),
                ("netback_transmit_slot", batch.slots - batch.packets),
            ]
            self._forward(vif, batch, costs)

    def transmit_own(self, batch: Batch) -> None:
        """Send a batch from domain 0 itself."""
        self._forward(None, batch, [("ip_transmit_packet", batch.packets)])

    def _forward(
        self, sender: NetFrontend | None, batch: Batch, costs: list[tuple[str, int]]
    ) -> None:
        costs.append(("bridge_packet", batch.packets))
        if batch.deliver is None:
            costs.append(("nic_transmit_packet", batch.packets))
        elif batch.receiver is None:
            costs.append(("ip_receive_packet", batch.packets))
        else:
            costs += self._to_guest(batch.slots, batch.runs)
        work = Work(
            self._guest.parts(*costs),
            self._forwarded,
            (sender, batch),
            beneficiary=-1 if sender is None else sender.domain.domid,
        )
        self._run(work)

    def _forwarded(self, work: Work[Sent]) -> None:
        sender, batch = work.arg
        self.bridge.received(batch.packets, batch.size_bytes)
        if sender is None:
            self.own.transmitted(batch.packets, batch.size_bytes)
        else:
            sender.domain.grants.mapped += batch.slots
            self._guest.execution.trace.pages(GRANT_MAP, sender.domain.domid, batch.slots)
        if batch.deliver is None:
            finish_ns = self.nic.transmit(self._clock.now, batch.frames, batch.wire_bytes)
            self._clock.schedule(finish_ns, self._sent, (sender, batch))
            return
        if batch.receiver is None:
            self.own.received(batch.packets, batch.size_bytes)
            batch.deliver(batch.packets, batch.size_bytes)
        else:
            fits = self._put(
                batch.receiver,
                batch.packets,
                batch.slots_each,
                batch.size_bytes,
                batch.deliver,
                batch.runs,
            )
            if fits < batch.packets:
                batch.dropped(batch.packets - fits)
        self._sent((sender, batch))

    def _sent(self, entry: Sent) -> None:
        sender, batch = entry
        if sender is not None:
            self._guest.execution.trace.pages(GRANT_UNMAP, sender.domain.domid, batch.slots)
            if sender.domain.dying:
                return
            sender.transmitted(batch)
        batch.done(batch)


def vif_name(domid: int, index: int, spec: VifSpec) -> str:
    """Return the name of a vif in domain 0."""
    return spec.vifname or f"vif{domid}.{index}"
