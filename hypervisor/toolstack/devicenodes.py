"""Writes the frontend and backend nodes of devices in xenstore, and reads them for lists.

Source: tools/python/xen/xend/server/{DevController,blkif,netif,vfbif}.py (3.0.3).
"""

from hypervisor.devicerows import BlockRow, DeviceRow, NetworkRow
from hypervisor.toolstack.config.devices import DiskSpec, VfbSpec, VifSpec
from hypervisor.toolstack.domaininfo import (
    INITIALISING,
    Device,
    DeviceSpec,
    DomainInfo,
)
from hypervisor.toolstack.xenstore import Xenstore

UNLIMITED = "4294967295,0"  # what the backend reads where there is no limit


def device_kind(spec: DeviceSpec) -> str:
    """Return a device's class in xenstore."""
    if isinstance(spec, DiskSpec):
        return spec.device_class
    return "vif" if isinstance(spec, VifSpec) else "vfb"


def new_device(info: DomainInfo, spec: DeviceSpec) -> Device:
    """Return the device that `spec` describes, with the domain's next number if it is a vif."""
    kind = device_kind(spec)
    if isinstance(spec, DiskSpec):
        number = spec.device
    elif kind == "vif":
        number, info.next_vif = info.next_vif, info.next_vif + 1
    else:
        number = sum(device.kind == kind for device in info.devices)
    device = Device(
        kind,
        number,
        spec,
        f"{info.path}/device/{kind}/{number}",
        f"/local/domain/0/backend/{kind}/{info.domid}/{number}",
    )
    info.devices.append(device)
    return device


def write_device(store: Xenstore, info: DomainInfo, device: Device) -> None:
    """Write the frontend and backend nodes; the guest finds the state `initialising`."""
    spec = device.spec
    front: dict[str, object] = {"backend-id": 0, "backend": device.backend}
    back: dict[str, object] = {
        "domain": info.name,
        "frontend": device.frontend,
        "frontend-id": info.domid,
        "online": 1,
    }
    if isinstance(spec, DiskSpec):
        kind = "cdrom" if spec.is_cdrom else "disk"
        front |= {"virtual-device": device.number, "device-type": kind}
        back |= {
            "dev": spec.frontend,
            "type": spec.type.partition(":")[0],
            "params": _parameters(spec),
            "mode": spec.mode,
        }
    elif isinstance(spec, VifSpec):
        front |= {"handle": device.number, "mac": spec.mac}
        rate = spec.rate
        back |= {
            "handle": device.number,
            "mac": spec.mac,
            "script": _script(spec.script),
            "bridge": spec.bridge,
            "rate": f"{rate.bytes_per_window},{rate.window_us}" if rate else UNLIMITED,
        }
        back |= {"ip": spec.ip} if spec.ip else {}
        back |= {"vifname": spec.vifname} if spec.vifname else {}
        back |= {"type": spec.type} if spec.type else {}
        store.write(f"{info.path}/device-misc/vif/nextDeviceID", info.next_vif)
    store.write_all(device.frontend, front | {"state": INITIALISING})
    store.write_all(device.backend, back | {"state": INITIALISING})


def _parameters(spec: DiskSpec) -> str:
    if spec.type == "phy":
        return spec.path.removeprefix("/dev/")
    kind, colon, driver = spec.type.partition(":")
    return f"{driver}:{spec.path}" if colon and kind == "tap" else spec.path


def _script(script: str) -> str:
    return script if script.startswith("/") else f"/etc/xen/scripts/{script or 'vif-bridge'}"


def remove_device(store: Xenstore, info: DomainInfo, device: Device) -> None:
    """Remove the frontend and backend nodes."""
    store.remove(device.frontend)
    store.remove(device.backend)
    if device in info.devices:
        info.devices.remove(device)


def device_row(store: Xenstore, device: Device) -> DeviceRow:
    """Return a row of `xm block-list` or `xm network-list`; -1 where a value does not exist yet."""

    def text(name: str) -> str:
        return store.read(f"{device.frontend}/{name}") or ""

    def number(name: str, default: int = -1) -> int:
        return int(found) if (found := text(name)).isdigit() else default

    backend_domid, handle = number("backend-id", 0), number("handle", 0)
    state, event_channel = number("state"), number("event-channel")
    sxp = [str(device.number), *_front_sxp(store, device)]
    if device.kind == "vif":
        return NetworkRow(
            backend_domid=backend_domid,
            handle=handle,
            state=state,
            event_channel=event_channel,
            backend_path=device.backend,
            sxp=sxp,
            index=device.number,
            mac=text("mac"),
            tx_ring_ref=number("tx-ring-ref"),
            rx_ring_ref=number("rx-ring-ref"),
        )
    return BlockRow(
        backend_domid=backend_domid,
        handle=handle,
        state=state,
        event_channel=event_channel,
        backend_path=device.backend,
        sxp=sxp,
        device=device.number,
        ring_ref=number("ring-ref"),
    )


def _front_sxp(store: Xenstore, device: Device) -> list[list[str]]:
    names = store.children(device.frontend)
    return [[name, store.read(f"{device.frontend}/{name}") or ""] for name in names]


def is_screen(device: Device) -> bool:
    """Return whether the device is a framebuffer, which has no rings and no hotplug script."""
    return isinstance(device.spec, VfbSpec)
