"""Keeps what xend knows of a domain: its configuration, devices and life so far.

Source: tools/python/xen/xend/XendDomainInfo.py (3.0.3).
"""

from dataclasses import dataclass, field, replace

from hypervisor.toolstack.config.devices import DiskSpec, VfbSpec, VifSpec
from hypervisor.toolstack.config.spec import DomainSpec

DeviceSpec = DiskSpec | VifSpec | VfbSpec

SAVING_PREFIX = "migrating-"

CONNECTED, CLOSING, CLOSED = 4, 5, 6  # of XenbusState
INITIALISING, INIT_WAIT = 1, 2

DISK_KINDS = ("vbd", "tap")


@dataclass(slots=True)
class Device:
    """A device of a domain. `number` names it in xenstore: 51712, or 0 for the first vif."""

    kind: str  # vbd | tap | vif | vfb
    number: int
    spec: DeviceSpec
    frontend: str  # path in xenstore
    backend: str
    is_asked_back: bool = False  # and the guest has not given it up


@dataclass(slots=True)
class DomainInfo:
    """One domain as xend manages it."""

    domid: int
    name: str
    spec: DomainSpec  # as configured; its name may have changed since
    target_kib: int
    maximum_kib: int | None
    created_unix_ns: int
    devices: list[Device] = field(default_factory=list)
    next_vif: int = 0  # numbers of vifs are not reused
    restart_count: int = 0
    previous_restart_ns: int | None = None
    shutdown_asked_ns: int | None = None
    shutdown_was_seen: bool = False  # its shutdown, for any reason, has been handled
    is_saving: bool = False
    online_vcpus: int = 0  # as last requested

    @property
    def lasting_name(self) -> str:
        """Return the domain's own name, also while it is being saved under another one."""
        return self.name.removeprefix(SAVING_PREFIX) if self.is_saving else self.name

    @property
    def path(self) -> str:
        """Return the path of the domain's node in xenstore."""
        return f"/local/domain/{self.domid}"

    @property
    def vm_path(self) -> str:
        """Return the path of its `/vm` node, which outlives its domain ids."""
        return f"/vm/{self.spec.uuid}"

    def device(self, kinds: tuple[str, ...], number: int) -> Device | None:
        """Return the device of this number and one of these kinds, if there is one."""
        for device in self.devices:
            if device.kind in kinds and device.number == number:
                return device
        return None


def current_spec(info: DomainInfo) -> DomainSpec:
    """Return the configuration with its later changes: name, memory, devices."""
    specs = [device.spec for device in info.devices]
    return replace(
        info.spec,
        name=info.lasting_name,
        memory_kib=info.target_kib,
        maximum_kib=info.maximum_kib,
        disks=tuple(spec for spec in specs if isinstance(spec, DiskSpec)),
        vifs=tuple(spec for spec in specs if isinstance(spec, VifSpec)),
        vfbs=tuple(spec for spec in specs if isinstance(spec, VfbSpec)),
    )
