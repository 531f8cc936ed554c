"""Devices of a domain as lists of them show them; None is what the frontend has not told yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What all of them have."""

    sxp: object
    backend_domid: int | None = None
    handle: int | None = None
    state: int | None = None
    event_channel: int | None = None
    backend_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice(Device):
    """A disk, by its number in the store: xvda is 51712."""

    device: int
    ring_ref: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDevice(Device):
    """A network interface."""

    index: int
    mac: str | None = None
    tx_ring_ref: int | None = None
    rx_ring_ref: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmDevice(Device):
    """A virtual TPM."""

    index: int
    ring_ref: int | None = None


@dataclass(frozen=True, slots=True)
class BlockDevices:
    """The disks of a domain."""

    devices: tuple[BlockDevice, ...]


@dataclass(frozen=True, slots=True)
class NetworkDevices:
    """The network interfaces of a domain."""

    devices: tuple[NetworkDevice, ...]


@dataclass(frozen=True, slots=True)
class TpmDevices:
    """The virtual TPMs of a domain."""

    devices: tuple[TpmDevice, ...]
