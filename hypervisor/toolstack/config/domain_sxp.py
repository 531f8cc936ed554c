"""Writes and reads domains and devices as s-expressions, as xm sends them and xend shows them.

Source: tools/python/xen/xm/create.py, make_config; tools/python/xen/xend/XendDomainInfo.py,
sxpr and parseConfig (3.0.3).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from hypervisor.cpus import format_cpus
from hypervisor.domain0 import DOMAIN_0
from hypervisor.errors import HostError
from hypervisor.toolstack.config.devices import DiskSpec, VfbSpec, VifSpec
from hypervisor.toolstack.config.options import LIST_SETTINGS
from hypervisor.toolstack.config.settings import domain_spec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.config.sxp import Sxp, child_text, children, head

DeviceSpec = DiskSpec | VifSpec | VfbSpec

_VIF_KEYS = ("type", "mac", "bridge", "ip", "script", "backend", "vifname", "rate", "model")
_SAME_NAMES = (  # settings that have the same name in both
    *("name", "uuid", "memory", "maxmem", "shadow_memory", "vcpus", "vcpu_avail", "cpu", "cpus"),
    *("cpu_weight", "cpu_cap", "features", "on_poweroff", "on_reboot", "on_crash", "restart"),
    *(
        "on_xend_start",
        "on_xend_stop",
        "localtime",
        "xenprof_arch",
        "xenprof_drivers",
        "xenprof_os",
    ),
)


def config_sxp(spec: DomainSpec) -> list[Sxp]:
    """Return `(vm ...)`, which xm sends to xend and prints with `-n`."""
    shadow_mib = spec.shadow_kib // 1024
    entries: list[Sxp] = [
        ["name", spec.name],
        ["memory", str(spec.memory_kib // 1024)],
        ["maxmem", str((spec.maximum_kib or spec.memory_kib) // 1024)],
        *_entries({"shadow_memory": str(shadow_mib) if shadow_mib else ""}),
        ["on_poweroff", spec.on_poweroff],
        ["on_reboot", spec.on_reboot],
        ["on_crash", spec.on_crash],
        ["vcpus", str(spec.vcpus)],
        *_entries(
            {
                "vcpu_avail": "" if spec.vcpu_avail is None else str(spec.vcpu_avail),
                "features": spec.features,
                "on_xend_start": _unless(spec.on_xend_start, "ignore"),
                "on_xend_stop": _unless(spec.on_xend_stop, "ignore"),
            }
        ),
        ["uuid", spec.uuid],
        *_entries(
            {
                "cpus": "" if spec.affinity is None else format_cpus(spec.affinity),
                "cpu_cap": _unless(str(spec.cap_percent), "0"),
                "cpu_weight": _weight(spec),
                "localtime": "1" if spec.localtime else "",
                "bootloader": spec.bootloader,
                "bootloader_args": spec.bootargs,
                "xenprof_arch": spec.arch,
                "xenprof_drivers": spec.drivers,
                "xenprof_os": spec.os,
            }
        ),
        *_named("xenprof_workload", spec.programs),
        *([] if spec.kind == "dom0" else [_holding("image", _image(spec))]),
    ]
    devices: list[DeviceSpec] = [*spec.disks, *spec.vifs]
    entries += [_holding("device", _sent_device(device)) for device in devices]
    for vfb in spec.vfbs:
        entries += [["device", ["vkbd"]], ["device", _sent_device(vfb)]]
    return ["vm", *entries]


def described_sxp(spec: DomainSpec, tools: str = "3.0.3") -> list[Sxp]:
    """Return `(domain ...)`: the configuration as `xm list --long` shows it, in xend's order.

    The caller adds what changes with time (domid, state, times, present memory and devices);
    the devices here are the configured ones.
    """
    credit = {"cpu_weight": str(spec.legacy_cpu_weight)}
    xend_ends = {}
    if tools != "3.0.3":
        credit = {"cpu_cap": str(spec.cap_percent), "cpu_weight": str(spec.weight)}
        xend_ends = {"on_xend_start": spec.on_xend_start, "on_xend_stop": spec.on_xend_stop}
    maximum_kib = spec.memory_kib if spec.maximum_kib is None else spec.maximum_kib
    entries: list[Sxp] = [
        ["uuid", spec.uuid],
        ["vcpus", str(spec.vcpus)],
        *_entries(credit),
        ["memory", str(spec.memory_kib // 1024)],
        ["shadow_memory", str(spec.shadow_kib // 1024)],
        ["maxmem", str(maximum_kib // 1024)],
        *_entries({"bootloader": spec.bootloader, "bootloader_args": spec.bootargs}),
        ["features", spec.features],
        *_entries({"localtime": "1" if spec.localtime else ""}),
        ["name", spec.name],
        ["on_poweroff", spec.on_poweroff],
        ["on_reboot", spec.on_reboot],
        ["on_crash", spec.on_crash],
        *_entries(xend_ends),
    ]
    if spec.kind != "dom0":
        entries.append(["image", _image(spec)])
    devices: list[DeviceSpec] = [*spec.vifs, *spec.disks, *spec.vfbs]
    return ["domain", *entries, *(_holding("device", device_sxp(one)) for one in devices)]


def device_sxp(device: DeviceSpec) -> list[Sxp]:
    """Return one device as xend shows it: `(vbd (backend 0) (dev xvda:disk) ...)`."""
    if isinstance(device, DiskSpec):
        return [
            device.device_class,
            ["backend", _backend_id(device.backend)],
            ["dev", f"{device.frontend}:{'cdrom' if device.is_cdrom else 'disk'}"],
            *_entries({"uname": device.source}),
            ["mode", device.mode],
        ]
    if isinstance(device, VfbSpec):
        return ["vfb", ["backend", "0"], ["type", device.type], *_entries(dict(device.settings))]
    values = _vif_values(device) | {"backend": _backend_id(device.backend)}
    order = ("backend", "script", "ip", "bridge", "mac", "type", "vifname", "rate", "model")
    return ["vif", *_entries({key: values[key] for key in order})]


def _sent_device(device: DeviceSpec) -> list[Sxp]:
    """Return one device as xm sends it."""
    if isinstance(device, DiskSpec):
        role = ":cdrom" if device.is_cdrom else ""
        return [
            device.device_class,
            ["uname", device.source],
            ["dev", f"{device.frontend}{role}"],
            ["mode", device.mode],
        ]
    if isinstance(device, VfbSpec):
        return ["vfb", ["type", device.type], *_entries(dict(device.settings))]
    return ["vif", *_entries(_vif_values(device) | {"backend": _unless(device.backend, DOMAIN_0)})]


def _image(spec: DomainSpec) -> list[Sxp]:
    values = {
        "kernel": spec.kernel,
        "ramdisk": spec.ramdisk,
        "ip": spec.ip,
        "root": spec.root,
        "args": spec.extra,
    }
    if spec.kind != "hvm":
        return ["linux", *_entries(values)]
    return [
        "hvm",
        *_entries(values),
        ["vcpus", str(spec.vcpus)],
        *_entries(dict(spec.device_model)),
    ]


def _vif_values(vif: VifSpec) -> dict[str, str]:
    values = {field.name: getattr(vif, field.name) for field in fields(vif)}
    rate = vif.rate.text if vif.rate else ""
    return {key: rate if key == "rate" else str(values[key]) for key in _VIF_KEYS}


def _weight(spec: DomainSpec) -> str:
    """Return the weight that 3.1 applies or, if that is the default, the one that 3.0.3 stores."""
    if spec.weight != 256:
        return str(spec.weight)
    return "" if spec.legacy_cpu_weight == 1.0 else str(spec.legacy_cpu_weight)


def _entries(values: Mapping[str, str]) -> list[Sxp]:
    return [[key, value] for key, value in values.items() if value]


def _named(name: str, values: Sequence[str]) -> list[Sxp]:
    return [[name, value] for value in values]


def _holding(name: str, inner: list[Sxp]) -> Sxp:
    return [name, inner]


def _unless(value: str, default: str) -> str:
    return "" if value == default else value


def _backend_id(name: str) -> str:
    return "0" if name == DOMAIN_0 else name


def spec_from_sxp(
    nested: Sxp,
    *,
    tools: str,
    pcpus: int,
    draw: random.Random,
    workloads: tuple[Mapping[str, object], ...] = (),
) -> DomainSpec:
    """Return the domain that `(vm ...)` or `(domain ...)` describes.

    Accepts the output of config_sxp and described_sxp, and that of the original tools; entries
    without a meaning for a new domain (domid, state, times) are skipped.
    Raises: HostError, with the same texts as for a configuration file.
    """
    if head(nested) not in ("vm", "domain"):
        raise HostError("not a domain's configuration: it has to begin with (vm or (domain")
    config: dict[str, object] = {
        name: child_text(nested, name) for name in _SAME_NAMES if child_text(nested, name)
    }
    for entry in children(nested, "backend"):
        config |= {head(item): "1" for item in entry[1:]}
    if programs := [entry[1] for entry in children(nested, "xenprof_workload")]:
        config["xenprof_workload"] = programs
    image = _first_list(nested, "image")
    config |= _image_settings(image) if image else {}
    _add_devices(config, nested)
    bootloader, bootargs = child_text(nested, "bootloader"), child_text(nested, "bootloader_args")
    if not config.get("kernel"):  # the bootloader has not run yet and will find one
        config |= {"bootloader": bootloader, "bootargs": bootargs}
        bootloader = ""
    spec = domain_spec(config, tools=tools, pcpus=pcpus, draw=draw, workloads=workloads)
    if bootloader and spec.kind == "pv":
        spec = replace(spec, bootloader=bootloader, bootargs=bootargs)
    ip = child_text(image, "ip") if image else ""
    return replace(spec, ip=ip) if ip else spec


def _image_settings(image: Sxp) -> dict[str, object]:
    """Return builder, kernel and the rest of the image, without `ip`, which is composed already."""
    settings: dict[str, object] = {"builder": head(image), "extra": child_text(image, "args")}
    for item in image if isinstance(image, list) else ():
        name, value = head(item), item[1] if isinstance(item, list) and len(item) > 1 else ""
        if name not in ("", "args", "ip", "vcpus", *LIST_SETTINGS) and isinstance(value, str):
            settings.setdefault(name, value)
    return settings


def _first_list(nested: Sxp, name: str) -> Sxp | None:
    for entry in children(nested, name):
        return next((item for item in entry[1:] if isinstance(item, list)), None)
    return None


def _add_devices(config: dict[str, object], nested: Sxp) -> None:
    lists: dict[str, list[str]] = {"disk": [], "vif": [], "vfb": []}
    for entry in children(nested, "device"):
        for device in entry[1:]:
            kind = head(device)
            if kind in ("vbd", "tap"):
                lists["disk"].append(_disk_text(device))
            elif kind in ("vif", "vfb"):
                lists[kind].append(_pairs_text(device, kind))
            elif kind in LIST_SETTINGS:
                config[kind] = [kind]
            elif kind != "vkbd":
                raise HostError(f"unknown device '{kind}' in the configuration")
    config.update(lists)


def _disk_text(device: Sxp) -> str:
    names = ("uname", "dev", "mode", "backend")
    values = [child_text(device, name) for name in names]
    return ",".join(values if values[3] else values[:3])


def _pairs_text(device: Sxp, kind: str) -> str:
    keys = [head(item) for item in device] if isinstance(device, list) else []
    values = {key: child_text(device, key) for key in keys if key and key != kind}
    for key, value in values.items():
        if "," in value:
            raise HostError(f"Invalid {kind} option: {key} has a comma in its value")
    if kind == "vfb":
        values.pop("backend", None)
    return ",".join(f"{key}={value}" for key, value in values.items())
