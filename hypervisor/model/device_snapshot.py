"""Takes snapshots of devices: those of domains, and the physical ones and bridges of domain 0."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hypervisor.drafts import draft_of, finished
from hypervisor.durations import FindTrace, no_trace
from hypervisor.model.network.bridge import Bridge
from hypervisor.model.network.card import Card
from hypervisor.model.network.netfront import RING_SLOTS, NetFrontend
from hypervisor.model.network.network import Network
from hypervisor.model.resident import Resident
from hypervisor.model.storage.blkif import BlockFrontend
from hypervisor.model.storage.disk import Disk
from hypervisor.telemetry import (
    BridgeSnapshot,
    DiskSnapshot,
    NicSnapshot,
    RingSnapshot,
    VbdSnapshot,
    VifSnapshot,
)

_VifDraft = draft_of(VifSnapshot)
_VbdDraft = draft_of(VbdSnapshot)


@dataclass(frozen=True, slots=True)
class Taken:
    """The snapshots of a domain's devices."""

    vifs: tuple[VifSnapshot, ...]
    vbds: tuple[VbdSnapshot, ...]


class DeviceSnapshots:
    """Tells of the devices of all domains. One on which nothing has happened has the same."""

    def __init__(self, epoch_ns: int) -> None:
        """`epoch_ns`: the Unix time at the host's time 0."""
        self._epoch_ns = epoch_ns
        self._vifs: dict[NetFrontend, VifSnapshot] = {}
        self._vbds: dict[BlockFrontend, VbdSnapshot] = {}
        self._vifs_before: Mapping[NetFrontend, VifSnapshot] = {}
        self._vbds_before: Mapping[BlockFrontend, VbdSnapshot] = {}
        self._now_ns = 0
        self._find_trace: FindTrace = no_trace

    def begin(self, now_ns: int, find_trace: FindTrace) -> None:
        """Begin to tell of all devices anew. `find_trace` explains requests to disks."""
        self._vifs_before, self._vbds_before = self._vifs, self._vbds
        self._vifs, self._vbds = {}, {}
        self._now_ns = now_ns
        self._find_trace = find_trace

    def of(self, resident: Resident) -> Taken:
        """Return the devices of a domain."""
        vifs, vbds = resident.devices.vifs, resident.devices.vbds
        return Taken(tuple(map(self._vif, vifs)), tuple(map(self._vbd, vbds)))

    def _vif(self, vif: NetFrontend) -> VifSnapshot:
        taken = vif_snapshot(vif, self._now_ns, self._vifs_before.get(vif))
        self._vifs[vif] = taken
        return taken

    def _vbd(self, vbd: BlockFrontend) -> VbdSnapshot:
        before = self._vbds_before.get(vbd)
        taken = vbd_snapshot(vbd, self._now_ns, self._epoch_ns, self._find_trace, before)
        self._vbds[vbd] = taken
        return taken


def vif_snapshot(vif: NetFrontend, now_ns: int, before: VifSnapshot | None = None) -> VifSnapshot:
    """Return the snapshot of a domain's network interface; it may be that of `before`."""
    traffic = vif.traffic
    held_ns = 0 if vif.shaper is None else vif.shaper.held_ns(now_ns)
    receive_ring = RingSnapshot(vif.rx_free, RING_SLOTS)
    transmit_ring = RingSnapshot(RING_SLOTS - vif.tx_free, RING_SLOTS)
    if (
        before is not None
        and before.receive_packets == traffic.receive_packets
        and before.transmit_packets == traffic.transmit_packets
        and before.receive_drops == traffic.receive_drops
        and before.transmit_drops == traffic.transmit_drops
        and before.receive_ring == receive_ring
        and before.transmit_ring == transmit_ring
        and before.ring_full == vif.ring_full
        and before.rate_limited_ns == held_ns
    ):
        return before
    draft = _VifDraft(
        index=vif.index,
        name=vif.name,
        mac=vif.mac,
        bridge=_bridge(vif),
        receive_bytes=traffic.receive_bytes,
        receive_packets=traffic.receive_packets,
        receive_errors=0,
        receive_dropped=traffic.receive_dropped,
        transmit_bytes=traffic.transmit_bytes,
        transmit_packets=traffic.transmit_packets,
        transmit_errors=0,
        transmit_dropped=traffic.transmit_dropped,
        ring_full=vif.ring_full,
        receive_drops=dict(traffic.receive_drops),
        transmit_drops=dict(traffic.transmit_drops),
        rate_limited_ns=held_ns,
        receive_ring=receive_ring,
        transmit_ring=transmit_ring,
        rate_limit_bytes=_rate_limit_bytes(vif),
    )
    return finished(draft, VifSnapshot)


def _rate_limit_bytes(vif: NetFrontend) -> int | None:
    """Return what a guest may send in a second; None without a limit (a window of 0 is none)."""
    rate = vif.spec.rate
    if rate is None or not rate.window_us:
        return None
    return rate.bytes_per_window * 1_000_000 // rate.window_us


def _bridge(vif: NetFrontend) -> str:
    return vif.spec.bridge or vif.bridge.name


def vbd_snapshot(
    vbd: BlockFrontend,
    now_ns: int,
    epoch_ns: int,
    find_trace: FindTrace,
    before: VbdSnapshot | None = None,
) -> VbdSnapshot:
    """Return the snapshot of a domain's disk; it may be that of `before`."""
    use, ring, spec = vbd.use, vbd.ring, vbd.spec
    answered = use.read_requests + use.write_requests
    if (
        before is not None
        and not use.in_flight
        and not before.in_flight_requests
        and before.answered_requests == answered
        and before.backend == spec.source
    ):
        return before
    draft = _VbdDraft(
        device=spec.device,
        name=spec.frontend,
        backend=spec.source,
        mode=spec.mode,
        read_requests=vbd.read_requests,
        write_requests=vbd.write_requests,
        read_bytes=vbd.read_bytes,
        write_bytes=vbd.write_bytes,
        # blktap keeps no statistics; the rest is what the guest counts.
        out_of_requests=None if spec.type.startswith("tap") else vbd.out_of_requests,
        busy_ns=use.busy_ns(now_ns),
        wait_ns=use.wait_ns,
        answered_requests=answered,
        frontend_ring_full=vbd.ring_full,
        in_flight_requests=use.in_flight,
        ring=RingSnapshot(ring.size - ring.free, ring.size),
        read_latency=vbd.reads.histogram(epoch_ns, find_trace),
        write_latency=vbd.writes.histogram(epoch_ns, find_trace),
    )
    return finished(draft, VbdSnapshot)


def nic_snapshots(network: Network) -> tuple[NicSnapshot, ...]:
    """Return the snapshots of the cards that domain 0 drives; the last may be on no bridge."""
    found = [(port.card, port.bridge.name) for port in network.ports.values()]
    own = network.dedicated.get(0)
    cards = [*found, *(() if own is None else ((own.card, None),))]
    return tuple(_nic(card, bridge) for card, bridge in cards if card is not None)


def _nic(card: Card, bridge: str | None) -> NicSnapshot:
    traffic = card.traffic
    return NicSnapshot(
        name=card.name,
        bridge=bridge,
        speed_bits_per_second=card.nic.speed_mbit * 1_000_000,
        receive_bytes=traffic.receive_bytes,
        receive_packets=traffic.receive_packets,
        receive_errors=0,
        receive_dropped=traffic.receive_dropped,
        transmit_bytes=traffic.transmit_bytes,
        transmit_packets=traffic.transmit_packets,
        transmit_errors=0,
        transmit_dropped=traffic.transmit_dropped,
    )


def disk_snapshots(disks: Iterable[Disk], now_ns: int) -> tuple[DiskSnapshot, ...]:
    """Return the snapshots of the host's disks, as /proc/diskstats of domain 0 counts them."""
    return tuple(
        DiskSnapshot(
            name=disk.name,
            read_requests=disk.use.read_requests,
            write_requests=disk.use.write_requests,
            read_bytes=disk.use.read_bytes,
            write_bytes=disk.use.write_bytes,
            busy_ns=disk.use.busy_ns(now_ns),
            wait_ns=disk.use.wait_ns,
            in_flight_requests=disk.use.in_flight,
        )
        for disk in disks
    )


def bridge_snapshots(network: Network, residents: Iterable[Resident]) -> tuple[BridgeSnapshot, ...]:
    """Return the snapshots of the bridges that have a port, by name.

    A packet that comes to a bridge is forwarded or dropped. Of bridges that share one with a card
    (a host without tables of cards) the model knows the ports only.
    """
    ports: dict[str, list[str]] = {}
    own = 0
    for name, port in network.ports.items():
        ports[name] = [] if port.card is None else [port.card.name]
        if port.own is not None:
            ports[name].append(f"vif0.{own}")
            own += 1
    for resident in residents:
        for vif in resident.devices.vifs:
            ports.setdefault(_bridge(vif), []).append(vif.name)
    return tuple(
        _bridge_snapshot(network.ports[name].bridge, ports[name])
        if name in network.ports
        else BridgeSnapshot(name, tuple(ports[name]))
        for name in sorted(ports)
        if ports[name]
    )


def _bridge_snapshot(bridge: Bridge, ports: list[str]) -> BridgeSnapshot:
    came, lost = bridge.traffic, bridge.undelivered
    return BridgeSnapshot(
        name=bridge.name,
        ports=tuple(ports),
        forwarded_packets=came.receive_packets - lost.receive_packets,
        forwarded_bytes=came.receive_bytes - lost.receive_bytes,
        dropped_packets=lost.receive_packets,
    )
