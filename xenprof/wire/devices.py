"""The devices of a domain as the service answers them; the rows are those of the host."""

from dataclasses import dataclass

from hypervisor.devicerows import BlockRow, DeviceRow, NetworkRow, TpmRow


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of one class, whichever that is."""

    devices: tuple[DeviceRow, ...]


@dataclass(frozen=True, slots=True)
class BlockDevices:
    """The disks of a domain."""

    devices: tuple[BlockRow, ...]


@dataclass(frozen=True, slots=True)
class NetworkDevices:
    """The network interfaces of a domain."""

    devices: tuple[NetworkRow, ...]


@dataclass(frozen=True, slots=True)
class TpmDevices:
    """The virtual TPMs of a domain."""

    devices: tuple[TpmRow, ...]
