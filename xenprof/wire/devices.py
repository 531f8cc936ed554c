"""A domain's devices as lists show them; None where the frontend has not set a value yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The fields that all devices have."""

    sxp: object
    backend_domid: int | None = None
    handle: int | None = None
    state: int | None = None
    event_channel: int | None = None
    backend_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice(Device):
    """A disk, by its number in xenstore: xvda is 51712."""

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
