"""Converts the XML that `virsh create` reads to the nested list `(vm ...)` for xend."""

import re
from typing import TYPE_CHECKING

from xenprof.cli.virsh.xml.domain import ACTIONS, BOOT_DEVICES, FEATURES, FIRST_VNC_PORT
from xenprof.cli.virsh.xml.sxp import Sxp, entries
from xenprof.errors import XenprofError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAXIMUM_CHARACTERS = 64 * 1024
_DEFAULT_MEMORY_KIB = 128 * 1024
_LEAST_MEMORY_KIB = 64_000  # libvirt, src/xml.c: it believes no smaller number
_DECLARATION = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_OWN_VIF_NAME = re.compile(r"vif\d+\.\d+", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class XmlError(XenprofError):
    """A description that cannot be used; the message is libvirt's where it has one."""


def vm_sxp(text: str) -> Sxp:
    """Return the configuration of an XML description; elements without use for Xen are ignored.

    Raises: XmlError. Declarations of document types and entities are refused unread, so that
    a small file stays a small tree. Source: libvirt, src/xml.c.
    """
    root = _root(text)
    name = _text(root, "name")
    if not name:
        raise XmlError("missing name information in the description")
    maximum_kib = _memory_kib(root, "memory", _DEFAULT_MEMORY_KIB, _LEAST_MEMORY_KIB)
    memory_kib = _memory_kib(root, "currentMemory", maximum_kib, 1024)
    vcpus = _number(_text(root, "vcpu") or "1", "vcpu")
    is_hvm = _text(root, "os/type") == "hvm"
    image = _hvm_image(root) if is_hvm else _linux_image(root, name)
    found = [
        ("name", name),
        ("memory", str(memory_kib // 1024)),
        ("maxmem", str(maximum_kib // 1024)),
        ("vcpus", str(vcpus)),
        ("uuid", _text(root, "uuid")),
        ("bootloader", _text(root, "bootloader")),
        *((action, _text(root, action)) for action in ACTIONS),
    ]
    devices = [_disk(x) if x.tag == "disk" else _vif(x, is_hvm) for x in _device_elements(root)]
    if not is_hvm:
        devices += _framebuffers(root)
    return ["vm", *entries(found), ["image", image], *(["device", device] for device in devices)]


def _root(text: str) -> "Element":
    from xml.etree import ElementTree  # only `create` needs the parser

    if len(text) > MAXIMUM_CHARACTERS:
        raise XmlError(f"the description is longer than {MAXIMUM_CHARACTERS} characters")
    if found := _DECLARATION.search(text):
        raise XmlError(f"the description has a declaration of {found[1].upper()}; remove it")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise XmlError(f"XML description is not well formed or invalid: {error}") from None
    if root.tag != "domain" or root.get("type", "xen") != "xen":
        raise XmlError("XML description is not one of <domain type='xen'>")
    return root


def _linux_image(root: "Element", name: str) -> Sxp:
    kind, has_bootloader = _text(root, "os/type"), bool(_text(root, "bootloader"))
    if root.find("os") is None and not has_bootloader:
        raise XmlError(f"missing operating system information for {name}")
    if kind not in ("", "linux"):
        raise XmlError(f"unknown OS type {kind}; use linux or hvm")
    kernel = _text(root, "os/kernel")
    if not (kernel or has_bootloader):
        raise XmlError("missing kernel information")
    found = [
        ("kernel", kernel),
        ("ramdisk", _text(root, "os/initrd")),
        ("root", _text(root, "os/root")),
        ("args", _text(root, "os/cmdline")),
    ]
    return ["linux", *entries(found)]


def _hvm_image(root: "Element") -> Sxp:
    loader = _text(root, "os/loader")
    if not loader:
        raise XmlError("missing kernel information: an hvm guest needs <loader>")
    letters = {name: letter for letter, name in BOOT_DEVICES.items()}
    device = _attribute(root, "os/boot", "dev")
    if device and device not in letters:
        raise XmlError(f"unknown boot device {device}; use {', '.join(letters)}")
    found = [
        ("kernel", loader),
        ("device_model", _text(root, "devices/emulator")),
        ("boot", letters.get(device, "")),
    ]
    for disk in filter(_is_floppy, root.findall("devices/disk")):
        target = _attribute(disk, "target", "dev")
        if target not in ("fda", "fdb"):
            raise XmlError(f"unknown floppy drive {target}; use fda or fdb")
        found.append((target, _attribute(disk, "source", "file")))
    found += [(x, "1") for x in FEATURES if root.find(f"features/{x}") is not None]
    if root.find("devices/console") is not None:
        found.append(("serial", "pty"))
    for graphics in root.findall("devices/graphics"):
        kind, settings = _display(graphics)
        found += [(kind, "1"), *settings] if kind else []
    return ["hvm", *entries(found)]


def _device_elements(root: "Element") -> list["Element"]:
    """Return disks and interfaces in the order of the description."""
    devices = [element for part in root.findall("devices") for element in part]
    return [x for x in devices if x.tag in ("disk", "interface") and not _is_floppy(x)]


def _disk(disk: "Element") -> Sxp:
    attribute = "dev" if disk.get("type") == "block" else "file"
    source, target = _attribute(disk, "source", attribute), _attribute(disk, "target", "dev")
    role = "cdrom" if disk.get("device") == "cdrom" else "disk"
    if not source and role == "disk":  # a CD-ROM drive may be empty
        raise XmlError(f"missing source information for device {target}".rstrip())
    if not target:
        raise XmlError(f"missing target information for device {source}")
    driver = _attribute(disk, "driver", "name") or ("phy" if attribute == "dev" else "file")
    if driver == "phy" and source and not source.startswith("/"):
        source = f"/dev/{source}"
    mode = "w"
    if disk.find("readonly") is not None:
        mode = "r"
    elif disk.find("shareable") is not None:
        mode = "w!"
    kind = "vbd"
    if driver == "tap" and source:
        kind, driver = "tap", f"tap:{_attribute(disk, 'driver', 'type') or 'aio'}"
    found = [
        ("dev", f"{target.removeprefix('ioemu:')}:{role}"),
        ("uname", f"{driver}:{source}" if source else ""),
        ("mode", mode),
    ]
    return [kind, *entries(found)]


def _vif(interface: "Element", is_hvm: bool) -> Sxp:
    name = _attribute(interface, "target", "dev")
    found = [
        ("mac", _attribute(interface, "mac", "address")),
        ("bridge", _attribute(interface, "source", "bridge")),
        ("ip", _attribute(interface, "ip", "address")),
        ("script", _attribute(interface, "script", "path")),
        ("vifname", "" if _OWN_VIF_NAME.fullmatch(name) else name),
        ("type", "ioemu" if is_hvm else ""),
    ]
    return ["vif", *entries(found)]


def _framebuffers(root: "Element") -> list[Sxp]:
    found: list[Sxp] = []
    for kind, settings in map(_display, root.findall("devices/graphics")):
        if kind:
            found += [["vkbd"], ["vfb", ["type", kind], *entries(settings)]]
    return found


def _display(graphics: "Element") -> tuple[str, list[tuple[str, str]]]:
    """Return `vnc` or `sdl` and its settings; the kind is empty if Xen does not have it."""
    kind, port = graphics.get("type", ""), graphics.get("port", "")
    if kind != "vnc":
        return "sdl" if kind == "sdl" else "", []
    if port == "-1":
        return kind, [("vncunused", "1")]
    display = _number(port, "port of graphics") - FIRST_VNC_PORT if port else 0
    return kind, [("vncdisplay", str(display))] if display > 0 else []


def _is_floppy(element: "Element") -> bool:
    return element.get("device") == "floppy"


def _memory_kib(root: "Element", name: str, default: int, least: int) -> int:
    element = root.find(name)
    if element is None:
        return default
    unit = element.get("unit", "KiB")
    if unit != "KiB":
        raise XmlError(f"{name} is in {unit}; write it in KiB")
    kib = _number(_text(root, name), name)
    if kib < least:
        raise XmlError(f"{name} of {kib} KiB is too small; write {least} KiB or more")
    return kib


def _number(text: str, name: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise XmlError(f"invalid value for {name}: '{text}' is not a whole number")
    return int(text)


def _text(root: "Element", path: str) -> str:
    return (root.findtext(path) or "").strip()


def _attribute(element: "Element", path: str, name: str) -> str:
    found = element.find(path)
    return "" if found is None else found.get(name, "").strip()
