"""Connects a device's backend: domain 0's hotplug script runs, then the device is added.

Source: tools/python/xen/xend/server/DevController.py (waitForDevice, hotplugStatusCallback).
"""

from collections.abc import Callable

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.config.devices import DiskSpec
from hypervisor.toolstack.devicenodes import is_screen, write_device
from hypervisor.toolstack.domaininfo import INIT_WAIT, Device, DomainInfo
from hypervisor.toolstack.operations.backing import backing_nodes, check_device
from hypervisor.toolstack.records.steps import Steps
from hypervisor.toolstack.records.xendlog import Messages
from hypervisor.toolstack.timers import SECOND_NS
from hypervisor.toolstack.xendcontext import XendContext

LIMIT_NS = 100 * SECOND_NS  # DEVICE_CREATE_TIMEOUT
# CPU time of the shell scripts and the programs that they start: udev, about twenty runs of
# xenstore-read and xenstore-write, losetup, brctl (judgement).
BLOCK_SCRIPT_MS = 60
VIF_SCRIPT_MS = 80

Connected = Callable[[HostError | None], object]


class Connection:
    """Connects one device, and calls `connected(None)` or `connected(error)` once at the end."""

    def __init__(
        self,
        xend: XendContext,
        info: DomainInfo,
        device: Device,
        connected: Connected,
        steps: Steps | None = None,
    ) -> None:
        """`steps` are those of the operation, one of which this is."""
        self._steps = Steps(xend.timers) if steps is None else steps
        self._xend = xend
        self._info = info
        self._device = device
        self._connected = connected
        self._is_over = False

    def start(self) -> None:
        """Write the device's nodes and run the script."""
        log, store, device = self._xend.log, self._xend.store, self._device
        write_device(store, self._info, device)
        for path in (device.frontend, device.backend):
            nodes = {name: store.read(f"{path}/{name}") for name in store.children(path)}
            log.debug(Messages.device_write, nodes, path)
        log.debug(Messages.device_wait, device.number)
        if is_screen(self._device):
            self._end(None)
            return
        self._steps.begin(hotplug_step(self._device))
        timers = self._xend.timers
        self._timer = timers.schedule(timers.now + LIMIT_NS, self._too_late)
        is_disk = isinstance(self._device.spec, DiskSpec)
        self._xend.hypervisor.run_program(
            "hotplug", BLOCK_SCRIPT_MS if is_disk else VIF_SCRIPT_MS, self._scripted
        )

    def at_once(self) -> None:
        """Connect the device without the script, as at boot. Raises: Refused."""
        write_device(self._xend.store, self._info, self._device)
        if not is_screen(self._device):
            self._connect()

    def _scripted(self) -> None:
        if self._is_over:
            return
        self._xend.timers.cancel(self._timer)
        if self._device not in self._info.devices:
            self._end(Refused(f"{self._name} could not be connected. It has been detached."))
            return
        try:
            self._connect()
        except HostError as error:
            self._xend.store.write(f"{self._device.backend}/hotplug-status", "error")
            self._xend.store.write(f"{self._device.backend}/hotplug-error", str(error))
            self._end(Refused(f"{self._name} could not be connected. {error}"))
        else:
            status = f"{self._device.backend}/hotplug-status"
            self._xend.log.debug(Messages.hotplug_callback, status)
            self._xend.log.debug(Messages.hotplug_status, 1)
            self._end(None)

    def _connect(self) -> None:
        xend, device = self._xend, self._device
        check_device(device, xend.infos.values(), xend.devices, xend.bridges, xend.interfaces)
        if isinstance(device.spec, DiskSpec):
            xend.hypervisor.devices.add_disk(self._info.domid, device.spec)
            nodes = backing_nodes(device.spec, self._loop_devices())
            xend.store.write_all(device.backend, nodes)
        else:
            xend.hypervisor.devices.add_vif(self._info.domid, device.number, device.spec)  # type: ignore[arg-type]
            xend.store.write_all(device.backend, {"feature-sg": 1, "feature-gso-tcpv4": 1})
        xend.store.write(f"{device.backend}/hotplug-status", "connected")
        xend.store.write(f"{device.backend}/state", INIT_WAIT)

    def _loop_devices(self) -> list[str]:
        read = self._xend.store.read
        devices = [one for info in self._xend.infos.values() for one in info.devices]
        return [node for one in devices if (node := read(f"{one.backend}/node"))]

    @property
    def _name(self) -> str:
        return f"Device {self._device.number} ({self._device.kind})"

    def _too_late(self, _: object) -> None:
        self._end(Refused(f"{self._name} could not be connected. Hotplug scripts not working."))

    def _end(self, error: HostError | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._steps.end(hotplug_step(self._device))
            self._connected(error)


def hotplug_step(device: Device) -> str:
    """Return the name of the step in which the script of a device runs."""
    return f"hotplug {device.kind} {device.number}"
