"""Metrics of network: interfaces of domains, physical ones, and bridges of domain 0."""

from collections.abc import Iterator

from exporters.labels import (
    BRIDGE,
    DIRECTION,
    DOMAIN,
    DROP_REASON,
    INTERFACE,
    MAC,
    NIC,
    RECEIVE,
    RING,
    TRANSMIT,
    VIF,
)
from exporters.metric import NS_PER_SECOND, Kind, Metric, Point
from exporters.scopes import BRIDGES, NICS, VIFS, each_domain, of, parts_of
from hypervisor.telemetry import BridgeSnapshot, HostSnapshot, NicSnapshot, RingSnapshot
from xenprof.service.exporter import ServiceStats

COUNTER, GAUGE, UPDOWN, INFO = Kind.COUNTER, Kind.GAUGE, Kind.UPDOWN, Kind.INFO


def vif_info(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain and the properties of the interface."""
    for domain in each_domain(host):
        for vif in domain.vifs:
            known = (vif.name or "", vif.mac or "", vif.bridge or "")
            yield (domain.name, str(vif.index), *known), 1


def drops(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, interface, direction and reason."""
    for domain in each_domain(host):
        for vif in domain.vifs:
            index = str(vif.index)
            for reason, packets in (vif.receive_drops or {}).items():
                yield (domain.name, index, "receive", reason), packets
            for reason, packets in (vif.transmit_drops or {}).items():
                yield (domain.name, index, "transmit", reason), packets


def nic_info(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by interface and bridge."""
    for nic in host.nics:
        yield (nic.name, nic.bridge or ""), 1


def used(ring: RingSnapshot | None) -> int | None:
    """Return the requests in a ring; None if unknown."""
    return None if ring is None else ring.used


def slots(ring: RingSnapshot | None) -> int | None:
    """Return the slots of a ring; None if unknown."""
    return None if ring is None else ring.slots


def _speed(nic: NicSnapshot) -> int | None:
    return None if nic.speed_bits_per_second is None else nic.speed_bits_per_second // 8


def _ports(bridge: BridgeSnapshot) -> int | None:
    return None if bridge.ports is None else len(bridge.ports)


# fmt: off
_INTERFACES: tuple[Metric, ...] = (  # receive and transmit as the guest sees them
    Metric("xen_vif_info", "xen.vif.info", INFO, "1",
           "A virtual network interface: backend device, MAC address and bridge.",
           (DOMAIN, VIF, INTERFACE, MAC, BRIDGE), vif_info),
    Metric("xen_vif_receive_bytes_total", "xen.vif.io", COUNTER, "By",
           "Bytes that the guest received.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.receive_bytes), RECEIVE),
    Metric("xen_vif_transmit_bytes_total", "xen.vif.io", COUNTER, "By",
           "Bytes that the guest sent.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.transmit_bytes), TRANSMIT),
    Metric("xen_vif_receive_packets_total", "xen.vif.packet.count", COUNTER, "{packet}",
           "Packets that the guest received.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.receive_packets), RECEIVE),
    Metric("xen_vif_transmit_packets_total", "xen.vif.packet.count", COUNTER, "{packet}",
           "Packets that the guest sent.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.transmit_packets), TRANSMIT),
    Metric("xen_vif_receive_errors_total", "xen.vif.errors", COUNTER, "{error}",
           "Packets for the guest that failed.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.receive_errors), RECEIVE),
    Metric("xen_vif_transmit_errors_total", "xen.vif.errors", COUNTER, "{error}",
           "Packets of the guest that failed.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.transmit_errors), TRANSMIT),
    Metric("xen_vif_receive_dropped_total", "xen.vif.packet.dropped", COUNTER, "{packet}",
           "Packets for the guest that were dropped, for want of receive buffers for example.",
           (DOMAIN, VIF), of(VIFS, lambda v: v.receive_dropped), RECEIVE),
    Metric("xen_vif_transmit_dropped_total", "xen.vif.packet.dropped", COUNTER, "{packet}",
           "Packets of the guest that were dropped.", (DOMAIN, VIF),
           of(VIFS, lambda v: v.transmit_dropped), TRANSMIT),
    Metric("xen_vif_drops_total", "xen.vif.drops", COUNTER, "{packet}",
           "Packets of the interface that were dropped, by reason: the sums are those of "
           "xen_vif_receive_dropped_total and xen_vif_transmit_dropped_total.",
           (DOMAIN, VIF, DIRECTION, DROP_REASON), drops),
    Metric("xen_vif_ring_full_total", "xen.vif.ring_full", COUNTER, "{stop}",
           "Times the guest's transmit queue stopped because the ring had no free slot.",
           (DOMAIN, VIF), of(VIFS, lambda v: v.ring_full)),
    Metric("xen_vif_rate_limited_seconds_total", "xen.vif.rate_limited", COUNTER, "s",
           "Time that packets of the guest were held back by the rate limit of the interface.",
           (DOMAIN, VIF), of(VIFS, lambda v: v.rate_limited_ns, per=NS_PER_SECOND)),
    Metric("xen_vif_rate_limit_bytes", "xen.vif.rate_limit", GAUGE, "By",
           "Bytes that the guest may send through the interface in a second, as configured; no "
           "series = no limit.", (DOMAIN, VIF), of(VIFS, lambda v: v.rate_limit_bytes)),
    Metric("xen_vif_ring_used", "xen.vif.ring_used", UPDOWN, "{slot}",
           "Requests in a ring of the interface that the backend has not answered. A full receive "
           "ring is normal: the guest keeps all its slots filled with empty buffers.",
           (DOMAIN, VIF, RING), parts_of(VIFS, {"receive": lambda v: used(v.receive_ring),
                                                "transmit": lambda v: used(v.transmit_ring)})),
    Metric("xen_vif_ring_slots", "xen.vif.ring_slots", UPDOWN, "{slot}",
           "Slots of a ring of the interface.",
           (DOMAIN, VIF, RING), parts_of(VIFS, {"receive": lambda v: slots(v.receive_ring),
                                                "transmit": lambda v: slots(v.transmit_ring)})),
)

_PHYSICAL: tuple[Metric, ...] = (
    Metric("xen_nic_info", "xen.nic.info", INFO, "1",
           "A physical network interface, and its bridge.", (NIC, BRIDGE), nic_info),
    Metric("xen_nic_speed_bytes", "xen.nic.speed", GAUGE, "By",
           "Bytes that a physical network interface can carry in a second.", (NIC,),
           of(NICS, _speed)),
    Metric("xen_nic_receive_bytes_total", "system.network.io", COUNTER, "By",
           "Bytes that a physical network interface has received.", (NIC,),
           of(NICS, lambda n: n.receive_bytes), RECEIVE),
    Metric("xen_nic_transmit_bytes_total", "system.network.io", COUNTER, "By",
           "Bytes that a physical network interface has sent.", (NIC,),
           of(NICS, lambda n: n.transmit_bytes), TRANSMIT),
    Metric("xen_nic_receive_packets_total", "system.network.packet.count", COUNTER, "{packet}",
           "Packets that a physical network interface has received.", (NIC,),
           of(NICS, lambda n: n.receive_packets), RECEIVE),
    Metric("xen_nic_transmit_packets_total", "system.network.packet.count", COUNTER, "{packet}",
           "Packets that a physical network interface has sent.", (NIC,),
           of(NICS, lambda n: n.transmit_packets), TRANSMIT),
    Metric("xen_nic_receive_errors_total", "system.network.errors", COUNTER, "{error}",
           "Packets that a physical network interface received with an error.", (NIC,),
           of(NICS, lambda n: n.receive_errors), RECEIVE),
    Metric("xen_nic_transmit_errors_total", "system.network.errors", COUNTER, "{error}",
           "Packets that a physical network interface could not send.", (NIC,),
           of(NICS, lambda n: n.transmit_errors), TRANSMIT),
    Metric("xen_nic_receive_dropped_total", "system.network.packet.dropped", COUNTER, "{packet}",
           "Packets received by a physical network interface that were dropped.", (NIC,),
           of(NICS, lambda n: n.receive_dropped), RECEIVE),
    Metric("xen_nic_transmit_dropped_total", "system.network.packet.dropped", COUNTER, "{packet}",
           "Packets for a physical network interface that were dropped.", (NIC,),
           of(NICS, lambda n: n.transmit_dropped), TRANSMIT),
    Metric("xen_bridge_ports", "xen.bridge.ports", UPDOWN, "{port}",
           "Ports of a bridge of domain 0.", (BRIDGE,), of(BRIDGES, _ports)),
    Metric("xen_bridge_forwarded_packets_total", "xen.bridge.forwarded_packets", COUNTER,
           "{packet}", "Packets that a bridge has forwarded.", (BRIDGE,),
           of(BRIDGES, lambda b: b.forwarded_packets)),
    Metric("xen_bridge_forwarded_bytes_total", "xen.bridge.forwarded", COUNTER, "By",
           "Bytes that a bridge has forwarded.", (BRIDGE,),
           of(BRIDGES, lambda b: b.forwarded_bytes)),
    Metric("xen_bridge_dropped_packets_total", "xen.bridge.dropped_packets", COUNTER, "{packet}",
           "Packets that a bridge has dropped.", (BRIDGE,),
           of(BRIDGES, lambda b: b.dropped_packets)),
)
# fmt: on

NETWORK: tuple[Metric, ...] = (*_INTERFACES, *_PHYSICAL)
