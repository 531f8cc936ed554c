"""The XML that `virsh dumpxml` prints: elements and their order as in libvirt 0.1.8 of RHEL 5.

Three elements are taken from later libvirts, for without them a domain would
change on its way through the XML: currentMemory, the target of an interface, shareable.
"""

import re
from collections.abc import Iterator

from xenprof.cli.virsh.xml.sxp import Sxp, children, list_at, number_at, text_at

FIRST_VNC_PORT = 5900
BOOT_DEVICES = {"a": "fd", "c": "hd", "d": "cdrom"}
FEATURES = ("acpi", "apic", "pae")
ACTIONS = ("on_poweroff", "on_reboot", "on_crash")

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", "\t": "&#9;",
                          "\n": "&#10;", "\r": "&#13;"})  # fmt: skip


def domain_xml(sxp: Sxp, tty: str = "", vnc_port: int | None = None) -> str:
    """Return the XML of a domain given as xend's nested list.

    `tty` is the guest's console in domain 0; `vnc_port` the one that a display really got
    (None: the port that belongs to the domain's id). Source: libvirt, src/xend_internal.c.
    """
    return "\n".join([*_lines(sxp, tty, vnc_port), ""])


def _lines(sxp: Sxp, tty: str, vnc_port: int | None) -> Iterator[str]:
    domid = number_at(sxp, "domid")
    is_hvm = list_at(sxp, "image/hvm") is not None
    yield f"<domain type='xen' id='{domid}'>"
    yield from _element("name", text_at(sxp, "name"))
    yield from _element("uuid", text_at(sxp, "uuid").replace("-", "").lower())
    yield from _element("bootloader", text_at(sxp, "bootloader"))
    yield from _os(sxp, is_hvm)
    memory = number_at(sxp, "memory")
    maximum = number_at(sxp, "maxmem") or memory
    yield f"  <memory>{maximum * 1024}</memory>"
    if memory != maximum:
        yield f"  <currentMemory>{memory * 1024}</currentMemory>"
    yield f"  <vcpu>{number_at(sxp, 'vcpus')}</vcpu>"
    for name in ACTIONS:
        yield from _element(name, text_at(sxp, name))
    if is_hvm:
        yield "  <features>"
        yield from (f"    <{x}/>" for x in FEATURES if number_at(sxp, f"image/hvm/{x}"))
        yield "  </features>"
    yield "  <devices>"
    yield from _element("emulator", text_at(sxp, "image/hvm/device_model"), 4)
    yield from _devices(sxp, domid)
    for floppy in ("fda", "fdb"):
        if path := text_at(sxp, f"image/hvm/{floppy}"):
            yield "    <disk type='file' device='floppy'>"
            yield f"      <source file='{_escaped(path)}'/>"
            yield f"      <target dev='{floppy}'/>"
            yield "    </disk>"
    yield from _graphics(sxp, is_hvm, FIRST_VNC_PORT + domid if vnc_port is None else vnc_port)
    if tty:
        yield f"    <console tty='{_escaped(tty)}'/>"
    yield "  </devices>"
    yield "</domain>"


def _os(sxp: Sxp, is_hvm: bool) -> Iterator[str]:
    kind = "hvm" if is_hvm else "linux"
    image = list_at(sxp, f"image/{kind}")
    if image is None:  # as for domain 0
        return
    yield "  <os>"
    yield f"    <type>{kind}</type>"
    if is_hvm:
        yield from _element("loader", text_at(image, "kernel"), 4)
        if device := BOOT_DEVICES.get(text_at(image, "boot")[:1]):
            yield f"    <boot dev='{device}'/>"
    else:
        for name, key in (
            ("kernel", "kernel"),
            ("initrd", "ramdisk"),
            ("root", "root"),
            ("cmdline", "args"),
        ):
            yield from _element(name, text_at(image, key), 4)
    yield "  </os>"


def _devices(sxp: Sxp, domid: int) -> Iterator[str]:
    vifs = 0
    for device in children(sxp, "device"):
        for kind in ("vbd", "tap"):
            if (disk := list_at(device, kind)) is not None:
                yield from _disk(disk)
        if (vif := list_at(device, "vif")) is not None:
            yield from _interface(vif, f"vif{domid}.{vifs}")
            vifs += 1


def _disk(disk: Sxp) -> Iterator[str]:
    driver, _, source = text_at(disk, "uname").partition(":")
    subtype = ""
    if driver == "tap":
        subtype, _, source = source.partition(":")
    target, _, role = text_at(disk, "dev").removeprefix("ioemu:").partition(":")
    device = "cdrom" if role == "cdrom" else "disk"
    kind, attribute = ("block", "dev") if driver in ("phy", "") else ("file", "file")
    yield f"    <disk type='{kind}' device='{device}'>"
    type_of_driver = f" type='{_escaped(subtype)}'" if subtype else ""
    if driver:  # otherwise a drive without a medium
        yield f"      <driver name='{_escaped(driver)}'{type_of_driver}/>"
        yield f"      <source {attribute}='{_escaped(source)}'/>"
    yield f"      <target dev='{_escaped(target)}'/>"
    mode = text_at(disk, "mode")
    if mode == "r":
        yield "      <readonly/>"
    elif mode == "w!":
        yield "      <shareable/>"
    yield "    </disk>"


def _interface(vif: Sxp, default_name: str) -> Iterator[str]:
    bridge, script = text_at(vif, "bridge"), text_at(vif, "script")
    is_bridged = bridge or not script or "bridge" in script
    yield f"    <interface type='{'bridge' if is_bridged else 'ethernet'}'>"
    for element, attribute, value in (
        ("source", "bridge", bridge),
        ("target", "dev", text_at(vif, "vifname") or default_name),
        ("mac", "address", text_at(vif, "mac")),
        ("ip", "address", text_at(vif, "ip")),
        ("script", "path", script),
    ):
        if value:
            yield f"      <{element} {attribute}='{_escaped(value)}'/>"
    yield "    </interface>"


def _graphics(sxp: Sxp, is_hvm: bool, port: int) -> Iterator[str]:
    image = "image/hvm" if is_hvm else "image/linux"
    framebuffers = [list_at(device, "vfb") for device in children(sxp, "device")]
    types = {text_at(vfb, "type") for vfb in framebuffers if vfb is not None}
    if "vnc" in types or text_at(sxp, f"{image}/vnc").startswith("1"):
        yield f"    <graphics type='vnc' port='{port}'/>"
    if "sdl" in types or text_at(sxp, f"{image}/sdl").startswith("1"):
        yield "    <graphics type='sdl'/>"


def _element(name: str, value: str, indent: int = 2) -> Iterator[str]:
    if value:
        yield f"{' ' * indent}<{name}>{_escaped(value)}</{name}>"


def _escaped(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text).translate(_ESCAPES)
