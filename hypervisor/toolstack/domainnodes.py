"""Writes and removes a domain's own nodes in xenstore.

Source: tools/python/xen/xend/XendDomainInfo.py (storeVmDetails, storeDomDetails), 3.0.3.
"""

from hypervisor.toolstack.config.domain_sxp import config_sxp
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.config.sxp import to_text
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.xenstore import Xenstore

# Machine frames of the pages that a guest shares with xenstored and xenconsoled (judgement:
# the model does not number frames).
FIRST_FRAME = 262_144
CONSOLE_LIMIT = 1048576  # console-limit of xend-config.sxp, 1024 KiB


def write_vm(store: Xenstore, info: DomainInfo) -> None:
    """Write `/vm/UUID` of a domain."""
    spec = info.spec
    store.write_all(
        info.vm_path,
        {
            "uuid": spec.uuid,
            "name": info.name,
            "memory": spec.memory_kib // 1024,
            "maxmem": (info.maximum_kib or spec.memory_kib) // 1024,
            "shadow_memory": spec.shadow_kib // 1024,
            "vcpus": spec.vcpus,
            "vcpu_avail": sum(1 << vcpu for vcpu in spec.initial_vcpus),
            "on_poweroff": spec.on_poweroff,
            "on_reboot": spec.on_reboot,
            "on_crash": spec.on_crash,
            "image": _image(spec),
            "start_time": f"{info.created_unix_ns / 1e9:.2f}",
            "xend/restart_count": info.restart_count,
        },
    )
    if info.previous_restart_ns is not None:
        store.write(f"{info.vm_path}/xend/previous_restart_time", info.created_unix_ns / 1e9)


def write_domain(store: Xenstore, info: DomainInfo) -> None:
    """Write `/vm/UUID` and `/local/domain/ID` of a domain that has just been made."""
    spec = info.spec
    write_vm(store, info)
    store.write_all(
        info.path,
        {
            "vm": info.vm_path,
            "domid": info.domid,
            "name": info.name,
            "memory/target": info.target_kib,
        },
    )
    for vcpu in range(spec.vcpus):
        state = "online" if vcpu in spec.initial_vcpus else "offline"
        store.write(f"{info.path}/cpu/{vcpu}/availability", state)
    if info.domid:
        store.write_all(
            info.path,
            {
                "console/limit": CONSOLE_LIMIT,
                "console/tty": f"/dev/pts/{info.domid}",
                "console/port": 2,
                "console/ring-ref": FIRST_FRAME + 2 * info.domid + 1,
                "store/port": 1,
                "store/ring-ref": FIRST_FRAME + 2 * info.domid,
            },
        )
    store.announce("@introduceDomain")


def _image(spec: DomainSpec) -> str:
    """Return the domain's image as text; empty for domain 0, which Xen has built."""
    images = [entry[1] for entry in config_sxp(spec) if entry[0] == "image"]
    return to_text(images[0]) if images and spec.kind != "dom0" else ""


def remove_domain(store: Xenstore, info: DomainInfo, *, keep_vm: bool = False) -> None:
    """Remove a domain's nodes; with `keep_vm` its successor has the same `/vm` node."""
    store.remove(info.path)
    if not keep_vm:
        store.remove(info.vm_path)
    for kind in ("vif", "vbd", "tap", "vfb"):
        store.remove(f"/local/domain/0/backend/{kind}/{info.domid}")
    store.announce("@releaseDomain")


def rename(store: Xenstore, info: DomainInfo, name: str) -> None:
    """Give a domain another name."""
    info.name = name
    store.write(f"{info.path}/name", name)
    store.write(f"{info.vm_path}/name", name)
