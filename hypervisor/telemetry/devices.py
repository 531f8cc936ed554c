"""Declares what a host reports of devices: those of domains, and its own physical ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.telemetry.histogram import Histogram


@dataclass(frozen=True, slots=True)
class RingSnapshot:
    """A ring that a frontend shares with its backend."""

    used: int  # requests that the frontend has put in and for which it has no answer yet
    slots: int


@dataclass(frozen=True, slots=True)
class VifSnapshot:
    """One virtual network interface; receive and transmit as the guest sees them."""

    index: int
    name: str | None = None  # backend name, vif<domid>.<index>
    mac: str | None = None
    bridge: str | None = None
    receive_bytes: int | None = None
    receive_packets: int | None = None
    receive_errors: int | None = None
    receive_dropped: int | None = None
    transmit_bytes: int | None = None
    transmit_packets: int | None = None
    transmit_errors: int | None = None
    transmit_dropped: int | None = None
    ring_full: int | None = None
    """Times the guest's transmit queue stopped for lack of ring slots."""
    receive_drops: Mapping[str, int] | None = None
    """`receive_dropped` by reason, of which it is the sum."""
    transmit_drops: Mapping[str, int] | None = None
    rate_limited_ns: int | None = None
    """Time that the guest's packets were held back by the interface's rate limit."""
    receive_ring: RingSnapshot | None = None
    transmit_ring: RingSnapshot | None = None
    rate_limit_bytes: int | None = None
    """Bytes that the guest may send in a second; None as well where there is no limit."""


@dataclass(frozen=True, slots=True)
class VbdSnapshot:
    """One virtual block device."""

    device: int  # xenstore number, xvda = 51712
    name: str | None = None  # xvda
    backend: str | None = None  # phy:/dev/sdb1
    mode: str | None = None  # r | w
    read_requests: int | None = None
    write_requests: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    out_of_requests: int | None = None
    """Times a request had to wait because blkback had no free one (VBD_OO of xentop)."""
    busy_ns: int | None = None  # with at least one request of the guest outstanding
    wait_ns: int | None = None
    """Time of all answered requests together, as the guest sees it: iostat's await."""
    answered_requests: int | None = None  # reads and writes that `wait_ns` covers
    frontend_ring_full: int | None = None
    """Times the guest's block queue stopped for lack of ring slots."""
    in_flight_requests: int | None = None  # of the guest: queued or given to the backend
    ring: RingSnapshot | None = None
    read_latency: Histogram | None = None  # BLOCK_BUCKETS_NS, as the guest sees it
    write_latency: Histogram | None = None


@dataclass(frozen=True, slots=True)
class NicSnapshot:
    """One physical network interface of the host."""

    name: str  # peth0
    bridge: str | None = None
    speed_bits_per_second: int | None = None
    receive_bytes: int | None = None
    receive_packets: int | None = None
    receive_errors: int | None = None
    receive_dropped: int | None = None
    transmit_bytes: int | None = None
    transmit_packets: int | None = None
    transmit_errors: int | None = None
    transmit_dropped: int | None = None


@dataclass(frozen=True, slots=True)
class DiskSnapshot:
    """One physical disk of the host, as domain 0's /proc/diskstats tells it."""

    name: str  # sda
    read_requests: int | None = None
    write_requests: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    busy_ns: int | None = None
    wait_ns: int | None = None
    in_flight_requests: int | None = None


@dataclass(frozen=True, slots=True)
class BridgeSnapshot:
    """One software bridge of domain 0."""

    name: str  # xenbr0
    ports: tuple[str, ...] | None = None  # vif1.0, peth0, ...
    forwarded_packets: int | None = None
    forwarded_bytes: int | None = None
    dropped_packets: int | None = None
