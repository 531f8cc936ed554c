"""Attaches devices to existing domains, detaches them, and changes media.

Source: tools/python/xen/xend/XendDomainInfo.py (device_create, destroyDevice), 3.0.3.
"""

from collections.abc import Sequence
from dataclasses import replace

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.config.devices import DISK_SECTORS, DiskSpec, device_number
from hypervisor.toolstack.devicenodes import is_screen, new_device, remove_device
from hypervisor.toolstack.domaininfo import (
    CLOSED,
    CLOSING,
    DISK_KINDS,
    Device,
    DeviceSpec,
    DomainInfo,
)
from hypervisor.toolstack.operations.backing import check_disk, disks_of
from hypervisor.toolstack.operations.hotplug import (
    BLOCK_SCRIPT_MS,
    VIF_SCRIPT_MS,
    Connection,
    hotplug_step,
)
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.xendcontext import XendContext


class Attaching(Operation):
    """Attaches a device; the result is None. The guest connects to it in its own time."""

    def __init__(self, xend: XendContext, info: DomainInfo, spec: DeviceSpec) -> None:
        kind = "block-attach" if isinstance(spec, DiskSpec) else "network-attach"
        super().__init__(xend, kind, info)
        self._info = info
        self._spec = spec
        self._device: Device | None = None

    def start(self) -> None:
        """Check that the device is new, then connect its backend."""
        spec, info = self._spec, self._info
        if isinstance(spec, DiskSpec) and info.device(DISK_KINDS, spec.device):
            raise Refused(f"Device {spec.frontend} ({spec.device}, vbd) is already connected.")
        self._device = new_device(info, spec)
        Connection(self._xend, info, self._device, self._connected, self.steps).start()

    def _connected(self, error: HostError | None) -> None:
        if error is not None:
            self.fail(error)
        else:
            self._xend.events["device_attached"] += 1
            self.finish(None)

    def undo(self) -> None:
        """Remove the device's nodes."""
        if self._device is not None:
            remove_device(self._xend.store, self._info, self._device)


class Detaching(Operation):
    """Detaches one device: asks the guest, and removes the device once the guest has closed it."""

    def __init__(self, xend: XendContext, info: DomainInfo, device: Device) -> None:
        kind = "block-detach" if device.kind in DISK_KINDS else "network-detach"
        super().__init__(xend, kind, info)
        self._info = info
        self._device = device

    def start(self) -> None:
        """Ask the guest to close the device. A mounted disk stays until it is unmounted."""
        device, store = self._device, self._xend.store
        is_first, device.is_asked_back = not device.is_asked_back, True
        if is_first:
            store.watch(f"{device.frontend}/state", self._changed)
        store.write(f"{device.backend}/online", 0)
        store.write(f"{device.backend}/state", CLOSING)
        if is_screen(device):
            self._remove()
        elif not is_first:
            self.finish()  # the first one waits for the guest

    def force(self) -> None:
        """Remove the device, whether or not the guest uses it (3.1)."""
        self._remove()

    def _changed(self, _: str) -> None:
        store, device = self._xend.store, self._device
        state = store.read(f"{device.frontend}/state")
        if state is None:  # the device is gone with its domain
            store.unwatch(f"{device.frontend}/state", self._changed)
            self.finish()
        if state != str(CLOSED):
            return
        store.write(f"{device.backend}/state", CLOSED)
        is_disk = device.kind in DISK_KINDS
        self.steps.begin(hotplug_step(device))
        self._xend.hypervisor.run_program(
            "hotplug", BLOCK_SCRIPT_MS if is_disk else VIF_SCRIPT_MS, self._remove
        )

    def _remove(self) -> None:
        info, device = self._info, self._device
        self._xend.store.unwatch(f"{device.frontend}/state", self._changed)
        if info.domid not in self._xend.infos or device not in info.devices:
            self.finish()  # it went with its domain
            return
        if device.kind in DISK_KINDS:
            self._xend.hypervisor.devices.remove_disk(info.domid, device.number)
        elif device.kind == "vif":
            self._xend.hypervisor.devices.remove_vif(info.domid, device.number)
        remove_device(self._xend.store, info, device)
        self._xend.events["device_detached"] += 1
        self.finish()


def find_disk(info: DomainInfo, reference: str, tools: str) -> Device:
    """Return the disk of this number or name. Raises: Refused where it is not connected.

    3.0.3 looks only for disks of the class vbd, so it does not find tap: disks.
    """
    try:
        number = device_number(reference)
    except HostError:
        number = -1
    device = info.device(DISK_KINDS if tools != "3.0.3" else ("vbd",), number)
    if device is None:
        raise Refused(f"Device {reference} not connected")
    return device


def find_vif(info: DomainInfo, index: int) -> Device:
    """Return the network interface of this number. Raises: Refused where there is none."""
    device = info.device(("vif",), index)
    if device is None:
        raise Refused(f"Device {index} not connected")
    return device


def change_medium(xend: XendContext, info: DomainInfo, spec: DiskSpec) -> None:
    """Put another medium into a CD-ROM drive. Raises: Refused for anything else."""
    device = info.device(DISK_KINDS, spec.device)
    if device is None:
        raise Refused(f"Device {spec.frontend} not connected")
    old = device.spec
    assert isinstance(old, DiskSpec)
    if not old.is_cdrom or (spec.mode, device.kind) != (old.mode, spec.device_class):
        raise Refused(
            f"Refusing to reconfigure device vbd:{spec.device}: only the medium of a CD-ROM drive "
            "can be changed"
        )
    spec = replace(spec, is_cdrom=True)
    others: Sequence[DomainInfo] = list(xend.infos.values())
    check_disk(spec, [one for one in disks_of(others) if one.spec is not old], xend.devices)
    device.spec = spec
    xend.hypervisor.devices.change_disk(info.domid, spec.device, spec)
    xend.store.write(f"{device.backend}/params", spec.path.removeprefix("/dev/"))
    if not (old.type and spec.type):  # the drive was or is empty
        xend.store.write(f"{device.backend}/type", spec.type)
        xend.store.write(f"{device.backend}/sectors", DISK_SECTORS if spec.type else 0)
