"""A domain as it was configured: the value that settings, xend and hypervisor share."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.toolstack.config.devices import DiskSpec, VfbSpec, VifSpec


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """A domain as it was configured; later changes (target, affinity) are not kept here."""

    name: str
    uuid: str
    kind: str  # dom0 | pv | hvm
    vcpus: int  # the most it can have
    memory_kib: int
    maximum_kib: int | None  # None = no limit (domain 0)
    weight: int = 256
    cap_percent: int = 0  # of one pcpu; 0 = none
    affinity: tuple[int, ...] | None = None  # pcpus of every vcpu; None = any
    disks: tuple[DiskSpec, ...] = ()
    vifs: tuple[VifSpec, ...] = ()
    workloads: tuple[Mapping[str, object], ...] = ()  # as in a scenario, `kind` and parameters
    programs: tuple[str, ...] = ()  # the texts of workloads that a configuration file names
    on_poweroff: str = "destroy"
    on_reboot: str = "restart"
    on_crash: str = "restart"
    kernel: str = ""  # pygrub's copy, where there is a bootloader
    ramdisk: str = ""
    ip: str = ""  # the values of ip= and root=, and what follows them on the command line
    root: str = ""
    extra: str = ""
    bootloader: str = ""
    bootargs: str = ""
    features: str = ""
    shadow_kib: int = 0  # of shadow page tables; 0 for paravirtualized guests
    vcpu_avail: int | None = None  # bit mask of the vcpus online at the start; None = all
    legacy_cpu_weight: float = 1.0  # the number that 3.0.3 stores, shows and does not use
    vfbs: tuple[VfbSpec, ...] = ()
    device_model: tuple[tuple[str, str], ...] = ()  # settings of an HVM guest's emulation
    localtime: bool = False
    on_xend_start: str = "ignore"
    on_xend_stop: str = "ignore"
    arch: str = ""  # x86_64 | i386; empty = that of the host
    drivers: str = ""  # pv | emulated; empty = emulated in an HVM guest, pv in others
    os: str = ""  # rhel3 | rhel4 | rhel5 | windows | other; empty = RHEL 5 or not said

    @property
    def command_line(self) -> str:
        """Return the kernel's command line, composed as xend does."""
        ip = f"ip={self.ip}" if self.ip else ""
        root = f"root={self.root}" if self.root else ""
        return " ".join(filter(None, (ip, root, self.extra)))

    @property
    def initial_vcpus(self) -> tuple[int, ...]:
        """Return the vcpus that are online at the start; vcpu 0 always is online."""
        mask = -1 if self.vcpu_avail is None else self.vcpu_avail | 1
        return tuple(vcpu for vcpu in range(self.vcpus) if mask >> vcpu & 1)
