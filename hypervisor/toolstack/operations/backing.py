"""Checks what backs devices in domain 0: block devices, loop devices, bridges and their users.

Source: tools/examples/{block,block-common.sh,vif-bridge} (3.0.3), drivers/block/loop.c (max_loop).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hypervisor.errors import HostError, Refused
from hypervisor.nearest import some
from hypervisor.toolstack.config.devices import (
    DISK_SECTORS,
    SECTOR_BYTES,
    DiskSpec,
    VifSpec,
    device_number,
)
from hypervisor.toolstack.config.locations import absolute, may_share, overlap, place_of
from hypervisor.toolstack.domaininfo import Device, DomainInfo

LOOP_DEVICES = 8
TAP_DEVICES = 100  # blktap's MAX_TAP_DEV
DEVICE_MAPPER_MAJOR = 253  # its minors are made up: nothing says which volume came first
# Names that a RHEL 5 domain 0 can have behind phy: (judgement); images are made when missing.
_BLOCK_DEVICE = re.compile(
    r"/dev/(?:sd[a-p]\d{0,2}|hd[a-d]\d{0,2}|mapper/\S+|[A-Za-z]\w*(?:VG|Vol|vg)\w*/\S+"
    r"|VolGroup\d*/\S+|vg\w*/\S+|cciss/c\dd\d+(?:p\d+)?|nd\w+|iscsi/\S+|disk/by-\w+/\S+|sr\d|cdrom)"
)
# Types with a script block-TYPE in domain 0's /etc/xen/scripts, besides those that `block` serves.
_SCRIPTED = ("enbd", "nbd")
BRIDGES = ("xenbr0", "xenbr1", "virbr0")
"""The bridges that every host has. Only xenbr0 has a card, unless the host says otherwise."""
OF_GUESTS = re.compile(r"(?:vif|tap)\d+\.\d+", re.ASCII)
"""The names that netback and qemu-dm give to the interfaces of guests in domain 0."""


@dataclass(frozen=True, slots=True)
class Backing:
    """A domain's disk and what backs it."""

    owner: str
    spec: DiskSpec


def check_disk(
    spec: DiskSpec, others: Iterable[Backing], known: Collection[str] = frozenset()
) -> None:
    """Raise Refused with the block script's text where domain 0 cannot provide this disk.

    `known` are the places of block devices of domain 0 besides those that any RHEL 5 host could
    have; one that ends with a slash is a folder of them.
    """
    if not spec.type:  # a drive without a medium
        return
    if spec.type not in ("phy", "file", *_SCRIPTED) and not spec.is_tap:
        raise Refused(
            f"There is no /etc/xen/scripts/block-{spec.type} in Domain-0: name the device that it "
            "makes there, as in phy:/dev/sdb"
        )
    others = [one for one in others if one.spec is not spec]
    if spec.type == "phy" and not _exists(spec.path, known):
        there = some(["sda to sdp and hda to hdd", "volumes of groups", *sorted(known)])
        raise Refused(f"Backend device not found. {spec.path} is none of Domain-0's: {there}")
    if spec.type == "file" and sum(one.spec.type == "file" for one in others) >= LOOP_DEVICES:
        raise Refused(
            f"Failed to find an unused loop device ({LOOP_DEVICES} of max_loop={LOOP_DEVICES} are "
            "in use); use tap:aio: instead of file:"
        )
    taps = sum(one.spec.device_class == "tap" for one in others)
    if spec.device_class == "tap" and taps >= TAP_DEVICES:
        raise Refused(f"all {TAP_DEVICES} tap devices are in use")
    for one in others:
        how = "" if may_share(spec, one.spec) else overlap(spec, one.spec)
        if how:
            noun = "Device" if spec.type == "phy" else "File"
            raise Refused(
                f"{noun} {spec.path} is mounted in a guest domain, and so cannot be mounted now. "
                f"It {how} {one.spec.frontend} of '{one.owner}', with mode {one.spec.mode}; w! "
                "shares it all the same"
            )


def _exists(path: str, known: Collection[str]) -> bool:
    place = place_of(path)
    return bool(_BLOCK_DEVICE.fullmatch(absolute(path)) or _BLOCK_DEVICE.fullmatch(place)) or any(
        place.startswith(one) if one[-1:] == "/" else place == one for one in known
    )


def check_vif(
    device: Device,
    infos: Iterable[DomainInfo],
    more_bridges: Collection[str] = (),
    interfaces: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Raise Refused where the bridge does not exist, or another interface has the vif's name.

    The text is that of the vif-bridge script, and of `ip link set ... name`, which it calls.
    `interfaces` says what those of domain 0 itself are.
    """
    spec = device.spec
    assert isinstance(spec, VifSpec)
    if spec.bridge not in BRIDGES and spec.bridge not in more_bridges:
        there = some(sorted({*BRIDGES, *more_bridges}))
        raise Refused(f"Could not find bridge device {spec.bridge}; there are {there}")
    if not spec.vifname:
        return
    own = ""
    failed = f"ip link set {spec.vifname} failed: that is"
    if spec.vifname in interfaces:
        raise Refused(f"{failed} {interfaces[spec.vifname]} of Domain-0 already")
    for info in infos:
        for other in info.devices:
            if other is device:
                own = f"vif{info.domid}.{device.number}"
            elif isinstance(other.spec, VifSpec) and other.spec.vifname == spec.vifname:
                raise Refused(f"{failed} a vif of '{info.name}' already")
    if spec.vifname != own and OF_GUESTS.fullmatch(spec.vifname):
        raise Refused(f"{failed} what an interface of another guest is called")


def check_device(
    device: Device,
    infos: Collection[DomainInfo],
    known: Collection[str],
    more_bridges: Collection[str] = (),
    interfaces: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Raise Refused where domain 0 cannot provide the backing of this device."""
    if isinstance(device.spec, DiskSpec):
        check_disk(device.spec, disks_of(infos), known)
    elif isinstance(device.spec, VifSpec):
        check_vif(device, infos, more_bridges, interfaces)


def backing_nodes(spec: DiskSpec, loop_devices: Collection[str]) -> "dict[str, object]":
    """Return the nodes that the block script and blkback write for a connected disk.

    `loop_devices` are the loop devices in use.
    """
    # VDISK_CDROM 1 and VDISK_READONLY 4 of xen/include/public/io/blkif.h.
    flags = int(spec.is_cdrom) | 4 * (spec.mode == "r")
    nodes: dict[str, object] = {
        "sectors": DISK_SECTORS if spec.type else 0,
        "sector-size": SECTOR_BYTES,
        "info": flags,
    }
    if spec.type == "file":
        number = next(n for n in range(LOOP_DEVICES) if f"/dev/loop{n}" not in loop_devices)
        return {"node": f"/dev/loop{number}", "physical-device": f"7:{number:x}"} | nodes
    if spec.type == "phy":
        return {"physical-device": _physical_device(spec.path)} | nodes
    return nodes


def _physical_device(path: str) -> str:
    place = place_of(path)
    try:
        number = device_number(place)
    except HostError:  # a logical volume or the like
        return f"{DEVICE_MAPPER_MAJOR:x}:{sum(place.encode()) % 16:x}"
    return f"{number >> 8:x}:{number & 255:x}"


def disks_of(infos: Iterable[DomainInfo]) -> list[Backing]:
    """Return every disk of these domains."""
    return [
        Backing(info.name, device.spec)
        for info in infos
        for device in info.devices
        if isinstance(device.spec, DiskSpec)
    ]
