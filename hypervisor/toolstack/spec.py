"""A domain as it was configured: the one value that settings, xend and hypervisor share."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.toolstack.devices import DiskSpec, VifSpec


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """A domain as it was configured; what it does later (target, affinity) is not kept here."""

    name: str
    uuid: str
    kind: str  # dom0 | pv | hvm
    vcpus: int  # the most it can have; all are online at the start
    memory_kib: int
    maximum_kib: int | None  # None = no limit (domain 0)
    weight: int = 256
    cap_percent: int = 0  # of one pcpu; 0 = none
    affinity: tuple[int, ...] | None = None  # pcpus of every vcpu; None = any
    disks: tuple[DiskSpec, ...] = ()
    vifs: tuple[VifSpec, ...] = ()
    workloads: tuple[Mapping[str, object], ...] = ()  # as in a scenario, `kind` and parameters
    on_poweroff: str = "destroy"
    on_reboot: str = "restart"
    on_crash: str = "restart"
    kernel: str = ""
    ramdisk: str = ""
    command_line: str = ""
    bootloader: str = ""
