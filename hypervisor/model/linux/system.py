"""Declares what /proc shows of a domain and of domain 0's hardware."""

from typing import Protocol

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain
from hypervisor.model.io.devices import Devices
from hypervisor.model.linux.init import Init
from hypervisor.model.memory.balloon import Balloon
from hypervisor.model.memory.paging import Paging
from hypervisor.model.network.network import Network
from hypervisor.model.storage.blkif import BlockBackend
from hypervisor.toolstack.config.spec import DomainSpec


class System(Protocol):
    """A domain with its kernel, as /proc shows it."""

    domain: Domain
    spec: DomainSpec
    guest: Guest
    devices: Devices
    paging: Paging
    balloon: Balloon
    init: Init


class Hardware(Protocol):
    """Domain 0's drivers of real hardware, whose interrupts and counters /proc shows."""

    @property
    def network(self) -> Network:
        """Return the cards and bridges."""
        ...

    @property
    def blkback(self) -> BlockBackend:
        """Return the driver of the disk."""
        ...
